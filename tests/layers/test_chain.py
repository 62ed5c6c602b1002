"""The score of a path."""

import pytest
import torch
from chains import LENGTHS, TAGS, problem, slow_score

from flair_jointner.layers.chain import path_score


def test_the_score_of_a_path_is_the_sum_of_its_parts():
    emissions, mask, chain = problem()
    tags = torch.randint(TAGS, mask.shape)
    found = path_score(emissions, tags, mask, chain)
    for i, length in enumerate(LENGTHS):
        expected = slow_score(emissions[i], chain, tuple(tags[i, :length].tolist()))
        assert found[i].item() == pytest.approx(expected, rel=1e-12)
