"""Does the runs of a study, and goes on where it stopped."""

import logging
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from filelock import FileLock, Timeout
from tqdm.contrib.logging import logging_redirect_tqdm

from flair_jointner.studies.checks import check_data
from flair_jointner.studies.config import Study
from flair_jointner.studies.epochs import Report
from flair_jointner.studies.grid import (
    Run,
    Words,
    classifier_key,
    plan,
    run_key,
    source_words,
    words_of,
)
from flair_jointner.studies.pieces import (
    classifier_file,
    make_classifier,
    make_vectors,
    vectors_file,
)
from flair_jointner.studies.processes import Processes, Task
from flair_jointner.studies.records import append_record, is_done, read_records
from flair_jointner.studies.running import execute

log = logging.getLogger("flair_jointner")

Piece = tuple[Task, list[Run]]
"""What runs share, and the runs that need it."""


def run_study(study: Study, jobs: int = 1, retry: bool = False) -> int:
    """Does all runs of a study that have no result yet.

    Args:
        study: The study.
        jobs: Runs at a time; the CPU's threads are divided among them.
        retry: Whether runs that failed before are done again.

    Returns:
        How many runs of the study have failed, now or before.

    Raises:
        ValueError: If the data do not hold what the study asks of them, or another study is
            running in the same folder.
    """
    check_data(study)
    with (
        _alone(study),
        _ended_by_sigterm(),
        logging_redirect_tqdm(),  # a failure is said above the bars
        Processes(study.output / "logs", jobs) as processes,
    ):
        runs, done = _to_do(study, retry)
        runs = _make(study, _vectors_of(study, runs), runs, processes)
        runs = _make(study, _classifiers_of(study, runs), runs, processes)
        tasks = {_run_task(study, run): run for run in runs}
        for outcome in processes.over(list(tasks), finished=done):
            _record(study, tasks[outcome.task], outcome.record, outcome.error)
    return sum("error" in record for record in read_records(study).values())


def _to_do(study: Study, retry: bool) -> tuple[list[Run], int]:
    """The runs without a result, or without the model that is wanted, and how many others."""
    done = {run for run, record in read_records(study).items() if is_done(study, record, retry)}
    # Runs that differ in their names alone are one.
    wanted = {run_key(study, run): run for run in plan(study) if run not in done}
    return list(wanted.values()), len(done)


def _make(study: Study, pieces: list[Piece], runs: list[Run], processes: Processes) -> list[Run]:
    """Makes what runs share; those whose piece fails are recorded, and the others returned."""
    for outcome in processes.over([task for task, _ in pieces]):
        if outcome.error is not None:
            lost = next(needed for task, needed in pieces if task is outcome.task)
            for run in lost:
                _record(study, run, None, f"{outcome.task.name} failed.\n{outcome.error}")
            runs = [run for run in runs if run not in lost]
    return runs


def _record(study: Study, run: Run, record: dict[str, Any] | None, error: str | None) -> None:
    made = {"key": run_key(study, run), **run._asdict(), **(record or {})}
    if error is not None:
        made["error"] = error
        log.warning("%s failed: %s", run, error.strip().splitlines()[-1])
    append_record(study, made)


def _vectors_of(study: Study, runs: Iterable[Run]) -> list[Piece]:
    """The word vectors that do not exist, each once."""
    wanted: dict[str, tuple[str, Words, list[Run]]] = {}
    for run in runs:
        for name, words in _all_words(study, run):
            if not vectors_file(study, words).exists():
                wanted.setdefault(words.key, (name, words, []))[2].append(run)
    return [
        (
            Task(
                f"Word vectors of {name}",
                f"vectors-{key}.log",
                partial(_train_vectors, study, words),
                epochs=1,
            ),
            needed,
        )
        for key, (name, words, needed) in wanted.items()
    ]


def _all_words(study: Study, run: Run) -> Iterator[tuple[str, Words]]:
    """The word vectors that a run needs, and whose they are."""
    yield run.data, words_of(study, run.data)
    if study.configurations[run.configuration].learns_from_source:
        own = source_words(study.data[run.data])
        if own is not None:
            yield f"the source of {run.data}", own


def _train_vectors(study: Study, words: Words, report: Report) -> None:
    make_vectors(study, words)


def _classifiers_of(study: Study, runs: Iterable[Run]) -> list[Piece]:
    """The classifiers that do not exist, each once."""
    wanted: dict[str, list[Run]] = {}
    for run in runs:
        needs_one = study.configurations[run.configuration].classifier == "pretrain"
        if needs_one and not classifier_file(study, run.data, run.configuration).exists():
            key = classifier_key(study, run.data, run.configuration)
            wanted.setdefault(key, []).append(run)
    return [
        (
            Task(
                f"Classifier of {needed[0].data}",
                f"classifier-{key}.log",
                partial(make_classifier, study, needed[0].data, needed[0].configuration),
                study.pretraining.epochs,
            ),
            needed,
        )
        for key, needed in wanted.items()
    ]


def _run_task(study: Study, run: Run) -> Task:
    key = run_key(study, run)
    return Task(
        str(run),
        f"{key}.log",
        partial(execute, study, run, key),
        study.training_of(run.configuration).epochs,
        group=(run.data, run.size),
    )


@contextmanager
def _alone(study: Study) -> Iterator[None]:
    """Two studies in one folder would write over each other's models."""
    study.output.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(study.output / "lock", timeout=0):
            yield
    except Timeout:
        raise ValueError(
            f"A study is running in {study.output}: wait for it, or name another --output."
        ) from None


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Lets the processes be ended when a job scheduler ends this one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
