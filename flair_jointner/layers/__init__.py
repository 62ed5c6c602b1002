"""Neural layers in pure torch: tensors in, tensors out. Nothing here knows Flair."""

from flair_jointner.layers.adversary import (
    GradientReversal,
    ResourceDiscriminator,
    grad_loss,
    grad_loss_from_logits,
)
from flair_jointner.layers.attention import MultiHeadSelfAttention, SoftAttention
from flair_jointner.layers.crf import LinearChainCRF
from flair_jointner.layers.masking import length_mask, masked_max

__all__ = [
    "GradientReversal",
    "LinearChainCRF",
    "MultiHeadSelfAttention",
    "ResourceDiscriminator",
    "SoftAttention",
    "grad_loss",
    "grad_loss_from_logits",
    "length_mask",
    "masked_max",
]
