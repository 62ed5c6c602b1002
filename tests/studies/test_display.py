"""The estimate of the time left."""

import time
from types import SimpleNamespace

import pytest

from flair_jointner.studies.display import Display


def task(group):
    return SimpleNamespace(name="run", epochs=5, group=group)


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(time=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.time)
    return now


def test_time_left_goes_by_the_group_or_else_by_all(clock):
    tasks = [task("small"), task("small"), task("large"), task("new")]
    with Display(tasks, jobs=1) as display:
        for done, seconds in ((tasks[0], 10), (tasks[2], 100)):
            display.start(done)
            display.epoch(done, 3, 0.5)
            clock.time += seconds
            display.finish(done)
        assert display.seconds_left() == 10 + 55  # a small one, and the mean of both groups
        display.start(tasks[1])
        clock.time += 4
        assert display.seconds_left() == 6 + 55


def test_jobs_share_the_time(clock):
    tasks = [task("a") for _ in range(6)]
    with Display(tasks, jobs=2) as display:
        for one in tasks[:2]:
            display.start(one)
        clock.time += 30
        for one in tasks[:2]:
            display.finish(one)
        assert display.seconds_left() == 4 * 30 / 2


def test_bars_are_on_standard_error(capsys):
    with Display([task("a")], jobs=1, finished=2) as display:
        display.start(display.left[0])
        display.epoch(display.left[0], 2, 0.625)
    shown = capsys.readouterr()
    assert shown.out == "" and "Study: 2/3" in shown.err and "run: " in shown.err
