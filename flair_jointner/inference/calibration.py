"""Whether a tagger's scores mean what they say, and what a threshold on them does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from flair.data import Sentence

from flair_jointner.data.annotation import is_annotated
from flair_jointner.models import BaseTagger
from flair_jointner.models.evaluation import gold_facts
from flair_jointner.models.tagging import TaggingRun

Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class ScoredPredictions:
    """Predictions of one kind, each with its score and whether it was right.

    Attributes:
        scores: In [0, 1], ``[predictions]``.
        correct: 1 for right and 0 for wrong, ``[predictions]``.
        gold: How many there were to find.
    """

    scores: Numbers
    correct: Numbers
    gold: int


class Reliability(NamedTuple):
    """Predictions by score.

    Attributes:
        edges: Bounds of the bins, ``[bins + 1]``.
        counts: Predictions in each, ``[bins]``.
        confidence: Their mean score; NaN in an empty bin.
        accuracy: Share of right ones; NaN in an empty bin.
        error: Expected calibration error: the mean distance of the two, weighted by the counts.
    """

    edges: Numbers
    counts: Numbers
    confidence: Numbers
    accuracy: Numbers
    error: float


class ThresholdCurve(NamedTuple):
    """What is left when only entities with at least some score are kept; fractions.

    Attributes:
        thresholds: The scores, rising.
        precision: Share of right ones among the kept; NaN where none is kept.
        recall: Share of the gold entities that are kept and right.
    """

    thresholds: Numbers
    precision: Numbers
    recall: Numbers


def score_predictions(
    tagger: BaseTagger, sentences: Sequence[Sentence], batch_size: int = 64
) -> tuple[ScoredPredictions, ScoredPredictions | None]:
    """Predicts annotated sentences and compares.

    Args:
        tagger: The tagger.
        sentences: The sentences; those marked as not annotated do not count for the entities, nor
            those without a class for the classes.
        batch_size: Number of sentences that go through the network at once.

    Returns:
        Entities (or tagged tokens), and classes; None without a sentence head.
    """
    entities: list[tuple[float, bool]] = []
    classes: list[tuple[float, bool]] = []
    class_type = tagger.class_type
    found = 0
    run = TaggingRun(tagger, batch_size, with_probabilities=not tagger.predict_spans)
    for index, prediction in run.over_sentences(sentences):
        sentence = sentences[index]
        if is_annotated(sentence, tagger.tag_type):
            gold = gold_facts(sentence, index, tagger.tag_type)
            found += len(gold)
            for fact, score in prediction.scored_facts(index, tagger.tagset_of(sentence)):
                entities.append((score, fact in gold))
        if class_type is not None and sentence.get_labels(class_type):
            value, score = prediction.classes[0]
            classes.append((score, value == sentence.get_labels(class_type)[0].value))
    scored = _scored(entities, found)
    return scored, None if class_type is None else _scored(classes, len(classes))


def _scored(pairs: list[tuple[float, bool]], gold: int) -> ScoredPredictions:
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return ScoredPredictions(table[:, 0], table[:, 1], gold)


def reliability(predictions: ScoredPredictions, bins: int = 10) -> Reliability:
    """Puts predictions into bins of equal width by their score (Guo et al., 2017, Eqs. 2-5).

    Args:
        predictions: The predictions.
        bins: Number of bins.

    Returns:
        The bins and the expected calibration error; an error of 0 without any prediction.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    places = np.clip(np.digitize(predictions.scores, edges[1:-1], right=True), 0, bins - 1)
    counts = np.bincount(places, minlength=bins).astype(np.float64)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(places, predictions.scores, bins) / counts
        accuracy = np.bincount(places, predictions.correct, bins) / counts
    gaps = np.nan_to_num(np.abs(confidence - accuracy))
    error = float((gaps * counts).sum() / max(1.0, counts.sum()))
    return Reliability(edges, counts, confidence, accuracy, error)


