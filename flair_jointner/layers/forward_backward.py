"""The forward-backward algorithm (Rabiner, 1989), in the fastest way that is safe."""

from typing import Protocol

import torch
from torch import Tensor

from flair_jointner.layers.chain_weights import ChainWeights
from flair_jointner.layers.log_passes import LogPasses
from flair_jointner.layers.packing import Packing
from flair_jointner.layers.scaled_passes import ScaledPasses


class Passes(Protocol):
    """Both passes over a packed batch of N tokens; the sentences stand the longest first.

    Attributes:
        log_partition: Log of the summed exponentiated scores of all paths, ``[batch]`` float64.
    """

    log_partition: Tensor

    def marginals(self) -> Tensor:
        """Probability of each tag at each token, ``[N, tags]``."""

    def expected_transitions(self, weights: Tensor) -> Tensor:
        """Expected number of each transition, summed over the sentences.

        Args:
            weights: Weight of each sentence in the sum, ``[batch]``.

        Returns:
            ``[tags, tags]``, indexed ``[to, from]``.
        """

    def log_forward(self, tokens: Tensor) -> Tensor:
        """The forward scores log α: log-sum-exp over the partial paths that end in each tag.

        The token's own emission is included.

        Args:
            tokens: Packed indices of some tokens.

        Returns:
            ``[len(tokens), tags]`` float64.
        """

    def log_backward(self, tokens: Tensor) -> Tensor:
        """The backward scores log β: log-sum-exp over the continuations after each tag.

        The token's own emission is excluded.

        Args:
            tokens: Packed indices of some tokens.

        Returns:
            ``[len(tokens), tags]`` float64.
        """


def run_passes(
    emissions: Tensor,
    packing: Packing,
    weights: ChainWeights,
    scaled: bool = True,
) -> Passes:
    """Runs the forward and the backward pass.

    Sentences whose rescaled probabilities underflow in float32 run in float64, and those that
    underflow there in log space.

    Args:
        emissions: ``[N, tags]``, packed.
        packing: The layout of the batch.
        weights: The chain.
        scaled: Whether to use rescaled probabilities where they are exact; False stays in log
            space.

    Returns:
        The passes over the whole batch; they carry no gradient.
    """
    return _run(emissions, packing, weights, scaled, backward=True)


def log_partition(
    emissions: Tensor, packing: Packing, weights: ChainWeights, scaled: bool = True
) -> Tensor:
    """Log of the summed exponentiated scores of all paths, by the forward pass alone.

    Args:
        emissions: ``[N, tags]``, packed.
        packing: The layout of the batch.
        weights: The chain.
        scaled: As for :func:`run_passes`.

    Returns:
        ``[batch]`` float64, the longest sentence first, without gradient.
    """
    return _run(emissions, packing, weights, scaled, backward=False).log_partition


def _run(
    emissions: Tensor, packing: Packing, weights: ChainWeights, scaled: bool, backward: bool
) -> Passes:
    """Runs the passes; without the backward pass they have the log partition alone."""
    # Under automatic mixed precision the matrix products would be rounded to 8 bits.
    with torch.autocast(emissions.device.type, enabled=False):
        if scaled:
            return _run_scaled(emissions.detach(), packing, weights, backward)
        return LogPasses(emissions.detach(), packing, weights.scores)


def _run_scaled(
    emissions: Tensor, packing: Packing, weights: ChainWeights, backward: bool
) -> Passes:
    spreads = emissions.amax(1) - emissions.amin(1)  # [N]; max and min would look for places too
    widest, dtype = float(spreads.amax()), emissions.dtype
    if widest <= weights.widest_safe(dtype):  # nearly every batch
        return ScaledPasses(emissions, packing, weights, widest, dtype, backward)
    return _run_mixed(emissions, spreads, packing, weights, backward)


