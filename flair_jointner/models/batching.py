"""Sentences of different lengths in one padded batch."""

from collections.abc import Sequence, Sized

import flair
import numpy as np
import torch
from torch import Tensor

from flair_jointner.layers import length_mask


def pad_indices(rows: Sequence[list[int]], padding: int = 0) -> Tensor:
    """Makes a padded batch of an index per token.

    Args:
        rows: The indices of each sentence.
        padding: What stands on padding.

    Returns:
        ``[batch, longest]`` long, on ``flair.device``.
    """
    longest = max(map(len, rows), default=0)
    filled = [row + [padding] * (longest - len(row)) for row in rows]
    # Through numpy, which reads lists in a quarter of the time.
    padded = np.array(filled, dtype=np.int64).reshape(len(rows), longest)
    return torch.from_numpy(padded).to(flair.device)


def token_mask(sentences: Sequence[Sized]) -> Tensor:
    """Marks the real tokens of a batch.

    Args:
        sentences: Non-empty sentences, or what else has their lengths.

    Returns:
        ``[batch, longest]`` bool, True for real tokens, on ``flair.device``.
    """
    return length_mask(torch.tensor(list(map(len, sentences)))).to(flair.device)
