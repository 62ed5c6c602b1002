"""The forward-backward algorithm on rescaled probabilities: one matrix product per step.

A rescaled number can underflow. There are two ways to know that nothing is lost:
:class:`ChainWeights` bounds beforehand how far apart the numbers of a step can be; or a floor,
which is more than what can underflow, is added to every number, and what it changed is bounded
afterwards (:meth:`ScaledPasses.exact`).
"""

import copy
import math
from functools import cached_property

import torch
from torch import Tensor

from flair_jointner.layers.chain import FORBIDDEN, ChainScores
from flair_jointner.layers.matmul import pays_off, product
from flair_jointner.layers.packing import Packing

_FORBIDDEN = FORBIDDEN / 2
_MOST_STEPS = 4
# Down to these distances (nats) a number is so far above the smallest normal number of its type
# (87 and 708 nats below 1) that what underflows beside it adds less than rounding.
_LIMITS = {torch.float32: 70.0, torch.float64: 660.0}
_NEGLIGIBLE = 1e-9
"""Share of the partition function that the floor of one token may add."""


class ChainWeights:
    """The chain as factors, and how far it can drive the numbers of a recursion apart.

    A transition at or below half of Flair's forbidding score has the factor 0. A tag that cannot
    be entered, or not be left, is dead: no path of any weight goes through it. Let m be the number
    of steps in which every other tag reaches every other. Then a number of step t is at least the
    largest one of that step times exp(-(m · (spread of the emissions + spread of the
    transitions))) / tags^m, because every number of step t-m has a path to it.

    Attributes:
        scores: The chain.
        dead: Indices of the dead tags.
    """

    def __init__(self, chain: ChainScores) -> None:
        """Takes the chain apart.

        Args:
            chain: Its scores.
        """
        self.scores = chain = ChainScores(*(part.detach() for part in chain))
        starts, ends = chain.initial > _FORBIDDEN, chain.final > _FORBIDDEN
        entered = chain.transitions.amax(1) > _FORBIDDEN
        left = chain.transitions.amax(0) > _FORBIDDEN
        live = (starts | entered) & (ends | left)
        self._tags = len(live)
        self.dead = dead = (~live).nonzero().squeeze(1)
        moves = chain.transitions.index_fill(0, dead, -math.inf).index_fill_(1, dead, -math.inf)
        edges = torch.stack([chain.initial, chain.final])
        edges.masked_fill_(~torch.stack([starts & live, ends & live]), -math.inf)
        self._live_scores = (moves, *edges.unbind())
        self._steps = _mixing_steps(moves, live) if bool(starts.any() & ends.any()) else None
        self._step_spread = _spread(moves.flatten())
        self._edge_spread = _spread(edges)

    def are_safe(self, spreads: Tensor, dtype: torch.dtype) -> Tensor:
        """Whether nothing that matters underflows in a sentence.

        Args:
            spreads: Largest distance between the highest and the lowest emission of a token of
                each sentence, ``[batch]``.
            dtype: Type of the numbers.

        Returns:
            ``[batch]`` bool.
        """
        if dtype not in _LIMITS or self._steps is None:
            return torch.zeros_like(spreads, dtype=torch.bool)
        return self._apart(spreads) + self._drift(spreads) <= _LIMITS[dtype]

    def may_be_exact(self, spreads: Tensor, dtype: torch.dtype) -> Tensor:
        """Whether the recursion with a floor has a chance: its factors do not underflow.

        Args:
            spreads: As for :meth:`are_safe`.
            dtype: Type of the numbers.

        Returns:
            ``[batch]`` bool.
        """
        if dtype not in _LIMITS or self._steps is None:
            return torch.zeros_like(spreads, dtype=torch.bool)
        return spreads <= _LIMITS[dtype]

    def rescaling_interval(self, spread: Tensor, dtype: torch.dtype) -> int:
        """After how many steps the numbers have to be rescaled.

        Args:
            spread: Largest distance between two emissions of a token, of safe sentences.
            dtype: Type of the numbers.

        Returns:
            The number of steps. A prefix is multiplied by a suffix, and both may have drifted, by
            a step less than there are between two rescalings: each has half of the room.
        """
        room = _LIMITS[dtype] - float(self._apart(spread))
        return 1 + max(0, int(room / (2 * float(self._drift(spread)))))

    def _apart(self, spread: Tensor) -> Tensor:
        """How far the numbers of a step can be apart."""
        assert self._steps is not None  # for the type checker; are_safe looks first
        step = spread + self._step_spread + math.log(self._tags)
        return self._steps * step + self._edge_spread

    def _drift(self, spread: Tensor) -> Tensor:
        """How far the sum of a step can be from that of the step before, without rescaling."""
        # Where every tag reaches every other at once, that of the highest emission is open to all.
        down = spread * (self._steps != 1) + self._step_spread
        return down.clamp(min=max(1.0, math.log(self._tags)))

    def factors(self, dtype: torch.dtype) -> list[tuple[Tensor, Tensor]]:
        """The exponentiated transitions, initial and final scores.

        Args:
            dtype: Type of the numbers.

        Returns:
            Each divided by its largest factor, and the logarithm of that factor.
        """
        found = []
        for scores in self._live_scores:
            top = scores.max().to(dtype)
            found.append(((scores.to(dtype) - top).exp_(), top))
        return found


