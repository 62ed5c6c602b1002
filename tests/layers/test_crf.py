"""The CRF against brute force over every path, in float64."""

import itertools
import math

import pytest
import torch
from flair.data import Dictionary
from flair.models.sequence_tagger_utils.crf import CRF as FlairCRF
from flair.models.sequence_tagger_utils.viterbi import ViterbiLoss

from flair_jointner.layers import LinearChainCRF, length_mask
from flair_jointner.layers.crf import (
    ChainPosterior,
    ChainScores,
    log_partition,
    path_score,
    viterbi,
)

TAGS = 4
LENGTHS = [3, 1, 4]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(5)


def problem(scale: float = 1.0, garbage: float = 50.0):
    mask = length_mask(torch.tensor(LENGTHS), 5)
    emissions = scale * torch.randn(len(LENGTHS), 5, TAGS, dtype=torch.float64)
    emissions = emissions.masked_fill(~mask.unsqueeze(-1), garbage)
    chain = ChainScores(
        scale * torch.randn(TAGS, TAGS, dtype=torch.float64),
        scale * torch.randn(TAGS, dtype=torch.float64),
        scale * torch.randn(TAGS, dtype=torch.float64),
    )
    return emissions, mask, chain


def slow_score(emissions, chain, path) -> float:
    score = chain.initial[path[0]] + chain.final[path[-1]]
    score = score + sum(emissions[t, tag] for t, tag in enumerate(path))
    for before, after in itertools.pairwise(path):
        score = score + chain.transitions[after, before]
    return float(score)


def all_paths(emissions, chain, length):
    paths = itertools.product(range(TAGS), repeat=length)
    return {path: slow_score(emissions, chain, path) for path in paths}


def log_sum_exp(values) -> float:
    values = list(values)
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_the_partition_sums_over_every_path(scale):
    emissions, mask, chain = problem(scale)
    found = log_partition(emissions, mask, chain)
    for i, length in enumerate(LENGTHS):
        expected = log_sum_exp(all_paths(emissions[i], chain, length).values())
        assert found[i].item() == pytest.approx(expected, rel=1e-12)


def test_the_score_of_a_path_is_the_sum_of_its_parts():
    emissions, mask, chain = problem()
    tags = torch.randint(TAGS, mask.shape)
    found = path_score(emissions, tags, mask, chain)
    for i, length in enumerate(LENGTHS):
        expected = slow_score(emissions[i], chain, tuple(tags[i, :length].tolist()))
        assert found[i].item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_viterbi_finds_the_best_of_all_paths(scale):
    emissions, mask, chain = problem(scale)
    tags, scores = viterbi(emissions, mask, chain)
    for i, length in enumerate(LENGTHS):
        paths = all_paths(emissions[i], chain, length)
        best = max(paths, key=paths.__getitem__)
        assert tuple(tags[i, :length].tolist()) == best
        assert scores[i].item() == pytest.approx(paths[best], rel=1e-12)
        assert tags[i, length:].sum() == 0


def test_marginals_sum_the_paths_through_a_tag():
    emissions, mask, chain = problem()
    marginals = ChainPosterior(emissions, mask, chain).marginals()
    for i, length in enumerate(LENGTHS):
        paths = all_paths(emissions[i], chain, length)
        total = log_sum_exp(paths.values())
        for t, tag in itertools.product(range(length), range(TAGS)):
            through = [math.exp(s - total) for path, s in paths.items() if path[t] == tag]
            assert marginals[i, t, tag].item() == pytest.approx(sum(through), rel=1e-10)
        assert marginals[i, length:].abs().sum() == 0