def _run_mixed(
    emissions: Tensor, spreads: Tensor, packing: Packing, weights: ChainWeights, backward: bool
) -> Passes:
    """Runs each sentence through the fastest recursion that is safe for it.

    Args:
        emissions: ``[N, tags]``, packed.
        spreads: Distance between the highest and the lowest emission of each token, ``[N]``.
        packing: The layout of the batch.
        weights: The chain.
        backward: As for :func:`_run`.

    Returns:
        The passes over the whole batch.
    """
    widest = torch.zeros_like(spreads[: len(packing.lengths)]).scatter_reduce_(
        0, packing.sentence, spreads.nan_to_num(nan=torch.inf), "amax"
    )  # [batch]
    parts: list[tuple[Tensor, Passes]] = []
    left = torch.ones_like(widest, dtype=torch.bool)
    for dtype in dict.fromkeys((emissions.dtype, torch.float64)):
        chosen, passes = _scaled_part(emissions, packing, weights, widest, left, dtype, backward)
        if passes is None:
            continue
        if bool(chosen.all()):
            return passes
        parts.append((chosen, passes))
        left &= ~chosen
    if bool(left.any()):
        layout, tokens = packing.subset(left)
        parts.append((left, LogPasses(emissions[tokens], layout, weights.scores)))
    return MixedPasses(parts, packing)


def _scaled_part(
    emissions: Tensor,
    packing: Packing,
    weights: ChainWeights,
    widest: Tensor,
    left: Tensor,
    dtype: torch.dtype,
    backward: bool,
) -> tuple[Tensor, ScaledPasses | None]:
    """Picks the remaining sentences that this type is wide enough for, and runs them."""
    chosen = left & (widest <= weights.widest_safe(dtype))
    floored = backward and not torch.equal(chosen, left)
    if floored:  # what underflows is bounded afterwards
        chosen = left & (widest <= weights.widest_exact(dtype))
    if not bool(chosen.any()):
        return chosen, None
    layout, tokens = packing, emissions
    if not bool(chosen.all()):
        layout, places = packing.subset(chosen)
        tokens = emissions[places]
    spread = None if floored else float(widest[chosen].amax())
    passes = ScaledPasses(tokens, layout, weights, spread, dtype, backward)
    if not floored or bool((exact := passes.exact()).all()):
        return chosen, passes
    chosen[chosen.clone()] = exact
    return chosen, passes.of(exact) if bool(exact.any()) else None


class MixedPasses:
    """The passes over a batch the sentences of which went through different recursions."""

    def __init__(self, parts: list[tuple[Tensor, Passes]], packing: Packing) -> None:
        """Joins the parts.

        Args:
            parts: Which sentences, ``[batch]`` bool, and the passes over them; each sentence is in
                one part.
            packing: The layout of the batch.
        """
        self._sentences = [chosen for chosen, _ in parts]
        self._tokens = [chosen[packing.sentence] for chosen in self._sentences]
        # Index of each token among those of its part.
        self._own = torch.stack([(mine.cumsum(0) - 1) * mine for mine in self._tokens]).sum(0)
        self._passes = [passes for _, passes in parts]
        self.log_partition = _join(
            self._sentences, [passes.log_partition for passes in self._passes]
        )

    def marginals(self) -> Tensor:
        """See :class:`Passes`."""
        return _join(self._tokens, [passes.marginals() for passes in self._passes])

    def expected_transitions(self, weights: Tensor) -> Tensor:
        """See :class:`Passes`."""
        pairs = zip(self._passes, self._sentences, strict=True)
        parts = [passes.expected_transitions(weights[chosen]) for passes, chosen in pairs]
        return torch.stack(parts).sum(0)

    def log_forward(self, tokens: Tensor) -> Tensor:
        """See :class:`Passes`."""
        places = [mine[tokens] for mine in self._tokens]
        own = [self._own[tokens[mine]] for mine in places]
        pairs = zip(self._passes, own, strict=True)
        return _join(places, [passes.log_forward(some) for passes, some in pairs])

    def log_backward(self, tokens: Tensor) -> Tensor:
        """See :class:`Passes`."""
        places = [mine[tokens] for mine in self._tokens]
        own = [self._own[tokens[mine]] for mine in places]
        pairs = zip(self._passes, own, strict=True)
        return _join(places, [passes.log_backward(some) for passes, some in pairs])


def _join(places: list[Tensor], values: list[Tensor]) -> Tensor:
    joined = values[0].new_empty((len(places[0]), *values[0].shape[1:]))
    for chosen, value in zip(places, values, strict=True):
        joined[chosen] = value.to(joined.dtype)
    return joined
