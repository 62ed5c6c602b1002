"""The best path through a chain (Viterbi, 1967)."""

import torch
from torch import Tensor

from flair_jointner.layers.chain import FORBIDDEN, ChainScores, path_score

_DENSE_TAGS = 48  # up to here looking at every predecessor is quicker than choosing some
_CANDIDATES = 8
_DENSE_NUMBERS = 4_000_000  # of [sentences, tags, tags] at a time


def viterbi(
    emissions: Tensor, mask: Tensor, chain: ChainScores, constraint: ChainScores | None = None
) -> tuple[Tensor, Tensor]:
    """The best path of each sentence and its score.

    Of many tags, paths are first sought among the most promising ones, and without the constraint:
    the best of all paths, where it is valid, is the best of the valid ones too. Sentences for which
    that does not prove to be the best path are searched again, through all tags.

    Args:
        emissions: ``[batch, tokens, tags]``.
        mask: ``[batch, tokens]`` bool, True for real tokens.
        chain: Scores of the chain.
        constraint: 0 where a path may go and -inf elsewhere; no constraint when None.

    Returns:
        Tags ``[batch, tokens]`` long, 0 on padding, and scores ``[batch]``.
    """
    valid = chain if constraint is None else chain.plus(constraint)
    if len(chain.initial) <= _DENSE_TAGS:
        tags = _search_all(emissions, mask, valid)
        return tags, path_score(emissions, tags, mask, valid)
    tags, certain = _search_candidates(emissions, mask, chain)
    scores = path_score(emissions, tags, mask, valid)
    again = (~certain | scores.isneginf()).nonzero().squeeze(1)
    if len(again):
        tags[again] = _search_all(emissions[again], mask[again], valid)
        scores[again] = path_score(emissions[again], tags[again], mask[again], valid)
    return tags, scores


def _search_all(emissions: Tensor, mask: Tensor, chain: ChainScores) -> Tensor:
    """Looks at every predecessor of every tag."""
    at_once = max(1, _DENSE_NUMBERS // len(chain.initial) ** 2)
    if len(mask) > at_once:
        chunks = zip(emissions.split(at_once), mask.split(at_once), strict=True)
        return torch.cat([_search_all(*chunk, chain) for chunk in chunks])
    # A maximum over the first dimension, the batch last, is ten times as fast as over the last.
    steps = emissions.permute(1, 2, 0).contiguous().unbind(0)  # [tags, batch] each
    moves = chain.transitions.t().unsqueeze(2).contiguous()  # [from, to, 1]
    bests = [chain.initial.unsqueeze(1) + steps[0]]
    for step in steps[1:]:
        bests.append((bests[-1].unsqueeze(1) + moves).amax(dim=0).add_(step))
    return _trace_back([best.t() for best in bests], mask, chain)


def _search_candidates(
    emissions: Tensor, mask: Tensor, chain: ChainScores
) -> tuple[Tensor, Tensor]:
    """Looks at the best few predecessors, and tells where that was enough.

    Let i* be the best tag of a step. A tag i that lies further behind it than
    max_j transitions[j, i] - min_j transitions[j, i*] cannot be on the best path to any tag j.

    Returns:
        Tags ``[batch, tokens]``, and which sentences had no further predecessor, ``[batch]`` bool.
    """
    steps = emissions.unbind(1)
    from_tag = chain.transitions.t().contiguous()  # [from, to]
    bests = [chain.initial + steps[0]]
    leaders, tops = [], []
    for step in steps[1:]:
        top, candidates = bests[-1].topk(_CANDIDATES, dim=1)  # [batch, candidates]
        reached = from_tag[candidates].add_(top.unsqueeze(2))  # [batch, candidates, tags]
        bests.append(reached.amax(dim=1).add_(step))
        leaders.append(candidates[:, 0])
        tops.append(top[:, 0])
    certain = torch.ones(len(mask), dtype=torch.bool, device=mask.device)
    if leaders:
        # A tag that nothing may enter (START) is no tag to go to.
        enterable = chain.transitions.amax(1) > FORBIDDEN / 2
        onward = chain.transitions[enterable]
        most, least = onward.amax(0), onward.amin(0)  # [from]
        behind = torch.stack(tops).unsqueeze(2) - torch.stack(bests[:-1])  # [tokens - 1, b, tags]
        needed = behind <= most - least[torch.stack(leaders)].unsqueeze(2)
        certain = ((needed.sum(2) <= _CANDIDATES) | ~mask.t()[1:]).all(0)
    return _trace_back(bests, mask, chain), certain


def _trace_back(bests: list[Tensor], mask: Tensor, chain: ChainScores) -> Tensor:
    """Finds the predecessors on the best path alone, from its end.

    Args:
        bests: Score of the best path to each tag, per token: T tensors ``[batch, tags]``.
        mask: ``[batch, tokens]`` bool, True for real tokens.
        chain: Scores of the chain.

    Returns:
        Tags ``[batch, tokens]`` long, 0 on padding.
    """
    lengths = mask.sum(1)
    last = torch.stack(bests)[lengths - 1, torch.arange(len(mask), device=mask.device)]
    tag = last_tag = (last + chain.final).argmax(1)  # [batch]
    tags = [tag]
    for place in range(len(bests) - 2, -1, -1):
        before = (bests[place] + chain.transitions[tag]).argmax(1)
        tag = torch.where(lengths - 1 > place, before, last_tag)
        tags.append(tag)
    return torch.stack(tags[::-1], dim=1).masked_fill(~mask, 0)
