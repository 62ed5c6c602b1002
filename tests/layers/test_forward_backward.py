"""The three recursions against every path and each other, and which of them is taken."""

import itertools
import math

import pytest
import torch
from chains import LENGTHS, TAGS, all_paths, log_sum_exp, problem

from flair_jointner.layers.chain import FORBIDDEN, ChainScores
from flair_jointner.layers.chain_weights import ChainWeights
from flair_jointner.layers.forward_backward import MixedPasses, log_partition, run_passes
from flair_jointner.layers.log_passes import LogPasses
from flair_jointner.layers.packing import Packing
from flair_jointner.layers.scaled_passes import ScaledPasses


def scaled(emissions, packing, weights):
    spread = float((emissions.max(1).values - emissions.min(1).values).max())
    return ScaledPasses(emissions, packing, weights, spread, torch.float64)


def logarithmic(emissions, packing, weights):
    return LogPasses(emissions, packing, weights.scores)


RECURSIONS = {"scaled": scaled, "log": logarithmic, "chosen": run_passes}


def packed(emissions, mask):
    packing = Packing(mask.sum(1))
    return packing.pack(emissions), packing


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("recursion", RECURSIONS)
def test_each_recursion_sums_over_every_path(recursion, scale):
    emissions, mask, chain = problem(scale)
    flat, packing = packed(emissions, mask)
    passes = RECURSIONS[recursion](flat, packing, ChainWeights(chain))
    weights = torch.rand(len(LENGTHS), dtype=torch.float64)
    transitions = torch.zeros(TAGS, TAGS, dtype=torch.float64)
    marginals = torch.zeros_like(emissions)
    totals = packing.restore(passes.log_partition)
    for i, length in enumerate(LENGTHS):
        paths = all_paths(emissions[i], chain, length)
        total = log_sum_exp(paths.values())
        assert totals[i].item() == pytest.approx(total, rel=1e-12)
        for path, score in paths.items():
            share = math.exp(score - total)
            for place, tag in enumerate(path):
                marginals[i, place, tag] += share
            for before, after in itertools.pairwise(path):
                transitions[after, before] += weights[i] * share
    found = packing.pad(passes.marginals(), mask.size(1))
    torch.testing.assert_close(found, marginals, rtol=1e-9, atol=1e-14)
    found = passes.expected_transitions(weights[packing.order])
    torch.testing.assert_close(found, transitions, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("recursion", RECURSIONS)
def test_forward_and_backward_scores_sum_what_comes_before_and_after(recursion):
    emissions, mask, chain = problem()
    flat, packing = packed(emissions, mask)
    passes = RECURSIONS[recursion](flat, packing, ChainWeights(chain))
    sentences, places = mask.nonzero(as_tuple=True)
    tokens = packing.find(sentences, places)
    forward, backward = passes.log_forward(tokens), passes.log_backward(tokens)
    for row, (i, place) in enumerate(zip(sentences.tolist(), places.tolist(), strict=True)):
        paths = all_paths(emissions[i], chain, LENGTHS[i])
        for tag in range(TAGS):
            through = [score for path, score in paths.items() if path[place] == tag]
            found = float(forward[row, tag] + backward[row, tag])
            assert found == pytest.approx(log_sum_exp(through), rel=1e-11)
        ahead = log_sum_exp(all_paths(emissions[i], no_ends(chain), place + 1).values())
        assert float(forward[row].logsumexp(0)) == pytest.approx(ahead, rel=1e-11)


def no_ends(chain):
    return ChainScores(chain.transitions, chain.initial, torch.zeros_like(chain.final))


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("scale", [1.0, 60.0, 1e4])
def test_the_forward_pass_alone_gives_the_log_partition(scale, scaled):
    emissions, packing, chain = random_batch(scale)
    weights = ChainWeights(chain)
    found = log_partition(emissions, packing, weights, scaled)
    expected = run_passes(emissions, packing, weights, scaled).log_partition
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-4)


def test_what_needs_the_backward_pass_is_not_made_up_without_it():
    emissions, packing, chain = random_batch(1.0)
    weights = ChainWeights(chain)
    forward = ScaledPasses(emissions, packing, weights, 10.0, torch.float32, backward=False)
    with pytest.raises(AttributeError):
        forward.marginals()


def random_batch(scale, num_tags=7, dtype=torch.float32, tokens=60):
    lengths = torch.randint(1, tokens + 1, (8,))
    emissions = scale * torch.randn(int(lengths.sum()), num_tags, dtype=dtype)
    chain = ChainScores(
        torch.randn(num_tags, num_tags, dtype=dtype),
        torch.randn(num_tags, dtype=dtype),
        torch.randn(num_tags, dtype=dtype),
    )
    return emissions, Packing(lengths), chain


@pytest.mark.parametrize("scale", [1.0, 5.0, 8.0, 15.0, 60.0, 300.0, 1e4])
def test_the_chosen_recursion_is_as_exact_as_logarithms_in_float64(scale):
    assert_as_exact(*random_batch(scale), marginals=3e-5)


