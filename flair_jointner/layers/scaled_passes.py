"""The forward-backward algorithm on rescaled probabilities: one matrix product per step.

A rescaled number can underflow. There are two ways to know that nothing is lost:
:class:`~flair_jointner.layers.chain_weights.ChainWeights` bounds the dynamic range of a step
beforehand; or a floor, which is more than what can underflow, is added to every number, and its
effect on the partition function is bounded afterwards (:meth:`ScaledPasses.exact`).
"""

import copy
import math
from functools import cached_property

import torch
from torch import Tensor

from flair_jointner.layers.chain_weights import ChainWeights
from flair_jointner.layers.matmul import product
from flair_jointner.layers.packing import Packing

_NEGLIGIBLE = 1e-9
"""Share of the partition function that the floor of one token may add."""


class ScaledPasses:
    """Both passes over a packed batch, side by side; see ``forward_backward.Passes``.

    The backward pass goes through each sentence from its last token to its first, so that both
    passes are the same recursion with two matrices: state ← (state · matrix) ⊙ exp(emission).
    """

    def __init__(
        self,
        emissions: Tensor,
        packing: Packing,
        weights: ChainWeights,
        spread: float | None,
        dtype: torch.dtype,
        backward: bool = True,
    ) -> None:
        """Runs both passes.

        Args:
            emissions: ``[N, tags]``, packed.
            packing: The layout of the batch.
            weights: The chain.
            spread: The largest spread of a sentence, where all are known to be safe; None to add a
                floor, so that :meth:`exact` tells.
            dtype: Type of the numbers of the recursion; results have that of the emissions.
            backward: Whether to run the backward pass too; without it there is the log partition
                alone.
        """
        self._dtype = emissions.dtype
        self._packing = packing
        emissions = emissions.to(dtype)
        # A dead tag of a high emission must not make the others small.
        self._emitted = emissions.index_fill(1, weights.dead, -math.inf)
        tops = self._emitted.amax(1)  # [N]
        self._emitted.sub_(tops.unsqueeze(1)).exp_().index_fill_(1, weights.dead, 1.0)
        transitions, initial, final = weights.factors(dtype)
        self._transitions = transitions[0]
        self._floor = len(transitions[0]) * torch.finfo(dtype).tiny if spread is None else 0.0
        lanes = 2 if backward else 1
        factors = emissions.new_empty(lanes, *emissions.shape)
        factors[0] = self._emitted
        if backward:
            torch.index_select(self._emitted, 0, packing.reversed, out=factors[1])
        states, self._rescaled = _scan(
            factors,
            packing.sizes,
            torch.stack([initial[0], final[0]][:lanes]).unsqueeze(1),
            torch.stack([self._transitions.t(), self._transitions][:lanes]),
            1 if spread is None else weights.rescaling_interval(spread, dtype),
            self._floor,
        )
        if self._floor:  # which no path of a dead tag has
            states.index_fill_(2, weights.dead, 0.0)
        self._forward = states[0]  # [N, tags]
        if backward:  # the token's own emission included
            self._backward = states[1].index_select(0, packing.reversed)
        self._tops, self._transition_top = tops, transitions[1]
        self._initial_top, self._final_top = initial[1], final[1]
        ends = (self._forward[packing.reversed[: len(packing.lengths)]] * final[0]).sum(1)
        scale = ends.new_zeros(len(ends), dtype=torch.float64)
        scale.index_add_(0, packing.sentence, self._taken_out(0, tops))
        self.log_partition = ends.double().log() + scale + initial[1] + final[1]

    def _taken_out(self, lane: int, tops: Tensor) -> Tensor:
        """Log of what each token was divided by: emission, transition to it, rescaling.

        Sums of it over a long sentence are large, so it is float64, ``[N]``.
        """
        moved = (self._packing.position > 0).double() * self._transition_top
        return self._rescaled[lane].double().log() + tops + moved

    @cached_property
    def _joined(self) -> Tensor:
        """α · β of each tag, the token's emission counted once, ``[N, tags]``."""
        return (self._forward * self._backward).div_(self._emitted)

    @cached_property
    def _totals(self) -> Tensor:
        """Their sums over the tags, ``[N, 1]``."""
        return self._joined.sum(1, keepdim=True)

    def exact(self) -> Tensor:
        """Whether what the floor added is negligible in each sentence, ``[batch]`` bool.

        At every step the floor is more than can underflow in the product before it, so all numbers,
        and with them the partition function Z, are upper bounds. What the floor of a token adds to
        Z is the floor times the sum over the tags of the numbers of the other pass without the
        token's emission. No factor is above 1 and no state sums to more than the number of tags K,
        so that sum is at most K². ``_totals`` is Z after both passes' rescaling of the token.
        """
        rescaled = self._rescaled[0] * self._rescaled[1, self._packing.reversed]
        added = self._floor * self._emitted.size(1) ** 2 / (rescaled * self._totals.squeeze(1))
        lost = ~(added <= _NEGLIGIBLE)  # a NaN too
        counts = torch.zeros_like(self._packing.lengths)
        return counts.index_add_(0, self._packing.sentence, lost.long()) == 0

    def of(self, sentences: Tensor) -> "ScaledPasses":
        """The passes over some of the sentences.

        Args:
            sentences: Which, the longest first, ``[batch]`` bool.

        Returns:
            Those of them alone.
        """
        part = copy.copy(self)
        part.__dict__.pop("_joined", None)
        part.__dict__.pop("_totals", None)
        part._packing, tokens = self._packing.subset(sentences)
        part._emitted, part._tops = self._emitted[tokens], self._tops[tokens]
        part._forward, part._backward = self._forward[tokens], self._backward[tokens]
        part._rescaled = self._rescaled[:, tokens]
        part.log_partition = self.log_partition[sentences]
        return part

    def marginals(self) -> Tensor:
        """Probability of each tag at each token, ``[N, tags]``."""
        return (self._joined / self._totals).to(self._dtype)

    def expected_transitions(self, weights: Tensor) -> Tensor:
        """Expected number of each transition, ``[tags, tags]``, weighted by sentence."""
        first = len(self._packing.lengths)  # the number of first tokens: none leads to them
        # The probabilities of the transitions into a token sum to 1; this is their sum before.
        totals = self._totals[first:].squeeze(1) * self._rescaled[0, first:]
        shares = weights[self._packing.sentence[first:]] / totals
        to = self._backward[first:] * shares.unsqueeze(1)
        origin = self._forward.index_select(0, self._packing.previous)
        return product(to.t(), origin.t()).mul_(self._transitions).to(self._dtype)

    def log_forward(self, tokens: Tensor) -> Tensor:
        """The forward scores log α of some tokens, ``[tokens, tags]``."""
        scale = self._packing.cumulate(self._taken_out(0, self._tops))[tokens] + self._initial_top
        return self._forward[tokens].log() + scale.unsqueeze(1)

    def log_backward(self, tokens: Tensor) -> Tensor:
        """The backward scores log β of some tokens, ``[tokens, tags]``."""
        order = self._packing.reversed
        scale = self._packing.cumulate(self._taken_out(1, self._tops[order]))[order[tokens]]
        scale = scale + self._final_top - self._tops[tokens]
        without_emission = self._backward[tokens] / self._emitted[tokens]
        return without_emission.log() + scale.unsqueeze(1)


