"""Neural layers in pure torch: tensors in, tensors out. Nothing here knows Flair."""

from flair_jointner.layers.attention import MultiHeadSelfAttention, SoftAttention
from flair_jointner.layers.crf import LinearChainCRF
from flair_jointner.layers.masking import length_mask, masked_max

__all__ = [
    "LinearChainCRF",
    "MultiHeadSelfAttention",
    "SoftAttention",
    "length_mask",
    "masked_max",
]