def assert_as_exact(emissions, packing, chain, marginals):
    passes = run_passes(emissions, packing, ChainWeights(chain))
    double = ChainScores(*(part.double() for part in chain))
    exact = LogPasses(emissions.double(), packing, double)
    torch.testing.assert_close(passes.log_partition, exact.log_partition, rtol=1e-6, atol=1e-4)
    found = passes.marginals().double()
    torch.testing.assert_close(found, exact.marginals(), rtol=0, atol=marginals)
    weights = torch.rand(len(packing.lengths))
    torch.testing.assert_close(
        passes.expected_transitions(weights).double(),
        exact.expected_transitions(weights.double()),
        rtol=1e-3,
        atol=1e-4,
    )


def test_wider_scores_take_wider_numbers_and_then_logarithms():
    emissions, packing, chain = random_batch(1.0)
    wide = emissions.clone()
    wide[packing.sentence == 1] *= 40
    wide[packing.sentence == 2] *= 1e4
    passes = run_passes(wide, packing, ChainWeights(chain))
    assert isinstance(passes, MixedPasses)
    kinds = [type(part) for part in passes._passes]
    assert kinds == [ScaledPasses, ScaledPasses, LogPasses]


def test_numbers_that_matter_never_underflow():
    """A path that is bad at first and good later: plain float32 probabilities lose it."""
    tokens = 40
    emissions = torch.zeros(tokens, 2)
    emissions[: tokens // 2, 1] = -6.0
    emissions[tokens // 2 :, 1] = 6.5
    packing = Packing(torch.tensor([tokens]))
    for barrier in (-20.0, -60.0, -200.0, -1e3, float("-inf")):
        transitions = torch.tensor([[0.0, barrier], [barrier, 0.0]])
        chain = ChainScores(transitions, torch.zeros(2), torch.zeros(2))
        passes = run_passes(emissions, packing, ChainWeights(chain))
        double = ChainScores(*(part.double() for part in chain))
        exact = LogPasses(emissions.double(), packing, double)
        torch.testing.assert_close(
            passes.log_partition.double(), exact.log_partition, rtol=1e-6, atol=0
        )
        torch.testing.assert_close(
            passes.marginals().double(), exact.marginals(), atol=1e-5, rtol=0
        )


@pytest.mark.parametrize("num_tags", [2, 6])
def test_with_a_floor_what_underflow_spoils_is_told_apart(num_tags):
    """Two groups of tags with a barrier between them: one is likely at first, the other later."""
    told = {True: 0, False: 0}
    side = 2.0 * (torch.arange(num_tags) % 2) - 1
    for seed in range(40):
        torch.manual_seed(seed)
        emissions, packing, chain = random_batch(1.0, num_tags, tokens=30)
        emissions += 3 * side * torch.sign(packing.position - 10.0).unsqueeze(1)
        across = side != side.unsqueeze(1)
        chain.transitions[across] -= 8.0 * seed
        chain.transitions[across & (torch.rand(num_tags, num_tags) < 0.2)] = FORBIDDEN
        passes = ScaledPasses(emissions, packing, ChainWeights(chain), None, torch.float32)
        exact = passes.exact()
        for verdict in exact.tolist():
            told[verdict] += 1
        if not exact.any():
            continue
        known = LogPasses(emissions, packing, chain)
        kept, tokens = passes.of(exact), packing.subset(exact)[1]
        torch.testing.assert_close(
            kept.log_partition, known.log_partition[exact], rtol=1e-6, atol=1e-4
        )
        torch.testing.assert_close(kept.marginals(), known.marginals()[tokens], rtol=0, atol=1e-4)
        for name in ("log_forward", "log_backward"):
            found, sure = getattr(kept, name)(torch.arange(len(tokens))), known.marginals()[tokens]
            likely = sure > 1e-3
            torch.testing.assert_close(
                found[likely], getattr(known, name)(tokens)[likely], rtol=1e-6, atol=1e-4
            )
    assert min(told.values()) > 10, "the test shows nothing"


def test_tags_that_cannot_be_entered_or_left_have_no_share():
    emissions, packing, chain = random_batch(2.0)
    chain.transitions[5, :] = chain.initial[5] = FORBIDDEN  # like START
    chain.transitions[:, 6] = chain.final[6] = FORBIDDEN  # like STOP
    emissions[:, 5:] += 20.0
    passes = run_passes(emissions, packing, ChainWeights(chain))
    assert isinstance(passes, ScaledPasses)
    exact = LogPasses(emissions, packing, chain)
    assert passes.marginals()[:, 5:].max() == 0
    torch.testing.assert_close(passes.log_partition, exact.log_partition, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("spread", [30.0, None])
def test_a_floor_leaves_dead_tags_without_a_path(spread):
    emissions, packing, chain = random_batch(1.0)
    chain.transitions[5, :] = chain.initial[5] = FORBIDDEN  # like START
    passes = ScaledPasses(emissions, packing, ChainWeights(chain), spread, torch.float32)
    every = torch.arange(len(emissions))
    assert passes.log_forward(every)[:, 5].isneginf().all()
    assert not passes.marginals()[:, 5].any()


@pytest.mark.parametrize("num_tags", [60, 200, 400])
def test_many_tags(num_tags):
    assert_as_exact(*random_batch(2.0, num_tags, tokens=12), marginals=1e-5)


def test_a_distribution_without_any_path_goes_to_logarithms():
    emissions, packing, chain = random_batch(1.0)
    closed = chain._replace(initial=torch.full_like(chain.initial, float("-inf")))
    passes = run_passes(emissions, packing, ChainWeights(closed))
    assert passes.log_partition.isneginf().all()
