"""The best path: against every path, and the pruned search against the full one."""

import itertools

import pytest
import torch
from chains import LENGTHS, all_paths, problem

from flair_jointner.layers import length_mask
from flair_jointner.layers.chain import ChainScores, path_score
from flair_jointner.layers.viterbi import _search_all, _search_candidates, viterbi


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


def test_forbidden_moves_are_never_taken():
    emissions, mask, chain = problem(1e4)
    forbidden = torch.zeros_like(chain.transitions)
    forbidden[1, 0] = forbidden[2, 3] = float("-inf")
    constraint = ChainScores(forbidden, 0 * chain.initial, 0 * chain.final)
    tags, scores = viterbi(emissions, mask, chain, constraint)
    for i, length in enumerate(LENGTHS):
        moves = set(itertools.pairwise(tags[i, :length].tolist()))
        assert not moves & {(0, 1), (3, 2)}
    assert scores.isfinite().all()


def many_tags(num_tags=80, spread=1.0, batch=12, tokens=15):
    lengths = torch.randint(1, tokens + 1, (batch,))
    emissions = 3 * torch.randn(batch, tokens, num_tags)
    chain = ChainScores(
        spread * torch.randn(num_tags, num_tags),
        spread * torch.randn(num_tags),
        spread * torch.randn(num_tags),
    )
    return emissions, length_mask(lengths, tokens), chain


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("forbid", [False, True])
def test_of_many_tags_the_best_path_is_that_of_the_full_search(spread, forbid):
    emissions, mask, chain = many_tags(spread=spread)
    constraint = None
    if forbid:
        allowed = torch.rand_like(chain.transitions) < 0.5
        penalty = torch.zeros_like(chain.transitions).masked_fill(~allowed, float("-inf"))
        constraint = ChainScores(penalty, 0 * chain.initial, 0 * chain.final)
    tags, scores = viterbi(emissions, mask, chain, constraint)
    valid = chain.plus(constraint) if forbid else chain
    expected = _search_all(emissions, mask, valid)
    assert torch.equal(tags, expected)
    torch.testing.assert_close(scores, path_score(emissions, expected, mask, valid))


def test_the_pruned_search_knows_where_it_was_not_enough():
    emissions, mask, chain = many_tags(spread=0.3)
    emissions[::2] *= 0.01  # here all tags lie close together
    tags, certain = _search_candidates(emissions, mask, chain)
    expected = _search_all(emissions, mask, chain)
    assert certain.any() and not certain.all()
    assert torch.equal(tags[certain], expected[certain])


def test_a_tag_that_nothing_enters_does_not_spoil_the_pruning():
    emissions, mask, chain = many_tags(spread=0.3)
    emissions *= 5
    chain.transitions[7] = -10_000.0
    _, certain = _search_candidates(emissions, mask, chain)
    assert certain.any()