@pytest.mark.parametrize("with_next_tags", [False, True])
def test_segment_posteriors_sum_the_paths_through_the_segment(with_next_tags):
    emissions, mask, chain = problem()
    posterior = ChainPosterior(emissions, mask, chain)
    cases = [
        (i, start, tags)
        for i, length in enumerate(LENGTHS)
        for start in range(length)
        for size in range(1, length - start + 1)
        for tags in list(itertools.product(range(TAGS), repeat=size))[::7]
    ]
    longest = max(len(tags) for _, _, tags in cases)
    allowed = torch.rand(len(cases), TAGS) < 0.5
    found = posterior.segments(
        torch.tensor([case[0] for case in cases]),
        torch.tensor([case[1] for case in cases]),
        torch.tensor([[*tags, *[0] * (longest - len(tags))] for _, _, tags in cases]),
        torch.tensor([len(tags) for _, _, tags in cases]),
        allowed if with_next_tags else None,
    )
    for number, (i, start, tags) in enumerate(cases):
        paths = all_paths(emissions[i], chain, LENGTHS[i])
        total = log_sum_exp(paths.values())
        end = start + len(tags)
        expected = sum(
            math.exp(score - total)
            for path, score in paths.items()
            if path[start:end] == tags
            and (not with_next_tags or end == len(path) or allowed[number, path[end]])
        )
        assert found[number].item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_forbidden_moves_are_never_taken_and_leave_no_nan():
    emissions, mask, chain = problem(1e4)
    forbidden = torch.zeros(TAGS, TAGS, dtype=torch.float64)
    forbidden[1, 0] = forbidden[2, 3] = float("-inf")
    zeros = torch.zeros(TAGS, dtype=torch.float64)
    chain = chain.plus(ChainScores(forbidden, zeros, zeros))
    tags, _ = viterbi(emissions, mask, chain)
    for i, length in enumerate(LENGTHS):
        moves = set(itertools.pairwise(tags[i, :length].tolist()))
        assert not moves & {(0, 1), (3, 2)}
    assert ChainPosterior(emissions, mask, chain).marginals().isfinite().all()


def crf_and_batch(num_tags=6, dtype=torch.float64):
    crf = LinearChainCRF(num_tags, num_tags - 2, num_tags - 1).to(dtype)
    mask = length_mask(torch.tensor([6, 6, 4, 2]))
    emissions = torch.randn(4, 6, num_tags, dtype=dtype)
    tags = torch.randint(num_tags - 2, (4, 6))
    return crf, emissions, tags, mask


def test_the_loss_and_its_gradients_are_those_of_flair():
    crf, emissions, tags, mask = crf_and_batch()
    dictionary = Dictionary(add_unk=False)
    for tag in ("O", "A", "B", "C"):
        dictionary.add_item(tag)
    dictionary.set_start_stop_tags()
    flair_crf = FlairCRF(dictionary, len(dictionary), init_from_state_dict=True).double()
    flair_crf.load_state_dict(crf.state_dict())
    theirs = emissions.clone().requires_grad_()
    lengths = mask.sum(1)
    targets = torch.cat([row[:n] for row, n in zip(tags, lengths.tolist(), strict=True)])
    flair_loss = ViterbiLoss(dictionary)(
        (flair_crf(theirs), lengths, flair_crf.transitions), targets
    )
    flair_loss.backward()
    ours = emissions.clone().requires_grad_()
    loss = crf(ours, tags, mask).sum()
    loss.backward()
    assert loss.item() == pytest.approx(flair_loss.item(), rel=1e-12)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(
        crf.transitions.grad, flair_crf.transitions.grad, rtol=1e-9, atol=1e-12
    )


def test_gradcheck():
    crf, emissions, tags, mask = crf_and_batch(5)

    def loss(emissions, transitions):
        chain = ChainScores(transitions, transitions[:, crf.start], transitions[crf.stop])
        score = path_score(emissions, tags.clamp(max=2), mask, chain)
        return log_partition(emissions, mask, chain) - score

    transitions = torch.randn(5, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        loss, (emissions.requires_grad_(), transitions.requires_grad_())
    )


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_a_long_sentence_in_float32_keeps_loss_and_gradients_finite(scale):
    crf = LinearChainCRF(8, 6, 7)
    emissions = (scale * torch.randn(2, 512, 8)).requires_grad_()
    tags = torch.randint(6, (2, 512))
    mask = length_mask(torch.tensor([512, 300]))
    loss = crf(emissions, tags, mask)
    loss.sum().backward()
    exact = LinearChainCRF(8, 6, 7).double()
    exact.load_state_dict(crf.state_dict())
    expected = exact(emissions.detach().double(), tags, mask)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-2)
    assert emissions.grad.isfinite().all()
    assert emissions.grad[1, 300:].abs().sum() == 0


def test_new_transitions_forbid_entering_start_and_leaving_stop():
    crf = LinearChainCRF(5, 3, 4)
    with torch.no_grad():
        crf.transitions.uniform_(-0.1, 0.1)
    crf.forbid_boundaries()
    tags, _ = crf.viterbi(torch.randn(3, 9, 5), torch.ones(3, 9, dtype=torch.bool))
    assert tags.max() < 3
    assert (
        crf.marginals(torch.zeros(1, 4, 5), torch.ones(1, 4, dtype=torch.bool))[..., 3:].max()
        < 1e-6
    )
