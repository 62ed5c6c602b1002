"""What a batch of padded sentences needs: masks, and reductions that padding cannot reach."""

import torch
from torch import Tensor


def length_mask(lengths: Tensor, max_length: int | None = None) -> Tensor:
    """Marks the real tokens of a padded batch.

    Args:
        lengths: Numbers of tokens, ``[batch]``.
        max_length: Length of the padded sentences; that of the longest one when None.

    Returns:
        ``[batch, max_length]`` bool, True where there is a token.
    """
    size = int(lengths.max()) if max_length is None else max_length
    return torch.arange(size, device=lengths.device) < lengths.unsqueeze(1)


def masked_max(states: Tensor, mask: Tensor) -> Tensor:
    """Max-pools each sentence over its real tokens (Collobert et al., 2011).

    Args:
        states: ``[batch, tokens, hidden]``.
        mask: ``[batch, tokens]`` bool, True for real tokens; each sentence has at least one.

    Returns:
        ``[batch, hidden]``.
    """
    return states.masked_fill(~mask.unsqueeze(-1), float("-inf")).amax(dim=1)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last dimension that gives padding no weight.

    Args:
        scores: ``[..., tokens]``; any on padding.
        mask: Bool that broadcasts to the scores, True for real tokens.

    Returns:
        The weights, of the shape of the scores. A row that is masked throughout (an empty sentence)
        gets zeros, not NaN.
    """
    lowest = torch.finfo(scores.dtype).min  # finite, for rows that are masked throughout
    return torch.softmax(scores.masked_fill(~mask, lowest), dim=-1).masked_fill(~mask, 0.0)
