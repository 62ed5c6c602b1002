"""Runs a study in processes of its own, a process per run, and goes on where it stopped."""

import logging
import multiprocessing
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

import torch

from flair_jointner.studies.config import Study
from flair_jointner.studies.display import Display
from flair_jointner.studies.grid import Run, classifier_key, plan, run_key, vectors_key
from flair_jointner.studies.records import Record, append_record, read_records
from flair_jointner.studies.running import (
    Report,
    classifier_file,
    execute,
    make_classifier,
    make_vectors,
    vectors_file,
)

log = logging.getLogger("flair_jointner")

Work = Callable[[Report], Record | None]


@dataclass
class Task:
    """Something that a process does.

    Attributes:
        name: What the user sees.
        log_file: Name of the file that receives all it prints.
        work: What is called in the process; reports epochs.
        epochs: How many there are at most.
        group: Tasks of a group take about the same time.
    """

    name: str
    log_file: str
    work: Work
    epochs: int
    group: Any = None


@dataclass
class Outcome:
    """What became of a task.

    Attributes:
        task: The task.
        record: What its work returned.
        error: The traceback, or how the process died; None if all went well.
    """

    task: Task
    record: Record | None = None
    error: str | None = None


def run_study(study: Study, jobs: int = 1, retry: bool = False) -> int:
    """Does all runs of a study that have no result yet.

    Args:
        study: The study.
        jobs: Runs at a time; the processor's threads are divided among them.
        retry: Whether runs that failed before are done again.

    Returns:
        How many runs of the study have failed, now or before.

    Raises:
        ValueError: If vectors or a classifier that runs need cannot be made.
    """
    records = read_records(study)
    done = {run for run, record in records.items() if not (retry and "error" in record)}
    # Runs that differ in their names alone are one.
    wanted = {run_key(study, run): run for run in plan(study) if run not in done}
    runs = list(wanted.values())
    with _Processes(study, jobs) as processes:
        for tasks in (_vector_tasks(study, runs), _classifier_tasks(study, runs)):
            for outcome in processes.over(tasks):
                if outcome.error is not None:
                    raise ValueError(
                        f"{outcome.task.name} failed, which runs need; see "
                        f"{study.output / 'logs' / outcome.task.log_file}:\n{outcome.error}"
                    )
        tasks = [_run_task(study, run) for run in runs]
        names = {task.name: run for task, run in zip(tasks, runs, strict=True)}
        for outcome in processes.over(tasks, finished=len(done)):
            run = names[outcome.task.name]
            record = {"key": run_key(study, run), **run._asdict(), **(outcome.record or {})}
            if outcome.error is not None:
                record["error"] = outcome.error
                log.warning("%s failed: %s", run, outcome.error.strip().splitlines()[-1])
            append_record(study, record)
    return sum("error" in record for record in read_records(study).values())


def _vector_tasks(study: Study, runs: Iterable[Run]) -> list[Task]:
    """The word vectors that are wanted and do not exist, each once."""
    wanted = {vectors_key(study, run.data): run.data for run in runs}
    return [
        Task(f"Word vectors of {data}", f"vectors-{key}.log", partial(_vectors, study, data), 1)
        for key, data in wanted.items()
        if not vectors_file(study, data).exists()
    ]


def _vectors(study: Study, data: str, report: Report) -> None:
    make_vectors(study, data)


def _classifier_tasks(study: Study, runs: Iterable[Run]) -> list[Task]:
    """The classifiers that are wanted and do not exist, each once."""
    wanted = {
        classifier_key(study, run.data, run.configuration): run
        for run in runs
        if study.configurations[run.configuration].classifier == "pretrain"
    }
    return [
        Task(
            f"Classifier of {run.data}",
            f"classifier-{key}.log",
            partial(make_classifier, study, run.data, run.configuration),
            study.pretraining.epochs,
        )
        for key, run in wanted.items()
        if not classifier_file(study, run.data, run.configuration).exists()
    ]


def _run_task(study: Study, run: Run) -> Task:
    return Task(
        str(run),
        f"{run_key(study, run)}.log",
        partial(execute, study, run),
        study.training_of(run.configuration).epochs,
        group=(run.data, run.size),
    )


@dataclass
class _Processes:
    """Up to ``jobs`` processes at a time, with the processor's threads divided among them.

    Each is forked from a server that has imported this package and done nothing else: a run starts
    at once, and begins as clean as if it were the only one.
    """

    study: Study
    jobs: int
    running: dict[Connection, tuple[Any, Task]] = field(default_factory=dict)

    def __enter__(self) -> "_Processes":
        available = multiprocessing.get_all_start_methods()
        self.context: Any = multiprocessing.get_context(
            "forkserver" if "forkserver" in available else "spawn"
        )
        self.context.set_forkserver_preload(["flair_jointner.studies.runner"])
        self.threads = max(1, (os.cpu_count() or 1) // self.jobs)
        (self.study.output / "logs").mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        for process, _task in self.running.values():
            process.terminate()
            process.join()

    def over(self, tasks: list[Task], finished: int = 0) -> Iterator[Outcome]:
        """Does tasks and gives their outcomes as they come."""
        waiting = deque(tasks)
        with Display(tasks, self.jobs, finished) as display:
            while waiting or self.running:
                while waiting and len(self.running) < self.jobs:
                    display.start(waiting[0])
                    self._start(waiting.popleft())
                for pipe in wait(list(self.running)):
                    assert isinstance(pipe, Connection)
                    outcome = self._receive(pipe, display)
                    if outcome is not None:
                        display.finish(outcome.task)
                        yield outcome

    def _start(self, task: Task) -> None:
        ours, theirs = self.context.Pipe(duplex=False)
        file = str(self.study.output / "logs" / task.log_file)
        process = self.context.Process(
            target=_child, args=(task.work, theirs, file, self.threads), daemon=True
        )
        with _environment(OMP_NUM_THREADS=str(self.threads)):
            process.start()
        theirs.close()
        self.running[ours] = process, task

    def _receive(self, pipe: Connection, display: Display) -> Outcome | None:
        """Takes a message of a process; its outcome if it was the last one."""
        process, task = self.running[pipe]
        try:
            kind, content = pipe.recv()
        except EOFError:  # it died without a word
            process.join()
            kind, content = "error", f"The process ended with exit code {process.exitcode}."
        if kind == "epoch":
            display.epoch(task, *content)
            return None
        process.join()
        pipe.close()
        del self.running[pipe]
        return Outcome(task, **{kind: content})


def _child(work: Work, pipe: Connection, log_file: str, threads: int) -> None:
    """Does a task; all that it prints, and C libraries too, goes to a file."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends the children
    with open(log_file, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    logging.basicConfig(format="%(message)s")
    log.setLevel(logging.INFO)
    torch.set_num_threads(threads)
    try:
        record = work(lambda epoch, score: pipe.send(("epoch", (epoch, score))))
    except BaseException:
        error = traceback.format_exc()
        print(error, file=sys.stderr)
        pipe.send(("error", error))
    else:
        pipe.send(("record", record))


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Variables for the processes that are started, which libraries read when they are loaded."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
