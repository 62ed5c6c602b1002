"""The resource-adversarial discriminator of DATNet (Zhou et al., 2019, section 3.3).

It learns to tell sentences of the source (the resource with many annotations) from those of the
target, while the layers below it learn that it cannot.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from flair_jointner.layers.masking import masked_softmax
from flair_jointner.layers.matmul import linear


class GradientReversal(nn.Module):
    """The identity forward; multiplies the gradient by -rate backward (Ganin and Lempitsky, 2015).

    What stands above minimises its loss, and what stands below maximises it, in one backward pass
    (section 3.3: gradients that leave the classifier "are negated").

    Attributes:
        straight: Whether gradients pass as they are; see :func:`straight_gradients`.
    """

    def __init__(self, rate: float = 1.0) -> None:
        """Makes the layer.

        Args:
            rate: What the negated gradient is multiplied by.

        Raises:
            ValueError: If the rate is negative or not finite.
        """
        super().__init__()
        self.rate = rate
        self.straight = False

    @property
    def rate(self) -> float:
        """What the negated gradient is multiplied by; it can be set between two steps."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        if not (math.isfinite(rate) and rate >= 0):
            raise ValueError(
                f"The rate of a gradient reversal is {rate}: it has to be a finite number from 0 "
                "on; 1 reverses the gradient, 0 stops it."
            )
        self._rate = float(rate)

    def forward(self, states: Tensor) -> Tensor:
        """Gives the states back.

        Args:
            states: Of any shape.

        Returns:
            The same values; their gradient reaches what made them times -rate.
        """
        return _Reverse.apply(states, self, self.rate)

    def extra_repr(self) -> str:
        """The rate, for ``print``."""
        return f"rate={self.rate}"


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, layer: GradientReversal, rate: float) -> Tensor:
        ctx.layer, ctx.rate = layer, rate
        return states.view_as(states)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        factor = 1.0 if ctx.layer.straight else -ctx.rate
        return factor * gradients[0], None, None


@contextmanager
def straight_gradients(model: nn.Module) -> Iterator[list[GradientReversal]]:
    """Within it, gradient reversals of a model let gradients pass as they are.

    A reversed gradient is no gradient of the loss, but a direction for updates ("negated for
    parameter updates", section 3.3). Adversarial training needs the true gradient.

    Args:
        model: A model that may hold reversals.

    Yields:
        Those that it holds.
    """
    layers = [module for module in model.modules() if isinstance(module, GradientReversal)]
    for layer in layers:
        layer.straight = True
    try:
        yield layers
    finally:
        for layer in layers:
            layer.straight = False


class ResourceDiscriminator(nn.Module):
    """Whether a sentence comes from the source, told from the hidden states of its tokens.

    A self-attention makes one vector of a sentence, and a linear layer a scalar of the vector. The
    paper gives no formula for the attention but cites Bahdanau et al. (2015); without a decoder
    state to compare with, their score of a token is v · tanh(W h + b).

    Eq. 1 takes the logarithm of r and of 1 - r, so r has to be a probability, but the paper makes
    it with a linear layer alone: a sigmoid is meant. The layer gives the logit, r before the
    sigmoid: a probability that has been rounded to 0 or 1 would have no gradient left just where
    the discriminator is most wrong. Train with :func:`grad_loss_from_logits`; ``logits.sigmoid()``
    is the probability.

    Attributes:
        reversal: Stands between the hidden states and all other layers.
        projection: W and b of the attention.
        score: v of the attention.
        output: The linear layer from a sentence's vector to r.
    """

    def __init__(self, hidden_size: int, reversal_rate: float = 1.0) -> None:
        """Makes the layer.

        Args:
            hidden_size: Size of a hidden state.
            reversal_rate: What the negated gradient is multiplied by on its way to the encoder;
                1 is the paper's.

        Raises:
            ValueError: If the size is below 1, or the rate negative or not finite.
        """
        super().__init__()
        if hidden_size < 1:
            raise ValueError(f"The hidden size is {hidden_size}: it has to be 1 or more.")
        self.reversal = GradientReversal(reversal_rate)
        self.projection = nn.Linear(hidden_size, hidden_size)
        self.score = nn.Linear(hidden_size, 1, bias=False)  # softmax is blind to a bias
        self.output = nn.Linear(hidden_size, 1)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Classifies sentences.

        Args:
            states: H, ``[batch, tokens, hidden]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            The logit that each sentence is from the source, ``[batch]``. That of a sentence without
            tokens is the bias.

        Raises:
            ValueError: If the shapes or the type of the mask are others.
        """
        self._check(states, mask)
        pooled, _ = self.pool(self.reversal(states), mask)
        return self.output(pooled).squeeze(-1)  # [batch]

    def pool(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Makes one vector of each sentence.

        Args:
            states: H, ``[batch, tokens, hidden]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            The weighted sums of the hidden states, ``[batch, hidden]``, and the weights,
            ``[batch, tokens]``, which are 0 on padding.
        """
        states = states.masked_fill(~mask.unsqueeze(-1), 0.0)  # 0 · NaN would be NaN
        hidden = torch.tanh(linear(states, self.projection))  # [batch, tokens, hidden]
        scores = self.score(hidden).squeeze(-1)  # [batch, tokens]
        weights = masked_softmax(scores, mask)
        return (weights.unsqueeze(1) @ states).squeeze(1), weights

    def _check(self, states: Tensor, mask: Tensor) -> None:
        hidden = self.projection.in_features
        if states.dim() != 3 or states.size(-1) != hidden:
            raise ValueError(
                f"The states have the shape {list(states.shape)}: [batch, tokens, {hidden}] is "
                "what this discriminator takes."
            )
        if mask.shape != states.shape[:2] or mask.dtype != torch.bool:
            raise ValueError(
                f"The mask is {mask.dtype} of the shape {list(mask.shape)}: for these states it "
                f"has to be torch.bool of the shape {list(states.shape[:2])}."
            )


