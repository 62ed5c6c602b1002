"""Scores of predictions against gold annotation, as Flair's ``Result`` holds them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from flair.data import Dictionary, Sentence, Span, Token
from flair.training_utils import Result
from sklearn.metrics import accuracy_score, classification_report, f1_score


class Fact(NamedTuple):
    """One annotation: a type at a place.

    Attributes:
        sentence: Index of the sentence.
        start: Index of the first token.
        end: Index after the last token.
        type: The entity type or tag.
    """

    sentence: int
    start: int
    end: int
    type: str


class ClassScores(NamedTuple):
    """How well sentences are classified.

    Attributes:
        accuracy: Share of right categories.
        macro_f1: F1 averaged over the categories that occur.
        support: Number of sentences with a gold category.
    """

    accuracy: float
    macro_f1: float
    support: int


def gold_facts(
    sentence: Sentence, index: int, label_type: str, dictionary: Dictionary | None = None
) -> set[Fact]:
    """What the annotators marked in a sentence.

    Args:
        sentence: An annotated sentence.
        index: Its index.
        label_type: Label type of its entities, or of its token tags.
        dictionary: Types outside of it become ``<unk>``, if given.

    Returns:
        The facts. Token tags ``O`` and ``_`` are none.
    """
    facts = set()
    for label in sentence.get_labels(label_type):
        place = label.data_point
        if not isinstance(place, (Span, Token)) or label.value in ("O", "_"):
            continue
        tokens = place.tokens if isinstance(place, Span) else [place]
        known = dictionary is None or dictionary.has_item(label.value)
        value = label.value if known else "<unk>"
        facts.add(Fact(index, tokens[0].idx - 1, tokens[-1].idx, value))
    return facts


def entity_result(
    gold: set[Fact],
    predicted: set[Fact],
    loss: float | None,
) -> Result:
    """Precision, recall and F1 of exactly matched entities, overall and per type.

    Args:
        gold: What the annotators marked.
        predicted: What the model found.
        loss: Mean loss per sentence, if computed.

    Returns:
        A result with the same keys as Flair's.
    """
    scores: dict[Any, Any] = {"loss": 0.0 if loss is None else _nonzero(loss)}
    types = sorted({fact.type for fact in gold | predicted})
    if not types:
        text = "\nResults:\n- There are no gold entities, and none were found."
        scores.update({(average, metric): 0.0 for average in _AVERAGES for metric in _METRICS})
        return Result(0.0, text, {}, {**scores, "accuracy": 0.0})
    report = _report(gold, predicted, types, as_text=False)
    for average in _AVERAGES:
        for metric in _METRICS:
            scores[(average, metric)] = report[average][metric]
    scores["accuracy"] = _span_accuracy(gold, predicted)
    text = (
        "\nResults:"
        f"\n- F-score (micro) {report['micro avg']['f1-score']:.4f}"
        f"\n- F-score (macro) {report['macro avg']['f1-score']:.4f}"
        f"\n- Accuracy {scores['accuracy']:.4f}"
        f"\n\nBy class:\n{_report(gold, predicted, types, as_text=True)}"
    )
    return Result(scores[_MICRO_F1], text, report, scores)


def main_score(result: Result, metric: tuple[str, ...]) -> float:
    """The score that decides which model is best.

    Args:
        result: The scores.
        metric: Average or type, and metric; or another key of the result's scores.

    Returns:
        The score; 0 for any where there are no entities.

    Raises:
        ValueError: If there is no such score.
    """
    scores: dict[tuple[str, ...], float] = {
        (name, key): value
        for name, row in result.classification_report.items()
        for key, value in row.items()
    }
    scores |= {key: value for key, value in result.scores.items() if isinstance(key, tuple)}
    if metric not in scores and result.classification_report:
        raise ValueError(
            f"Unknown main metric {metric}: choose one of {', '.join(map(str, scores))}."
        )
    return float(scores.get(metric, 0.0))


def class_scores(gold: Sequence[str], predicted: Sequence[str]) -> ClassScores:
    """Scores the categories of sentences.

    Args:
        gold: The right category of each sentence.
        predicted: The model's.

    Returns:
        The scores; zeros where there is no sentence.
    """
    if not gold:
        return ClassScores(0.0, 0.0, 0)
    macro = f1_score(gold, predicted, average="macro", zero_division=0)
    return ClassScores(float(accuracy_score(gold, predicted)), float(macro), len(gold))


def write_predictions(
    path: str | Path,
    sentences: Sequence[Sentence],
    gold: set[Fact],
    predicted: set[Fact],
    has_spans: bool,
) -> None:
    """Writes token, gold tag and predicted tag, a token per line, a blank line per sentence.

    Between them is a space, as in Flair's files, or a tab if a token holds a space.

    Args:
        path: The file to write.
        sentences: The sentences.
        gold: Facts of the annotators.
        predicted: Facts of the model.
        has_spans: Whether facts are spans, written as BIO, or tags of single tokens.
    """
    columns = [_tags(sentences, facts, has_spans) for facts in (gold, predicted)]
    spaced = any(" " in token.text for sentence in sentences for token in sentence)
    separator = "\t" if spaced else " "
    with open(path, "w", encoding="utf-8") as file:
        for sentence, right, found in zip(sentences, *columns, strict=True):
            for token, tags in zip(sentence, zip(right, found, strict=True), strict=True):
                file.write(separator.join((token.text, *tags)) + "\n")
            file.write("\n")


def _tags(sentences: Sequence[Sentence], facts: set[Fact], has_spans: bool) -> list[list[str]]:
    tags = [["O"] * len(sentence) for sentence in sentences]
    for index, start, end, type_ in sorted(facts):
        inside = [f"I-{type_}"] * (end - start - 1)
        tags[index][start:end] = [f"B-{type_}", *inside] if has_spans else [type_]
    return tags


_MICRO_F1 = ("micro avg", "f1-score")
_AVERAGES = ("micro avg", "macro avg")
_METRICS = ("precision", "recall", "f1-score")


def _report(gold: set[Fact], predicted: set[Fact], types: list[str], as_text: bool) -> Any:
    """A row per fact and a column per type, so that one place may even hold two types."""
    facts = sorted(gold | predicted)
    # The last column, of no type, keeps scikit-learn from taking a single type for a binary class.
    columns = np.array([[fact.type == type_ for type_ in (*types, None)] for fact in facts])
    report = classification_report(
        columns & np.array([[fact in gold] for fact in facts]),
        columns & np.array([[fact in predicted] for fact in facts]),
        labels=range(len(types)),
        target_names=types,
        digits=4,
        zero_division=0,
        output_dict=not as_text,
    )
    # An average over facts, which scikit-learn adds for data of this shape, says nothing here.
    if as_text:
        return "\n".join(line for line in report.splitlines() if "samples avg" not in line)
    report.pop("samples avg")
    return report


def _span_accuracy(gold: set[Fact], predicted: set[Fact]) -> float:
    """Share of the places marked by either side on which both agree."""

    def by_place(facts: set[Fact]) -> Mapping[tuple[int, ...], set[str]]:
        places: dict[tuple[int, ...], set[str]] = {}
        for fact in facts:
            places.setdefault(fact[:3], set()).add(fact.type)
        return places

    right, found = by_place(gold), by_place(predicted)
    places = right.keys() | found.keys()
    return sum(right.get(place) == found.get(place) for place in places) / len(places)


def _nonzero(loss: float) -> float:
    """Flair's annealing fails with a TypeError when a score repeats after a loss of exactly 0."""
    return loss or float(np.finfo(np.float64).tiny)
