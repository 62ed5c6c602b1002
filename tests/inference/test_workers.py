"""Several processes say what one says."""

import itertools

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
    workers._start(None, torch.device("cpu"), 1, {})
    assert flair.device.type == "cpu"


def test_one_worker_is_this_process_and_reads_only_what_it_needs():
    endless = itertools.cycle(random_texts(5))
    rows = tag_in_parallel(tiny.joint_tagger(), endless, 1, chunk_size=4)
    assert len(list(itertools.islice(rows, 9))) == 9


@pytest.mark.parametrize("numbers", [{"workers": 0}, {"workers": 2, "chunk_size": 0}])
def test_numbers_below_one_are_refused(numbers):
    with pytest.raises(ValueError, match="1 or more"):
        list(tag_in_parallel(tiny.joint_tagger(), ["mibal"], **numbers))
