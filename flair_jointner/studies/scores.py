"""What a run leaves behind of its predictions: scores, and counts for tests of significance."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from flair.data import Sentence

from flair_jointner.data.annotation import is_annotated
from flair_jointner.models import BaseTagger
from flair_jointner.models.evaluation import Fact, class_scores, entity_result, gold_facts
from flair_jointner.models.tagging import TaggingRun

MISSED, SPURIOUS, BOUNDARY = "missed", "spurious", "other boundaries"

BLOCKS = 100
"""Of how many parts of the sentences, at most, the counts are kept."""


def score(tagger: BaseTagger, sentences: Sequence[Sentence]) -> dict[str, Any]:
    """Tags annotated sentences and compares.

    Args:
        tagger: The tagger.
        sentences: The sentences; those marked as not annotated do not count.

    Returns:
        ``precision``, ``recall`` and ``f1`` (fractions), ``types`` with the same and ``support`` of
        each type, ``accuracy`` of the classes (None without a sentence head), ``counts`` (true
        positives, false positives and false negatives of each block of neighbouring sentences, of
        which there are :data:`BLOCKS` or, if that is less, one for each sentence) and ``confusion``
        (how often a gold type was found as what, see :func:`confusion`).
    """
    tagged = [s for s in sentences if is_annotated(s, tagger.tag_type)]
    gold: list[set[Fact]] = [
        gold_facts(sentence, index, tagger.tag_type) for index, sentence in enumerate(tagged)
    ]
    found: list[set[Fact]] = [set() for _ in tagged]
    classes: list[tuple[str, str]] = []
    run = TaggingRun(tagger, 64, with_scores=False)
    for index, prediction in run.over_sentences(tagged):
        found[index] = prediction.facts(index, tagger.tagset)
        labels = tagged[index].get_labels(tagger.class_type) if tagger.class_type else []
        if labels:
            classes.append((labels[0].value, prediction.classes[0][0]))
    report = entity_result(set().union(*gold), set().union(*found), None).classification_report
    summary = report.get("micro avg", {"precision": 0.0, "recall": 0.0, "f1-score": 0.0})
    return {
        **_named(summary),
        "types": {
            name: {**_named(values), "support": int(values["support"])}
            for name, values in report.items()
            if not name.endswith(" avg")
        },
        "accuracy": class_scores(*zip(*classes, strict=True)).accuracy if classes else None,
        "counts": _block_counts(gold, found),
        "confusion": confusion(gold, found),
    }


def _block_counts(gold: Sequence[set[Fact]], found: Sequence[set[Fact]]) -> list[list[int]]:
    counts = [
        [len(right & taken), len(taken - right), len(right - taken)]
        for right, taken in zip(gold, found, strict=True)
    ]
    blocks = np.array_split(np.array(counts).reshape(-1, 3), min(BLOCKS, max(1, len(counts))))
    return [block.sum(0).tolist() for block in blocks]


def confusion(gold: Sequence[set[Fact]], found: Sequence[set[Fact]]) -> dict[str, dict[str, int]]:
    """Counts as what the gold entities were found.

    A gold entity whose place was found exactly counts for the type found there; one that only
    overlaps with a found entity of its own type as ``"other boundaries"``, with entities of other
    types as the first of those; else as ``"missed"``. A found entity that overlaps with no gold one
    is ``"spurious"``.

    Args:
        gold: The gold entities of each sentence.
        found: The found entities of each sentence.

    Returns:
        Counts by gold type (or ``"spurious"``) and by what was found.
    """
    table: dict[str, Counter[str]] = {}
    for right, taken in zip(gold, found, strict=True):
        for entity in sorted(right):
            table.setdefault(entity.type, Counter())[_found_as(entity, taken)] += 1
        for entity in sorted(taken):
            if not any(_overlap(entity, other) for other in right):
                table.setdefault(SPURIOUS, Counter())[entity.type] += 1
    return {name: dict(counts) for name, counts in sorted(table.items())}


def _found_as(entity: Fact, found: set[Fact]) -> str:
    overlapping = sorted(other for other in found if _overlap(entity, other))
    for other in overlapping:
        if other[:3] == entity[:3]:
            return other.type
    if any(other.type == entity.type for other in overlapping):
        return BOUNDARY
    return overlapping[0].type if overlapping else MISSED


def _overlap(one: Fact, other: Fact) -> bool:
    return one.start < other.end and other.start < one.end


def _named(values: dict[str, float]) -> dict[str, float]:
    return {
        "precision": float(values["precision"]),
        "recall": float(values["recall"]),
        "f1": float(values["f1-score"]),
    }
