"""Tagging with several processes, which share the memory of the model."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import flair
import torch
from torch import multiprocessing

from flair_jointner.models import BaseTagger
from flair_jointner.models.bulk import Text

_CHUNKS_AHEAD = 2  # per worker: enough to keep it busy, and all that is held of the input


def tag_in_parallel(
    tagger: BaseTagger,
    texts: Iterable[Text],
    workers: int,
    *,
    chunk_size: int = 4096,
    **options: Any,
) -> Iterator[dict[str, Any]]:
    """Tags texts lazily and in order, in several processes.

    The processes are started afresh, not forked, and find the model's weights in shared memory.
    A script that calls this needs the usual ``if __name__ == "__main__":``.

    Args:
        tagger: A trained tagger.
        texts: Texts, or lists of tokens.
        workers: Number of processes; 1 tags in this one.
        chunk_size: Number of texts that go to a process at once.
        **options: Further arguments of ``BaseTagger.tag``.

    Yields:
        The rows of ``BaseTagger.tag``.

    Raises:
        ValueError: If a number is below 1.
    """
    if workers < 1 or chunk_size < 1:
        raise ValueError(
            f"workers is {workers} and chunk_size {chunk_size}: both have to be 1 or more."
        )
    if workers == 1:
        yield from tagger.tag(texts, chunk_size=chunk_size, **options)
        return
    threads = max(1, torch.get_num_threads() // workers)
    tagger.share_memory()
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(tagger, flair.device, threads, options),
    ) as pool:
        pending: deque[Future[list[dict[str, Any]]]] = deque()
        remaining = iter(texts)
        try:
            while True:
                while len(pending) < _CHUNKS_AHEAD * workers:
                    chunk = list(itertools.islice(remaining, chunk_size))
                    if not chunk:
                        break
                    pending.append(pool.submit(_tag, chunk))
                if not pending:
                    return
                yield from pending.popleft().result()
        finally:  # whoever reads the rows may stop, or a chunk may fail
            pool.shutdown(wait=True, cancel_futures=True)


_worker: dict[str, Any] = {}
"""Of a worker process: its tagger and how it tags."""


def _start(tagger: BaseTagger, device: torch.device, threads: int, options: dict[str, Any]) -> None:
    flair.device = device  # a fresh process has Flair's own choice
    torch.set_num_threads(threads)
    _worker.update(tagger=tagger, options=options)


def _tag(texts: list[Text]) -> list[dict[str, Any]]:
    return list(_worker["tagger"].tag(texts, chunk_size=len(texts), **_worker["options"]))