def _mixing_steps(moves: Tensor, live: Tensor) -> int | None:
    """Steps after which every live tag has reached every other; None if that takes too many."""
    allowed = moves > _FORBIDDEN
    if int(allowed.count_nonzero()) == int(live.count_nonzero()) ** 2:
        return 1
    pattern = reached = allowed[live][:, live].float()
    for steps in range(2, _MOST_STEPS + 1):
        reached = ((pattern @ reached) > 0).float()
        if bool(reached.all()):
            return steps
    return None


def _spread(scores: Tensor) -> float:
    """Distance between the highest and the lowest score of a row that forbid nothing, summed."""
    lowest = scores.masked_fill(scores <= _FORBIDDEN, math.inf).amin(-1)
    return float((scores.amax(-1) - lowest).clamp(min=0.0).sum())


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
        spread: Tensor | None,
        dtype: torch.dtype,
        backward: bool = True,
    ) -> None:
        """Runs both passes.

        Args:
            emissions: ``[N, tags]``, packed.
            packing: The layout of the batch.
            weights: The chain.
            spread: Largest distance between two emissions of a token, where the sentences are known
                to be safe; None to add a floor, so that :meth:`exact` tells.
            dtype: Type of the numbers of the recursion; results have that of the emissions.
            backward: Whether to run the backward pass too; all but the log partition needs it.
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
            torch.index_select(self._emitted, 0, packing.turned, out=factors[1])
        states, self._rescaled = _scan(
            factors,
            packing.sizes,
            torch.stack([initial[0], final[0]][:lanes]).unsqueeze(1),
            [self._transitions.t(), self._transitions][:lanes],
            1 if spread is None else weights.rescaling_interval(spread, dtype),
            self._floor,
        )
        self._prefixes = states[0]  # [N, tags]
        # The token's own emission included; without a backward pass there are none.
        self._suffixes = states[-1].index_select(0, packing.turned)
        self._tops, self._transition_top = tops, transitions[1]
        self._initial_top, self._final_top = initial[1], final[1]
        ends = (self._prefixes[packing.turned[: len(packing.lengths)]] * final[0]).sum(1)
        scale = ends.new_zeros(len(ends), dtype=torch.float64)
        scale.index_add_(0, packing.sentence, self._taken_out(0, tops))
        self.log_partition = ends.double().log() + scale + initial[1] + final[1]

    def _taken_out(self, lane: int, tops: Tensor) -> Tensor:
        """Log of what each token was divided by: emission, transition to it, rescaling.

        Sums of it over a long sentence are large, so it is float64, ``[N]``.
        """
        moved = (self._packing.place > 0) * self._transition_top
        return self._rescaled[lane].double().log() + tops + moved

    @cached_property
    def _joined(self) -> Tensor:
        """Prefix times suffix of each tag, the token's emission counted once, ``[N, tags]``."""
        return (self._prefixes * self._suffixes).div_(self._emitted)

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
        rescaled = self._rescaled[0] * self._rescaled[1, self._packing.turned]
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
        part._prefixes, part._suffixes = self._prefixes[tokens], self._suffixes[tokens]
        part._rescaled = self._rescaled[:, tokens]
        part.log_partition = self.log_partition[sentences]
        return part

    def marginals(self) -> Tensor:
        """Probability of each tag at each token, ``[N, tags]``."""
        return (self._joined / self._totals).to(self._dtype)

    def expected_transitions(self, weights: Tensor) -> Tensor:
        """Expected number of each transition, ``[tags, tags]``, weighted by sentence."""
        first = len(self._packing.lengths)  # the number of first tokens: none leads to them
        # All transitions into a token together are one; before rescaling their sum is this.
        totals = self._totals[first:].squeeze(1) * self._rescaled[0, first:]
        shares = weights[self._packing.sentence[first:]] / totals
        to = self._suffixes[first:] * shares.unsqueeze(1)
        origin = self._prefixes.index_select(0, self._packing.previous)
        return product(to.t(), origin.t()).mul_(self._transitions).to(self._dtype)

    def log_prefixes(self, tokens: Tensor) -> Tensor:
        """Log of the summed beginnings up to each tag of some tokens, ``[tokens, tags]``."""
        scale = self._packing.cumulate(self._taken_out(0, self._tops))[tokens] + self._initial_top
        return self._prefixes[tokens].log() + scale.unsqueeze(1)

    def log_suffixes(self, tokens: Tensor) -> Tensor:
        """Log of the summed continuations after each tag of some tokens, ``[tokens, tags]``."""
        turned = self._packing.turned
        scale = self._packing.cumulate(self._taken_out(1, self._tops[turned]))[turned[tokens]]
        scale = scale + self._final_top - self._tops[tokens]
        suffixes = self._suffixes[tokens] / self._emitted[tokens]
        return suffixes.log() + scale.unsqueeze(1)


