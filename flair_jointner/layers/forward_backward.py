"""The forward-backward algorithm (Rabiner, 1989), in the fastest way that is safe."""

from typing import Protocol

import torch
from torch import Tensor

from flair_jointner.layers.log_passes import LogPasses
from flair_jointner.layers.packing import Packing
from flair_jointner.layers.scaled_passes import ChainWeights, ScaledPasses


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

    def log_prefixes(self, tokens: Tensor) -> Tensor:
        """Log of the summed beginnings that end in each tag, its emission included.

        Args:
            tokens: Packed indices of some tokens.

        Returns:
            ``[len(tokens), tags]`` float64.
        """

    def log_suffixes(self, tokens: Tensor) -> Tensor:
        """Log of the summed continuations after each tag, its emission excluded.

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
    backward: bool = True,
) -> Passes:
    """Runs the forward and the backward pass.

    Sentences for which rescaled probabilities underflow in float32 go through the same recursion in
    float64, and those that are too wide for that through logarithms.

    Args:
        emissions: ``[N, tags]``, packed.
        packing: The layout of the batch.
        weights: The chain.
        scaled: Whether to use rescaled probabilities at all.
        backward: Whether the backward pass is needed; the log partition comes without.

    Returns:
        The passes over the whole batch; they carry no gradient.
    """
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
        backward: As for :func:`run_passes`.

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
    """Those of the sentences that are left which this type is wide enough for, and their passes."""
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

    def log_prefixes(self, tokens: Tensor) -> Tensor:
        """See :class:`Passes`."""
        places = [mine[tokens] for mine in self._tokens]
        own = [self._own[tokens[mine]] for mine in places]
        pairs = zip(self._passes, own, strict=True)
        return _join(places, [passes.log_prefixes(some) for passes, some in pairs])

    def log_suffixes(self, tokens: Tensor) -> Tensor:
        """See :class:`Passes`."""
        places = [mine[tokens] for mine in self._tokens]
        own = [self._own[tokens[mine]] for mine in places]
        pairs = zip(self._passes, own, strict=True)
        return _join(places, [passes.log_suffixes(some) for passes, some in pairs])


def _join(places: list[Tensor], values: list[Tensor]) -> Tensor:
    joined = values[0].new_empty((len(places[0]), *values[0].shape[1:]))
    for chosen, value in zip(places, values, strict=True):
        joined[chosen] = value.to(joined.dtype)
    return joined