def threshold_curve(predictions: ScoredPredictions, points: int = 101) -> ThresholdCurve:
    """Precision and recall of the entities that reach a score.

    Args:
        predictions: The entities.
        points: Number of thresholds from 0 to 1.

    Returns:
        The curve.
    """
    thresholds = np.linspace(0.0, 1.0, points)
    kept = predictions.scores >= thresholds[:, None]  # [points, predictions]
    right = (kept * predictions.correct).sum(1)
    with np.errstate(invalid="ignore"):
        precision = right / kept.sum(1)
    return ThresholdCurve(thresholds, precision, right / max(1, predictions.gold))


def describe_calibration(entities: ScoredPredictions, classes: ScoredPredictions | None) -> str:
    """Says how far scores are to be trusted, and what a threshold on those of entities does.

    Args:
        entities: The entities.
        classes: The classes; None without a sentence head.

    Returns:
        A few lines.
    """
    lines = [""]
    has_entities = bool(entities.gold or len(entities.scores))
    if has_entities:
        lines.append(
            "Expected calibration error of the entities' scores: "
            f"{reliability(entities).error:.4f} ({len(entities.scores)} predicted)"
        )
    if classes is not None and classes.gold:
        error = reliability(classes).error
        lines.append(f"Expected calibration error of the classes' scores: {error:.4f}")
    if not has_entities:
        return "\n".join(lines)
    lines.append("Keeping only entities with at least this score:")
    curve = threshold_curve(entities, points=11)
    for threshold, precision, recall in list(zip(*curve, strict=True))[5:]:
        of_kept = "- (none kept)" if np.isnan(precision) else f"{precision:.4f}"
        lines.append(f"  {threshold:.1f}  precision {of_kept}  recall {recall:.4f}")
    return "\n".join(lines)


def draw_calibration(
    entities: ScoredPredictions, classes: ScoredPredictions | None, folder: str | Path
) -> list[Path]:
    """Draws the reliability diagram and the threshold curve.

    Args:
        entities: The entities.
        classes: The classes; None without a sentence head.
        folder: Where the pictures go; it is made if it is missing.

    Returns:
        The pictures.
    """
    pictures = [Path(folder) / "reliability.png", Path(folder) / "thresholds.png"]
    pictures[0].parent.mkdir(parents=True, exist_ok=True)
    named = (
        {"entities": entities} if classes is None else {"entities": entities, "classes": classes}
    )
    plot_reliability(named, pictures[0])
    plot_thresholds(entities, pictures[1])
    return pictures


def plot_reliability(named: dict[str, ScoredPredictions], path: str | Path) -> None:
    """Draws a reliability diagram: score against the share of right predictions.

    Args:
        named: Predictions and what they are called.
        path: The picture to write; its ending gives the format.
    """
    figure = _make_figure(4.5 * len(named))
    axes = figure.subplots(1, len(named), squeeze=False)
    for axis, (name, predictions) in zip(axes[0], named.items(), strict=True):
        found = reliability(predictions)
        width = found.edges[1] - found.edges[0]
        axis.bar(found.edges[:-1], found.accuracy, width, align="edge", edgecolor="white")
        axis.plot([0, 1], [0, 1], color="black", linewidth=1, linestyle="--")
        axis.plot(found.confidence, found.accuracy, "o", color="tab:orange")
        axis.set(xlabel="score", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
        axis.set_title(f"{name}: {len(predictions.scores)}, calibration error {found.error:.3f}")
    figure.savefig(path, dpi=150)


def plot_thresholds(entities: ScoredPredictions, path: str | Path) -> None:
    """Draws precision and recall of the entities against the least score that is kept.

    Args:
        entities: The entities.
        path: The picture to write; its ending gives the format.
    """
    figure = _make_figure(5.5)
    axis = figure.subplots()
    curve = threshold_curve(entities)
    axis.plot(curve.thresholds, curve.precision, label="precision")
    axis.plot(curve.thresholds, curve.recall, label="recall")
    axis.set(xlabel="least score of an entity that is kept", ylabel="fraction", ylim=(0, 1.02))
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=150)


def _make_figure(width: float) -> Any:
    from matplotlib.figure import Figure  # takes a while to import, and few commands draw

    return Figure(figsize=(width, 4.2), layout="constrained")
