"""Marginals and segment posteriors against the sum over every path."""

import itertools
import math

import pytest
import torch
from chains import LENGTHS, TAGS, all_paths, log_sum_exp, problem

from flair_jointner.layers.chain import ChainScores
from flair_jointner.layers.posterior import ChainPosterior


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_the_partition_sums_over_every_path(scale):
    emissions, mask, chain = problem(scale)
    found = ChainPosterior(emissions, mask, chain).log_partition
    for i, length in enumerate(LENGTHS):
        expected = log_sum_exp(all_paths(emissions[i], chain, length).values())
        assert found[i].item() == pytest.approx(expected, rel=1e-12)


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


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_majority_paths_are_those_with_more_than_half_of_the_probability(scale):
    emissions, mask, chain = problem(scale)
    tags, found = ChainPosterior(emissions, mask, chain).majority_paths()
    assert tags[~mask].eq(0).all()
    for i, length in enumerate(LENGTHS):
        paths = all_paths(emissions[i], chain, length)
        best = max(paths, key=paths.__getitem__)
        share = math.exp(paths[best] - log_sum_exp(paths.values()))
        assert found[i].item() == (share > 0.51)
        if found[i]:
            assert tuple(tags[i, :length].tolist()) == best


def test_forbidden_moves_have_no_share_and_leave_no_nan():
    emissions, mask, chain = problem(1e4)
    forbidden = torch.zeros(TAGS, TAGS, dtype=torch.float64)
    forbidden[1, 0] = forbidden[2, 3] = float("-inf")
    zeros = torch.zeros(TAGS, dtype=torch.float64)
    marginals = ChainPosterior(
        emissions, mask, chain.plus(ChainScores(forbidden, zeros, zeros))
    ).marginals()
    sums = marginals.sum(2)
    torch.testing.assert_close(sums, mask.double())
