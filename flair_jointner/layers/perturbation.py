"""Adversarial training (Miyato et al., 2017): the perturbation, and the normalisation it needs."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_LEAST_SHARE = 0.01


def adversarial_shift(gradient: Tensor, owners: Tensor, size: float) -> Tensor:
    """η = ε g / ‖g‖₂ of each sentence (Eq. 3 of Zhou et al., 2019, linearised).

    Args:
        gradient: g, of the loss with respect to embedding vectors, ``[vectors, embedding]``.
        owners: The sentence that each vector belongs to, ``[vectors]`` long. The norm is that of
            all vectors of a sentence together.
        size: ε.

    Returns:
        η, ``[vectors, embedding]``; zeros for a sentence without a gradient.
    """
    wide = gradient.float() if gradient.dtype in (torch.float16, torch.bfloat16) else gradient
    sentences = int(owners.max()) + 1 if len(owners) else 0
    # Divided by the largest number first: the square of a small gradient would be 0.
    largest = wide.new_zeros(sentences).scatter_reduce(0, owners, wide.abs().amax(1), "amax")
    scaled = wide / largest.clamp(min=torch.finfo(wide.dtype).tiny)[owners].unsqueeze(1)
    squares = wide.new_zeros(sentences).index_add(0, owners, scaled.square().sum(1))
    norms = squares.sqrt().clamp(min=1e-12)
    return (size * scaled / norms[owners].unsqueeze(1)).to(gradient.dtype)


class Perturber:
    """Perturbs the embedding layers of a batch so that the loss rises most.

    It serves the two passes of adversarial training. The first adds zeros to each layer, whose
    gradient is that of the vectors; :meth:`aim` turns it into perturbations; the second pass, over
    the same layers in the same order, adds those.

    Attributes:
        size: ε.
        aimed: Whether the second pass has begun.
    """

    def __init__(self, size: float) -> None:
        """Before the first pass.

        Args:
            size: ε, the norm of the perturbation of a sentence in each layer.
        """
        self.size = size
        self.aimed = False
        self._added: list[Tensor] = []
        self._owners: list[Tensor] = []

    def __call__(self, vectors: Tensor, owners: Tensor) -> Tensor:
        """Adds to the vectors of one layer.

        Args:
            vectors: ``[vectors, embedding]``.
            owners: The sentence that each vector belongs to, ``[vectors]`` long.

        Returns:
            x in the first pass, x + η in the second, ``[vectors, embedding]``.
        """
        if self.aimed:
            return vectors + self._added.pop(0)
        zeros = torch.zeros_like(vectors, requires_grad=True)
        self._added.append(zeros)
        self._owners.append(owners)
        return vectors + zeros

    def aim(self, loss: Tensor, parameters: Sequence[Tensor] = ()) -> Tensor:
        """Makes the perturbations, after the first pass.

        Args:
            loss: What they are to raise.
            parameters: What the loss depends on, to have its gradient from the same backward pass.

        Returns:
            The loss; where parameters are given, backward from it takes no time.
        """
        inputs = len(self._added)
        # Fine-tuned embeddings, which sentences keep, are in the graphs of both passes.
        gradients = torch.autograd.grad(
            loss, [*self._added, *parameters], retain_graph=True, allow_unused=True
        )
        self._added = [
            zeros.detach() if gradient is None else adversarial_shift(gradient, owners, self.size)
            for zeros, gradient, owners in zip(
                self._added, gradients[:inputs], self._owners, strict=True
            )
        ]
        self.aimed = True
        if not parameters:
            return loss
        known: Tensor = _KnownGradient.apply(loss.detach(), gradients[inputs:], *parameters)
        return known


class _KnownGradient(torch.autograd.Function):
    """A number whose gradient with respect to parameters was computed before."""

    @staticmethod
    def forward(
        ctx: Any, value: Tensor, gradients: Sequence[Tensor | None], *parameters: Tensor
    ) -> Tensor:
        ctx.gradients = gradients
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        known = (None if one is None else gradient * one for one in ctx.gradients)
        return None, None, *known


class RunningNormalisation(nn.Module):
    """Vectors of mean 0 and variance 1 in each dimension, over the words of running text.

    Without it a model could make perturbations of a given size mean nothing, by learning large
    embeddings, and ε would mean another thing with each kind of vectors (Miyato et al., 2017,
    section 3). They take mean and variance over the vocabulary, weighted by how often each word
    comes in training, and anew at each step. Here both are estimated from the vectors that come in
    training, which weighs them in the same way, and works for embeddings that have no vocabulary:
    the estimate is the mean over all that came, until a batch is less than 1 % of that; from then
    on a batch weighs 1 %, so that the estimate follows embeddings that are trained; :meth:`fix`
    ends that. A dimension that has not varied is only centred.

    Attributes:
        mean: ``[embedding]``.
        variance: ``[embedding]``.
        seen: How many vectors came.
        fixed: Whether mean and variance stay as they are.
    """

    mean: Tensor
    variance: Tensor
    seen: Tensor
    fixed: Tensor

    def __init__(self, size: int) -> None:
        """Starts as the identity.

        Args:
            size: Size of a vector.
        """
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))
        self.register_buffer("fixed", torch.zeros((), dtype=torch.bool))

    @property
    def scale(self) -> Tensor:
        """What vectors are divided by: their deviation, or 1 where they do not vary."""
        varies = self.variance > torch.finfo(self.variance.dtype).tiny
        return torch.where(varies, self.variance, 1.0).sqrt()

    def forward(self, vectors: Tensor) -> Tensor:
        """Normalises vectors.

        Args:
            vectors: Without padding, ``[vectors, embedding]``.

        Returns:
            ``[vectors, embedding]``.
        """
        return (vectors - self.mean.to(vectors)) / self.scale.to(vectors)

    @torch.no_grad()
    def fix(self, vectors: Tensor) -> None:
        """Takes mean and variance of some vectors, and keeps them whatever comes in training.

        Args:
            vectors: ``[vectors, embedding]``.
        """
        variance, mean = torch.var_mean(vectors.detach().to(self.mean), dim=0, correction=0)
        self.mean.copy_(mean)
        self.variance.copy_(variance)
        self.seen.fill_(len(vectors))
        self.fixed.fill_(True)

    @torch.no_grad()
    def update(self, vectors: Tensor) -> None:
        """Takes the vectors of a batch into mean and variance.

        Args:
            vectors: Without padding, ``[vectors, embedding]``.
        """
        if self.fixed or not len(vectors):
            return
        given = vectors.detach().to(self.mean)
        share = max(len(given) / (int(self.seen) + len(given)), _LEAST_SHARE)
        variance, mean = torch.var_mean(given, dim=0, correction=0)
        apart = mean - self.mean
        between = (1 - share) * apart.square()
        self.variance.mul_(1 - share).add_(share * (variance + between))
        self.mean.add_(share * apart)
        self.seen += len(given)


def check_size(size: float | None) -> None:
    """Refuses an ε that is not finite and positive.

    Args:
        size: ε; None for no perturbation.

    Raises:
        ValueError: If it is not finite, or not above 0.
    """
    if size is not None and not 0 < size < math.inf:
        raise ValueError(
            f"perturbation is {size}: it has to be a finite number above 0, such as 5, or None "
            "for no adversarial training."
        )