def _scan(
    factors: Tensor,
    sizes: list[int],
    first: Tensor,
    matrices: list[Tensor],
    interval: int,
    floor: float,
) -> tuple[Tensor, Tensor]:
    """The recursion state ← (state · matrix) ⊙ factor, over several packed batches at once.

    Args:
        factors: ``[batches, N, tags]``, overwritten with the states.
        sizes: Number of sentences of each step.
        first: What the factors of the first step are multiplied by, ``[batches, 1, tags]``.
        matrices: One for each batch, ``[tags, tags]``.
        interval: Number of steps after which the states are divided by their sum.
        floor: What is added to each state before that.

    Returns:
        The states, as the factors, and what each was divided by, ``[batches, N]``.
    """
    scales = factors.new_ones(factors.shape[:2])
    steps = factors.split(sizes, dim=1)
    step_scales = scales.split(sizes, dim=1)
    if apart := pays_off(matrices[0], factors.size(1) // len(sizes)):
        columns = [matrix.t().contiguous() for matrix in matrices]
    else:
        stacked = torch.stack(matrices)
    before = steps[0].mul_(first).add_(floor)
    for place, state in enumerate(steps[1:], start=1):
        before = before[:, : state.size(1)]
        if apart:
            for lane, matrix in enumerate(columns):
                state[lane].mul_(product(before[lane], matrix))
        else:
            state.mul_(torch.bmm(before, stacked))
        if floor:
            state.add_(floor)
        if place % interval == 0:
            total = state.sum(2)
            state.div_(total.unsqueeze(2))
            step_scales[place].copy_(total)
        before = state
    return factors, scales
