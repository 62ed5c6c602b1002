"""What a user sees while a study runs."""

import time
from collections.abc import Sequence
from typing import Any, Protocol

from tqdm import tqdm


class Described(Protocol):
    """What is shown of a task."""

    name: str
    epochs: int
    group: Any


class Display:
    """Bars on standard error: one for the whole, and one for each run that is under way.

    Time left is estimated from the mean time of the finished tasks of a group (a data set and a
    size), and of all of them for a group that has none.
    """

    def __init__(self, tasks: Sequence[Described], jobs: int, finished: int = 0) -> None:
        """Makes the bars.

        Args:
            tasks: All that will be done.
            jobs: How many at a time.
            finished: How many were done before.
        """
        self.jobs = jobs
        self.left = list(tasks)
        self.started: dict[int, float] = {}
        self.seconds: dict[Any, list[float]] = {}
        self.bars: dict[int, tqdm] = {}
        self.places = list(range(1, jobs + 1))
        self.total = tqdm(
            total=finished + len(tasks),
            initial=finished,
            desc="Study",
            bar_format="{desc}: {n_fmt}/{total_fmt} |{bar}| {elapsed}{postfix}",
            disable=not tasks,
        )

    def __enter__(self) -> "Display":
        """Shows the bars."""
        return self

    def __exit__(self, *_: object) -> None:
        """Takes them away."""
        for bar in (*self.bars.values(), self.total):
            bar.close()

    def start(self, task: Described) -> None:
        """Shows a task that is under way.

        Args:
            task: The task.
        """
        self.started[id(task)] = time.monotonic()
        self.bars[id(task)] = tqdm(
            total=task.epochs,
            desc=task.name,
            unit="epoch",
            position=self.places.pop(0),
            leave=False,
        )

    def epoch(self, task: Described, epoch: int, dev_score: float) -> None:
        """Moves a task on.

        Args:
            task: The task.
            epoch: The epoch that ended.
            dev_score: Its dev score, a fraction.
        """
        bar = self.bars[id(task)]
        bar.set_postfix(dev=f"{100 * dev_score:.2f}", refresh=False)
        bar.update(epoch - bar.n)

    def finish(self, task: Described) -> None:
        """Takes a task away.

        Args:
            task: The task.
        """
        bar = self.bars.pop(id(task))
        self.places.append(-bar.pos)
        bar.close()
        self.left.remove(task)
        taken = time.monotonic() - self.started.pop(id(task))
        self.seconds.setdefault(task.group, []).append(taken)
        self.total.set_postfix_str(f"about {_clock(self.seconds_left())} left", refresh=False)
        self.total.update()

    def seconds_left(self) -> float:
        """Estimates the time until all tasks are done.

        Returns:
            Seconds.
        """
        everything = [taken for group in self.seconds.values() for taken in group]
        total = sum(
            _mean(self.seconds.get(task.group, everything))
            - (time.monotonic() - self.started.get(id(task), time.monotonic()))
            for task in self.left
        )
        return max(0.0, total / self.jobs)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _clock(seconds: float) -> str:
    return str(tqdm.format_interval(seconds))
