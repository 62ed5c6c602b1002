"""How sure a difference between two configurations is."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from flair_jointner.studies.records import Record

Numbers = np.ndarray

CONFIDENCE = 0.95
RESAMPLES = 2_000
FEWEST_BLOCKS = 30
"""With fewer, the bootstrap calls chance a difference more often than its level says."""


class Summary(NamedTuple):
    """A score over seeds.

    Attributes:
        mean: Mean, a fraction.
        deviation: Standard deviation of a sample; None for one seed.
        seeds: How many there are.
    """

    mean: float
    deviation: float | None
    seeds: int


class Interval(NamedTuple):
    """A 95% confidence interval of a difference, and how likely it comes from chance.

    Attributes:
        low: Lower end, a fraction.
        high: Upper end.
        p: Two-sided p-value of no difference.
    """

    low: float
    high: float
    p: float


class Gain(NamedTuple):
    """The test F1 of a configuration minus that of another.

    Attributes:
        mean: Mean over the seeds that both have, a fraction.
        seeds: How many those are.
        over_sentences: Paired bootstrap over blocks of test sentences; None for too few.
        over_seeds: Paired t-test over seeds; None for less than two.
    """

    mean: float
    seeds: int
    over_sentences: Interval | None
    over_seeds: Interval | None


def summarize(values: Sequence[float]) -> Summary:
    """Mean and standard deviation.

    Args:
        values: A score for each seed.

    Returns:
        The summary.
    """
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Summary(float(np.mean(values)), deviation, len(values))


def compare(records: Sequence[Record], baseline: Sequence[Record]) -> Gain | None:
    """Compares the runs of two configurations on the same data.

    Two tests, because each leaves something out: over seeds, the test sentences are taken as
    given; over sentences, the trained models are.

    Args:
        records: Runs of one.
        baseline: Runs of the other.

    Returns:
        The gain; None if no seed is in both.
    """
    by_seed = {record["seed"]: record for record in baseline}
    pairs = [(one, by_seed[one["seed"]]) for one in records if one["seed"] in by_seed]
    if not pairs:
        return None
    differences = [one["test"]["f1"] - other["test"]["f1"] for one, other in pairs]
    counts = [[np.array(run["test"]["counts"]) for run in pair] for pair in pairs]
    return Gain(
        float(np.mean(differences)),
        len(pairs),
        paired_bootstrap([one for one, _ in counts], [other for _, other in counts]),
        paired_t_test(differences),
    )


def paired_bootstrap(
    ours: Sequence[Numbers], theirs: Sequence[Numbers], seed: int = 1
) -> Interval | None:
    """The paired bootstrap over test sentences (Koehn, 2004), drawn in blocks of neighbours.

    Blocks are drawn with replacement, the same for all runs; each time the micro F1 of every run is
    computed anew, and its mean over the seeds is compared. Neighbouring sentences are often alike,
    and drawn one by one they would count as more evidence than they are (Carlstein, 1986).

    Args:
        ours: For each seed ``[blocks, 3]``: true positives, false positives, false negatives.
        theirs: The same of the other configuration.
        seed: Draws the blocks.

    Returns:
        The percentile interval of ours minus theirs; None for less than :data:`FEWEST_BLOCKS`. p is
        twice the share of resamples on the smaller side of zero, the observed data counted among
        them.
    """
    runs = len(ours)
    if len(ours[0]) < FEWEST_BLOCKS:
        return None
    # F1 is 2 tp / (2 tp + fp + fn): two numbers of a block are enough
    tables = [2 * table[:, 0] for table in (*ours, *theirs)]
    tables += [2 * table[:, 0] + table[:, 1] + table[:, 2] for table in (*ours, *theirs)]

    def difference(*numbers: Numbers, axis: int) -> Numbers:
        totals = [values.sum(axis=axis) for values in numbers]
        scores = [
            top / np.maximum(bottom, 1)
            for top, bottom in zip(totals[: 2 * runs], totals[2 * runs :], strict=True)
        ]
        return np.mean(scores[:runs], axis=0) - np.mean(scores[runs:], axis=0)

    found = stats.bootstrap(
        tables,
        difference,
        paired=True,
        vectorized=True,
        axis=0,
        n_resamples=RESAMPLES,
        batch=100,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    drawn = found.bootstrap_distribution
    smaller = min((drawn <= 0).sum(), (drawn >= 0).sum())
    p = min(1.0, 2 * (smaller + 1) / (RESAMPLES + 1))
    low, high = found.confidence_interval
    return Interval(float(low), float(high), float(p))


_NO_SPREAD = 1e-12  # rounding of scores in [0, 1]


def paired_t_test(differences: Sequence[float]) -> Interval | None:
    """Student's paired t-test over seeds.

    Args:
        differences: Ours minus theirs, for each seed.

    Returns:
        Interval and p-value; None for less than two seeds, and where the differences are the same
        for all: the test divides by their spread.
    """
    if len(differences) < 2 or max(differences) - min(differences) < _NO_SPREAD:
        return None
    found: Any = stats.ttest_1samp(differences, 0.0)
    low, high = found.confidence_interval(CONFIDENCE)
    return Interval(float(low), float(high), float(found.pvalue))
