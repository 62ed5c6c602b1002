"""Whether scores mean what they say: bins, curves and pictures."""

import matplotlib
import numpy as np
import pytest
import tiny

from flair_jointner.inference.calibration import (
    ScoredPredictions,
    describe_calibration,
    plot_reliability,
    plot_thresholds,
    reliability,
    score_predictions,
    threshold_curve,
)


def scored(*pairs, gold=10):
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    return ScoredPredictions(table[:, 0], table[:, 1], gold)


def test_the_error_is_the_weighted_gap_between_score_and_share():
    found = reliability(scored((0.95, 1), (0.91, 0), (0.15, 0), (1.0, 1)))
    assert found.counts.tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0, 3]
    assert found.confidence[9] == pytest.approx((0.95 + 0.91 + 1.0) / 3)
    assert found.accuracy[9] == pytest.approx(2 / 3)
    gap = abs((0.95 + 0.91 + 1.0) / 3 - 2 / 3)
    assert found.error == pytest.approx((3 * gap + 0.15) / 4)
    assert np.isnan(found.accuracy[0])


def test_scores_that_mean_what_they_say_have_no_error():
    generator = np.random.default_rng(1)
    scores = generator.uniform(size=100_000)
    correct = (generator.uniform(size=100_000) < scores).astype(float)
    assert reliability(ScoredPredictions(scores, correct, 1)).error < 0.01


def test_no_prediction_is_no_error():
    assert reliability(scored()).error == 0.0


def test_a_higher_threshold_keeps_less():
    curve = threshold_curve(scored((0.9, 1), (0.6, 1), (0.4, 0), gold=4), points=11)
    at = dict(zip(curve.thresholds.round(1).tolist(), zip(*curve[1:], strict=True), strict=True))
    assert at[0.0] == pytest.approx((2 / 3, 0.5))
    assert at[0.5] == pytest.approx((1.0, 0.5))
    assert at[0.7] == pytest.approx((1.0, 0.25))
    assert np.isnan(at[1.0][0]) and at[1.0][1] == 0


@pytest.mark.parametrize("options", [{}, {"classes": None}])
def test_predictions_are_compared_with_what_is_annotated(options):
    sentences = tiny.titles()
    unannotated = tiny.title("mibal", annotated=False)
    tagger = tiny.joint_tagger(classes=options.get("classes", tiny.CLASSES))
    result = tagger.evaluate(sentences, tiny.TAG_TYPE)
    entities, classes = score_predictions(tagger, [*sentences, unannotated])
    gold = sum(len(sentence.get_labels(tiny.TAG_TYPE)) for sentence in sentences)
    assert entities.gold == gold
    assert entities.correct.sum() / max(1, gold) == pytest.approx(
        result.scores[("micro avg", "recall")]
    )
    assert ((entities.scores > 0) & (entities.scores <= 1)).all()
    if options.get("classes", tiny.CLASSES) is None:
        assert classes is None
    else:
        assert classes.correct.mean() == pytest.approx(result.scores[("class", "accuracy")])


def test_pictures_are_drawn(tmp_path):
    matplotlib.use("svg")
    some = scored((0.9, 1), (0.6, 1), (0.4, 0))
    plot_reliability({"entities": some, "category": scored()}, tmp_path / "reliability.png")
    plot_thresholds(some, tmp_path / "thresholds.svg")
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "thresholds.svg").read_bytes()
    assert matplotlib.get_backend() == "svg"  # a notebook goes on showing its pictures


def test_a_threshold_that_keeps_nothing_says_so():
    lines = describe_calibration(scored((0.75, 1), gold=2), None).splitlines()
    assert "  0.7  precision 1.0000  recall 0.5000" in lines
    assert "  0.8  precision - (none kept)  recall 0.0000" in lines
