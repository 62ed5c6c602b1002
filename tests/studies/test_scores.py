"""Scores and counts, against Flair's own evaluation."""

import pytest
import tiny

from flair_jointner.models.evaluation import Fact
from flair_jointner.studies.scores import BLOCKS, confusion, score


def test_scores_are_those_of_evaluate():
    tagger, titles = tiny.joint_tagger(), tiny.titles()
    found = score(tagger, titles)
    result = tagger.evaluate(titles, tiny.TAG_TYPE)
    assert found["f1"] == pytest.approx(result.main_score)
    assert found["accuracy"] == pytest.approx(result.scores["class", "accuracy"])
    for name, values in found["types"].items():
        expected = result.classification_report[name]
        assert values["f1"] == pytest.approx(expected["f1-score"])
        assert values["support"] == expected["support"]


def test_counts_of_the_sentences_add_up_to_the_f1():
    tagger, titles = tiny.joint_tagger(), tiny.titles()
    found = score(tagger, titles)
    assert len(found["counts"]) == len(titles)
    right, wrong, missed = (sum(column) for column in zip(*found["counts"], strict=True))
    assert right + missed == sum(len(title.get_labels(tiny.TAG_TYPE)) for title in titles)
    assert found["f1"] == pytest.approx(2 * right / (2 * right + wrong + missed))
    assert found["precision"] == pytest.approx(right / (right + wrong))


def test_counts_are_kept_of_blocks_of_neighbours():
    tagger = tiny.joint_tagger()
    titles = tiny.random_titles(3 * BLOCKS + 1)
    found = score(tagger, titles)["counts"]
    assert len(found) == BLOCKS
    assert found[:2] == [
        [sum(column) for column in zip(*score(tagger, block)["counts"], strict=True)]
        for block in (titles[:4], titles[4:7])
    ]


def test_sentences_without_annotation_do_not_count():
    tagger, titles = tiny.joint_tagger(classes=None), tiny.titles()
    more = [*titles, tiny.title("mibal rofen", annotated=False)]
    assert score(tagger, more) == score(tagger, titles)
    assert score(tagger, titles)["accuracy"] is None


def fact(start, end, kind="A"):
    return Fact(0, start, end, kind)


@pytest.mark.parametrize(
    ("gold", "found", "expected"),
    [
        ([fact(0, 2)], [fact(0, 2)], {"A": {"A": 1}}),
        ([fact(0, 2)], [fact(0, 2, "B")], {"A": {"B": 1}}),
        ([fact(0, 2)], [], {"A": {"missed": 1}}),
        ([fact(0, 2)], [fact(2, 3)], {"A": {"missed": 1}, "spurious": {"A": 1}}),
        ([fact(0, 2)], [fact(1, 3)], {"A": {"other boundaries": 1}}),
        ([fact(0, 2)], [fact(1, 3, "B")], {"A": {"B": 1}}),
        # The exact place goes before an overlap, the own type before another one.
        ([fact(0, 2)], [fact(0, 1, "B"), fact(1, 2)], {"A": {"other boundaries": 1}}),
        ([fact(0, 1), fact(2, 3)], [fact(0, 3)], {"A": {"other boundaries": 2}}),
        ([], [fact(4, 5, "B")], {"spurious": {"B": 1}}),
    ],
)
def test_confusion_by_hand(gold, found, expected):
    assert confusion([set(gold)], [set(found)]) == expected
