"""Scores of the paths of a linear chain of tags.

A path y₁ … y_T over T tokens scores

    initial[y₁] + Σ_t emissions[t, y_t] + Σ_{t>1} transitions[y_t, y_{t-1}] + final[y_T].

All functions over chains take batches of padded sentences with a mask; each sentence has at least
one token. None builds a tensor of ``[batch, tokens, tags, tags]``, and none reads padding.
"""

from typing import NamedTuple

import torch
from torch import Tensor

FORBIDDEN = -10_000.0
"""Flair's score of a forbidden transition; shared, so that weights load in both directions."""


def at_least_float32(scores: Tensor) -> Tensor:
    """Casts 16-bit scores to float32, which sums over the tokens of a sentence need.

    Args:
        scores: Of any shape.

    Returns:
        The scores in float32, or in float64 where they are.
    """
    return scores if scores.dtype in (torch.float32, torch.float64) else scores.float()


class ChainScores(NamedTuple):
    """The part of a path's score that does not depend on the tokens.

    Attributes:
        transitions: ``[tags, tags]``, indexed ``[to, from]``.
        initial: ``[tags]``, score of beginning with a tag.
        final: ``[tags]``, score of ending with a tag.
    """

    transitions: Tensor
    initial: Tensor
    final: Tensor

    def plus(self, other: "ChainScores") -> "ChainScores":
        """Adds the scores of another chain, for example a constraint of 0 and -inf."""
        return ChainScores(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def to(self, like: Tensor) -> "ChainScores":
        """The same scores with the type and on the device of another tensor."""
        return ChainScores(*(part.to(like) for part in self))


def path_score(emissions: Tensor, tags: Tensor, mask: Tensor, chain: ChainScores) -> Tensor:
    """Score of one path per sentence.

    Args:
        emissions: ``[batch, tokens, tags]``.
        tags: ``[batch, tokens]`` long; any valid index on padding.
        mask: ``[batch, tokens]`` bool, True for real tokens.
        chain: Scores of the chain.

    Returns:
        ``[batch]``.
    """
    chosen = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)  # [batch, tokens]
    moves = chain.transitions[tags[:, 1:], tags[:, :-1]]  # [batch, tokens - 1]
    last = tags.gather(1, mask.sum(1, keepdim=True) - 1).squeeze(1)  # [batch]
    return (
        chosen.masked_fill(~mask, 0.0).sum(1)
        + moves.masked_fill(~mask[:, 1:], 0.0).sum(1)
        + chain.initial[tags[:, 0]]
        + chain.final[last]
    )
