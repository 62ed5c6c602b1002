"""Tests of significance, against their definitions."""

import math

import numpy as np
import pytest
from small_study import make_study, record

from flair_jointner.studies.statistics import (
    FEWEST_BLOCKS,
    RESAMPLES,
    compare,
    paired_bootstrap,
    paired_t_test,
    summarize,
)


def counts(rng, sentences, quality):
    """Three gold entities a sentence, each found with this probability, and some invented."""
    right = rng.binomial(3, quality, sentences)
    return np.stack([right, rng.binomial(2, 1 - quality, sentences), 3 - right], axis=1)


def f1(table):
    right, wrong, missed = table.sum(axis=0)
    return 2 * right / (2 * right + wrong + missed)


def test_the_bootstrap_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    ours = [counts(rng, 80, 0.8) for _ in range(2)]
    theirs = [counts(rng, 80, 0.7) for _ in range(2)]
    drawn = []
    for _ in range(RESAMPLES):
        rows = rng.integers(80, size=80)
        drawn.append(
            np.mean([f1(table[rows]) for table in ours])
            - np.mean([f1(table[rows]) for table in theirs])
        )
    found = paired_bootstrap(ours, theirs)
    assert found.low == pytest.approx(np.percentile(drawn, 2.5), abs=0.004)
    assert found.high == pytest.approx(np.percentile(drawn, 97.5), abs=0.004)
    assert found.p == pytest.approx(2 * np.mean(np.array(drawn) <= 0), abs=0.02)


def test_pairing_makes_a_small_steady_difference_sure():
    rng = np.random.default_rng(1)
    theirs = counts(rng, 200, 0.6)
    ours = theirs.copy()
    better = np.flatnonzero(theirs[:, 2])[:12]  # one more entity found in twelve sentences
    ours[better] += [1, 0, -1]
    sure = paired_bootstrap([ours], [theirs])
    assert 0 < sure.low < sure.high and sure.p < 0.01
    unpaired = paired_bootstrap([rng.permutation(ours)], [theirs])
    assert unpaired.low < 0 < unpaired.high


def test_nothing_is_sure_of_two_that_are_the_same():
    rng = np.random.default_rng(2)
    table = counts(rng, 50, 0.6)
    assert paired_bootstrap([table], [table]) == (0.0, 0.0, 1.0)


def test_chance_is_called_a_difference_as_often_as_the_level_says():
    rng = np.random.default_rng(3)
    values = [
        paired_bootstrap([counts(rng, 60, 0.6)], [counts(rng, 60, 0.6)], seed=trial).p
        for trial in range(60)
    ]
    assert sum(p < 0.05 for p in values) <= 9  # 3 expected; more than 9 happens once in 500


def test_few_sentences_prove_nothing():
    rng = np.random.default_rng(4)
    ours, theirs = counts(rng, FEWEST_BLOCKS, 0.9), counts(rng, FEWEST_BLOCKS, 0.2)
    assert paired_bootstrap([ours], [theirs]).p < 0.01
    assert paired_bootstrap([ours[1:]], [theirs[1:]]) is None


def test_an_empty_prediction_is_no_error():
    nothing = np.array([[0, 0, 2]] * FEWEST_BLOCKS)
    everything = np.array([[2, 0, 0]] * FEWEST_BLOCKS)
    assert paired_bootstrap([everything], [nothing])[:2] == (1.0, 1.0)
    assert paired_bootstrap([everything], [nothing]).p == pytest.approx(2 / (RESAMPLES + 1))


def test_the_t_test_is_the_textbooks():
    values = [0.012, 0.020, 0.007]
    mean, deviation = np.mean(values), np.std(values, ddof=1)
    half = 4.302653 * deviation / math.sqrt(3)  # the t value of 2 degrees of freedom at 97.5%
    found = paired_t_test(values)
    assert found.low == pytest.approx(mean - half, abs=1e-6)
    assert found.high == pytest.approx(mean + half, abs=1e-6)
    t = mean / (deviation / math.sqrt(3))
    assert found.p == pytest.approx(1 - t / math.sqrt(2 + t * t), abs=1e-9)  # 2 degrees of freedom


def test_one_seed_or_no_spread_has_no_t_test_to_divide_by():
    assert paired_t_test([0.1]) is None
    assert paired_t_test([0.0, 0.0]) is None
    assert paired_t_test([0.3 - 0.1, 0.2, 0.2]) is None  # they differ by rounding


def test_a_summary_is_mean_and_sample_deviation():
    assert summarize([0.5, 0.7]) == pytest.approx((0.6, math.sqrt(0.02), 2))
    assert summarize([0.5]) == (0.5, None, 1)


def test_runs_are_compared_by_seed(tmp_path):
    study = make_study(tmp_path)
    better = [[3, 0, 0], [2, 0, 0]]
    ours = [record(study, configuration="joint", seed=seed, counts=better) for seed in (2, 3)]
    theirs = [record(study, seed=seed) for seed in (1, 2)]
    gain = compare(ours, theirs)
    assert gain.seeds == 1 and gain.over_seeds is None
    assert gain.mean == pytest.approx(1 - theirs[1]["test"]["f1"])
    assert compare(ours[1:], theirs) is None
