"""Tasks in processes of their own."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from flair_jointner.inference.workers import end_with_parent
from flair_jointner.studies.display import Display
from flair_jointner.studies.epochs import Report
from flair_jointner.studies.records import Record

log = logging.getLogger("flair_jointner")

Work = Callable[[Report], Record | None]


@dataclass(eq=False)
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


@dataclass
class Processes:
    """Up to ``jobs`` processes at a time, with the CPU's threads divided among them.

    Each is forked from a server that has imported this package and done nothing else: a run starts
    at once, and begins as clean as if it were the only one. Beside a GPU it starts from nothing.

    Attributes:
        logs: Folder for what the processes print.
        jobs: How many at a time.
    """

    logs: Path
    jobs: int
    running: dict[Connection, tuple[Any, Task]] = field(default_factory=dict)

    def __enter__(self) -> "Processes":
        """Prepares; nothing runs yet."""
        self.context: Any = multiprocessing.get_context(_start_method())
        self.context.set_forkserver_preload(["flair_jointner.studies.running"])
        # torch's own number is what OMP_NUM_THREADS says, where somebody has set it.
        self.threads = max(1, min(_available_cores() // self.jobs, torch.get_num_threads()))
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Ends what still runs."""
        for process, _task in self.running.values():
            process.terminate()
            process.join()

    def over(self, tasks: list[Task], finished: int = 0) -> Iterator[Outcome]:
        """Does tasks.

        Args:
            tasks: The tasks.
            finished: How many more were done before, which the display counts.

        Yields:
            Their outcomes, as they come.
        """
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
        file = str(self.logs / task.log_file)
        process = self.context.Process(
            target=_child, args=(task.work, theirs, file, self.threads), daemon=True
        )
        with _signals_wait(), _environment(OMP_NUM_THREADS=str(self.threads)):
            if self.context.get_start_method() == "forkserver":
                with _ctrl_c_ignored():  # as the server does itself, once it has been loaded
                    forkserver.ensure_running()
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
            log_file = self.logs / task.log_file
            content = f"The process ended with exit code {process.exitcode}; its log: {log_file}"
            kind = "error"
        if kind == "epoch":
            display.epoch(task, *content)
            return None
        process.join()
        pipe.close()
        del self.running[pipe]
        return Outcome(task, **{kind: content})


def _start_method() -> str:
    """Of processes: a GPU does not work in a fork of one that has looked for it, as Flair does."""
    known = multiprocessing.get_all_start_methods()
    return "forkserver" if "forkserver" in known and not torch.cuda.is_available() else "spawn"


def _child(work: Work, pipe: Connection, log_file: str, threads: int) -> None:
    """Does a task; all that it prints, and C libraries too, goes to a file."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends the children
    with open(log_file, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    tqdm.set_lock(threading.RLock())  # its own is a semaphore, lost if this process is ended
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


def _available_cores() -> int:
    """Those that this process may use, which can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Puts Ctrl-C off: a process that is interrupted while it starts ends with a traceback."""
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for caught in came:
        signal.raise_signal(caught)


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """What is started here goes on when somebody presses Ctrl-C, unless it decides otherwise."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
