"""Several processes say what one says."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import flair
import pytest
import tiny
import torch

from flair_jointner.inference import tag_in_parallel, workers


def random_texts(count):
    return [sentence.text for sentence in tiny.random_titles(count)]


def test_workers_give_the_rows_of_one_process_in_order():
    tagger = tiny.joint_tagger(attention="learned")
    texts = random_texts(300)
    expected = list(tagger.tag(texts, chunk_size=40))
    rows = list(tag_in_parallel(tagger, texts, 2, chunk_size=40))
    assert [row["text"] for row in rows] == texts
    for row, other in zip(rows, expected, strict=True):
        assert row["category"] == other["category"]
        assert [e["start"] for e in row["entities"]] == [e["start"] for e in other["entities"]]
        assert row["score"] == pytest.approx(other["score"], abs=1e-5)


def test_workers_compute_where_the_first_process_does(monkeypatch):
    monkeypatch.setattr(flair, "device", torch.device("meta"))
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    monkeypatch.setattr(workers, "end_with_parent", lambda: None)
    workers._start(None, torch.device("cpu"), 1, {})
    assert flair.device.type == "cpu"


def test_one_worker_is_this_process_and_reads_only_what_it_needs():
    endless = itertools.cycle(random_texts(5))
    rows = tag_in_parallel(tiny.joint_tagger(), endless, 1, chunk_size=4)
    assert len(list(itertools.islice(rows, 9))) == 9


@pytest.mark.parametrize("numbers", [{"workers": 0}, {"workers": 2, "chunk_size": 0}])
def test_numbers_below_one_are_refused(numbers):
    with pytest.raises(ValueError, match="1 or more"):
        tag_in_parallel(tiny.joint_tagger(), ["mibal"], **numbers)


@pytest.mark.parametrize("processes", [1, 2])
def test_texts_before_an_error_in_their_source_are_tagged(processes):
    def failing():
        yield from random_texts(50)
        raise ConnectionError("the source of the texts is gone")

    rows = tag_in_parallel(tiny.joint_tagger(), failing(), processes, chunk_size=8)
    assert [next(rows)["text"] for _ in range(50)] == random_texts(50)
    with pytest.raises(ConnectionError):
        next(rows)


def test_the_death_of_a_worker_is_told():
    rows = tag_in_parallel(tiny.joint_tagger(), itertools.cycle(random_texts(9)), 2, chunk_size=64)
    next(rows)
    for process in multiprocessing.active_children():
        process.kill()
    with pytest.raises(ChildProcessError, match="fewer workers"):
        for _ in rows:
            pass


ENDLESS = """
import itertools
import multiprocessing
import tiny
from flair_jointner.inference import tag_in_parallel

if __name__ == "__main__":
    texts = [sentence.text for sentence in tiny.random_titles(9)]
    rows = tag_in_parallel(tiny.joint_tagger(), itertools.cycle(texts), 2, chunk_size=64)
    next(rows)
    print(*(process.pid for process in multiprocessing.active_children()), flush=True)
    for _ in rows:
        pass
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_a_process_that_is_killed(number, tmp_path):
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS)
    paths = os.pathsep.join(sys.path)
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    ) as process:
        printed = next(line for line in process.stdout if line.split()[0].isdigit())
        workers_alive = {int(pid) for pid in printed.split()}
        assert len(workers_alive) == 2
        process.send_signal(number)
        process.wait(10)
    deadline = time.monotonic() + 20
    while workers_alive and time.monotonic() < deadline:
        workers_alive = {pid for pid in workers_alive if is_running(pid)}
        time.sleep(0.1)
    assert not workers_alive


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
