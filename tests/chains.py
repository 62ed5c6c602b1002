"""Small chains, and the slow way to everything: the enumeration of every path, in float64."""

import itertools
import math

import torch

from flair_jointner.layers import length_mask
from flair_jointner.layers.chain import ChainScores

TAGS = 4
LENGTHS = [3, 1, 4]


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