def _scan(
    factors: Tensor,
    sizes: list[int],
    first: Tensor,
    matrices: Tensor,
    interval: int,
    floor: float,
) -> tuple[Tensor, Tensor]:
    """The recursion state ← (state · matrix) ⊙ factor, over several packed batches at once.

    Args:
        factors: ``[batches, N, tags]``, overwritten with the states.
        sizes: Number of sentences of each step.
        first: What the factors of the first step are multiplied by, ``[batches, 1, tags]``.
        matrices: One for each batch, ``[batches, tags, tags]``.
        interval: Number of steps after which the states are divided by their sum.
        floor: What is added to each state before that.

    Returns:
        The states, as the factors, and what each was divided by, ``[batches, N]``.
    """
    scales = factors.new_ones(factors.shape[:2])
    steps = factors.split(sizes, dim=1)
    step_scales = scales.split(sizes, dim=1)
    before = steps[0].mul_(first).add_(floor)
    for place, state in enumerate(steps[1:], start=1):
        before = before[:, : state.size(1)]
        state.mul_(torch.bmm(before, matrices))
        if floor:
            state.add_(floor)
        if place % interval == 0:
            total = torch.sum(state, 2, out=step_scales[place])
            state.div_(total.unsqueeze(2))
        before = state
    return factors, scales
