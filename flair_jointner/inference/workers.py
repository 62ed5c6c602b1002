"""Tagging with several processes, which share the memory of the model."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

import flair
import torch
from torch import multiprocessing

from flair_jointner.models import BaseTagger
from flair_jointner.models.bulk import Text, chunked

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
        ChildProcessError: If a process dies.
        ValueError: If a number is below 1.
    """
    if workers < 1 or chunk_size < 1:
        raise ValueError(
            f"workers is {workers} and chunk_size {chunk_size}: both have to be 1 or more."
        )
    if workers == 1:
        return tagger.tag(texts, chunk_size=chunk_size, **options)
    return _tag_in_processes(tagger, chunked(texts, chunk_size), workers, options)


def _tag_in_processes(
    tagger: BaseTagger, chunks: Iterator[list[Text]], workers: int, options: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    threads = max(1, torch.get_num_threads() // workers)
    tagger.share_memory()
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(tagger, flair.device, threads, options),
    ) as pool:
        pending: deque[Future[list[dict[str, Any]]]] = deque()
        failed: Exception | None = None
        try:
            while True:
                while failed is None and len(pending) < _CHUNKS_AHEAD * workers:
                    try:
                        chunk = next(chunks, None)
                    except Exception as error:  # the rows of the texts before it come first
                        failed = error
                        break
                    if chunk is None:
                        break
                    pending.append(pool.submit(_tag, chunk))
                if not pending:
                    break
                yield from pending.popleft().result()
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "A process that tags has died, perhaps for lack of memory: give fewer workers, or "
                "a smaller batch size."
            ) from error
        finally:  # whoever reads the rows may stop, or a chunk may fail
            pool.shutdown(wait=True, cancel_futures=True)
    if failed is not None:
        raise failed


def end_with_parent() -> None:
    """From now on this process, which another has started, ends when that one has ended.

    However that ended: a process that is killed cannot end its children.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None  # for the type checker; this is a child

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()


_worker: dict[str, Any] = {}
"""Of a worker process: its tagger and how it tags."""


def _start(tagger: BaseTagger, device: torch.device, threads: int, options: dict[str, Any]) -> None:
    end_with_parent()
    flair.device = device  # a fresh process has Flair's own choice
    torch.set_num_threads(threads)
    _worker.update(tagger=tagger, options=options)


def _tag(texts: list[Text]) -> list[dict[str, Any]]:
    return list(_worker["tagger"].tag(texts, chunk_size=len(texts), **_worker["options"]))
