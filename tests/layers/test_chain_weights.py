"""What the weights of a chain say about the numbers of a recursion over it."""

import itertools
import math

import pytest
import torch

from flair_jointner.layers.chain import FORBIDDEN, ChainScores
from flair_jointner.layers.chain_weights import ChainWeights

TAGS = 5


def random_chain(scale=1.0):
    return ChainScores(*(scale * torch.randn(*size) for size in [(TAGS, TAGS), (TAGS,), (TAGS,)]))


def test_factors_are_the_exponentiated_scores():
    chain = random_chain()
    for (factors, top), scores in zip(
        ChainWeights(chain).factors(torch.float64), chain, strict=True
    ):
        assert factors.max() == 1.0
        torch.testing.assert_close(factors.log() + top, scores.double())


def test_tags_that_cannot_be_entered_or_left_are_dead_and_have_no_factor():
    chain = random_chain()
    chain.transitions[3, :] = chain.initial[3] = FORBIDDEN  # like START
    chain.transitions[:, 4] = chain.final[4] = -math.inf  # like STOP
    weights = ChainWeights(chain)
    assert weights.dead.tolist() == [3, 4]
    for factors, _ in weights.factors(torch.float32):
        assert not factors[3:].any() and (factors.dim() == 1 or not factors[:, 3:].any())


def test_wider_types_hold_wider_emissions_and_half_precision_none():
    weights = ChainWeights(random_chain())
    assert 5.0 < weights.widest_safe(torch.float32) < 100.0
    assert 100.0 < weights.widest_safe(torch.float64) < 1e3
    assert weights.widest_safe(torch.bfloat16) == weights.widest_exact(torch.bfloat16) == -math.inf


def test_the_wider_the_chain_the_less_is_left_for_emissions():
    torch.manual_seed(0)
    chain = random_chain()
    widths = [
        ChainWeights(ChainScores(*(scale * part for part in chain))).widest_safe(torch.float32)
        for scale in (1.0, 4.0, 10.0)
    ]
    assert widths == sorted(widths, reverse=True) and widths[0] > widths[2]


def test_wider_emissions_are_rescaled_more_often():
    weights = ChainWeights(random_chain(0.1))
    widest = weights.widest_safe(torch.float32)
    intervals = [
        weights.rescaling_interval(share * widest, torch.float32) for share in (0.0, 0.5, 0.9, 1.0)
    ]
    assert intervals == sorted(intervals, reverse=True)
    assert intervals[0] > 2 and intervals[-1] == 1


@pytest.mark.parametrize("scale", [0.3, 2.0])
@pytest.mark.parametrize("forbidden", [False, True])
def test_numbers_of_a_step_stay_as_close_as_the_bound_says(scale, forbidden):
    """The bound in the docstring, against the recursion in float64 with the worst emissions."""
    torch.manual_seed(1)
    chain = random_chain(scale)
    if forbidden:
        chain.transitions[0, 1] = chain.transitions[2, 3] = FORBIDDEN
    weights = ChainWeights(chain)
    spread = 3.0
    steps = 2 if forbidden else 1
    allowed = chain.transitions[chain.transitions > FORBIDDEN]
    step = spread + float(allowed.max() - allowed.min()) + math.log(TAGS)
    matrix, edges = weights.factors(torch.float64)[0][0], weights.factors(torch.float64)[1][0]
    for pattern in itertools.product([0, 1], repeat=TAGS):
        factors = torch.exp(-spread * torch.tensor(pattern, dtype=torch.float64))
        state = edges * factors
        for _ in range(6):
            state = (matrix @ state) * factors
        assert float(state.max().log() - state.min().log()) <= steps * step + spread


def test_nothing_is_safe_where_there_is_no_path_or_no_way_between_two_groups():
    closed = random_chain()._replace(initial=torch.full((TAGS,), -math.inf))
    apart = random_chain()
    apart.transitions[:2, 2:] = apart.transitions[2:, :2] = FORBIDDEN
    for chain in (closed, apart):
        assert ChainWeights(chain).widest_safe(torch.float64) == -math.inf