def grad_loss(
    probability_source: Tensor, is_source: Tensor, alpha: float, gamma: float = 2.0
) -> Tensor:
    """The terms of Eq. 1, from probabilities: what each sentence adds to the GRAD loss.

    The sum of the terms is Eq. 1. They are given apart, because each loss of this package is a mean
    over sentences, where the paper sums all of its losses (Eq. 2): with means for all of them, the
    balance between them is the paper's, and independent of the batch size.

    The loss is that of the discriminator, positive, and to be minimised: Eq. 2 adds it to the
    losses of the tags, and it is the gradient reversal alone that turns it round for the encoder.

    Probabilities of 0 and 1 count as the nearest numbers to them: the loss is finite, and there is
    no gradient. In training, :func:`grad_loss_from_logits` has one.

    Args:
        probability_source: r, the probability that a sentence is from the source, ``[batch]``.
        is_source: Whether it is, ``[batch]`` bool.
        alpha: α, the weight of the sentences of the source; those of the target weigh 1 - α. Below
            0.5 it favours the target, as the paper does with few target sentences.
        gamma: γ, the focusing parameter (Lin et al., 2017): how strongly sentences that are
            classified well are weighted down; 2 in the paper, and 0 leaves a weighted
            cross-entropy.

    Returns:
        The terms, ``[batch]``.

    Raises:
        ValueError: If a probability or a weight is out of its range, or the shapes differ.
    """
    if not bool(((probability_source >= 0) & (probability_source <= 1)).all()):
        raise ValueError(
            "A probability is not within [0, 1]: for logits, which a ResourceDiscriminator gives, "
            "there is grad_loss_from_logits."
        )
    number = torch.finfo(probability_source.dtype)
    # Half of eps is the step below 1.
    probability = probability_source.clamp(number.tiny, 1 - number.eps / 2)
    return _focal_terms(probability.log(), (-probability).log1p(), is_source, alpha, gamma)


def grad_loss_from_logits(
    logits: Tensor, is_source: Tensor, alpha: float, gamma: float = 2.0
) -> Tensor:
    """The terms of Eq. 1, from logits: exact, and with a gradient however sure the logits are.

    Args:
        logits: r before the sigmoid, ``[batch]``, finite.
        is_source: Whether a sentence is from the source, ``[batch]`` bool.
        alpha: α, as in :func:`grad_loss`.
        gamma: γ, as in :func:`grad_loss`.

    Returns:
        The terms, ``[batch]``; their sum is Eq. 1.

    Raises:
        ValueError: If a weight is out of its range, or the shapes differ.
    """
    log_source, log_target = (nn.functional.logsigmoid(x) for x in (logits, -logits))
    return _focal_terms(log_source, log_target, is_source, alpha, gamma)


def check_grad_weights(alpha: float, gamma: float) -> None:
    """Refuses weights of Eq. 1 that are out of their range.

    Args:
        alpha: α, as in :func:`grad_loss`.
        gamma: γ, as in :func:`grad_loss`.

    Raises:
        ValueError: If one is out of its range.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(
            f"alpha is {alpha}: it has to be within [0, 1]; 0.5 weighs both resources alike."
        )
    if not 0 <= gamma < math.inf:
        raise ValueError(f"gamma is {gamma}: it has to be a finite number from 0 on; 2 is usual.")


def _focal_terms(
    log_source: Tensor, log_target: Tensor, is_source: Tensor, alpha: float, gamma: float
) -> Tensor:
    """The terms of Eq. 1 from log r and log (1 - r), both ``[batch]``."""
    if is_source.shape != log_source.shape or is_source.dtype != torch.bool:
        raise ValueError(
            f"is_source is {is_source.dtype} of the shape {list(is_source.shape)}: it has to be "
            f"torch.bool of the shape {list(log_source.shape)}."
        )
    check_grad_weights(alpha, gamma)
    log_right = torch.where(is_source, log_source, log_target)
    log_wrong = torch.where(is_source, log_target, log_source)
    weights = torch.where(is_source, alpha, 1 - alpha).to(log_source)
    # A power as an exponential has a gradient at 0 too, for γ below 1.
    return -weights * (gamma * log_wrong).exp() * log_right
