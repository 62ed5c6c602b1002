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
from flair_jointner.layers.matmul import product
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
        self._tags = len(chain.initial)
        entered = torch.maximum(chain.initial, chain.transitions.amax(1))
        left = torch.maximum(chain.final, chain.transitions.amax(0))
        live = ~(torch.minimum(entered, left) <= _FORBIDDEN)  # a NaN lives, and shows in the loss
        self.dead = dead = (~live).nonzero().squeeze(1)
        moves = chain.transitions.index_fill(0, dead, -math.inf).index_fill_(1, dead, -math.inf)
        edges = torch.stack([chain.initial, chain.final])
        edges.masked_fill_((edges <= _FORBIDDEN) | ~live, -math.inf)
        self._live_scores = (moves, *edges.unbind())
        self._tops = [float(moves.amax()), *edges.amax(1).tolist()]
        lowest, self._steps = _mixing(moves, live, dead)
        lowest_edges = edges.masked_fill(edges == -math.inf, math.inf).amin(1)
        if -math.inf in self._tops[1:]:  # there is no path at all
            self._steps = None
        spreads = map(_spread, self._tops, [lowest, *lowest_edges.tolist()])
        self._step_spread, *edge_spreads = spreads
        self._edge_spread = sum(edge_spreads)

    def widest_safe(self, dtype: torch.dtype) -> float:
        """The largest spread of a sentence in which nothing that matters underflows.

        The spread of a sentence is the largest distance between the highest and the lowest
        emission of one of its tokens.

        Args:
            dtype: Type of the numbers.

        Returns:
            The spread in nats; minus infinity where no sentence is safe.
        """
        if dtype not in _LIMITS or self._steps is None:
            return -math.inf
        # Of a spread s, m · s + (the drift of a step) has to fit into the room; the drift is the
        # larger of two, of which one may grow with s.
        steady, room = self._least_drift, self._room(dtype)
        growing = self._steps + self._drifts_with_emissions
        return min((room - steady) / self._steps, (room - self._step_spread) / growing)

    def widest_exact(self, dtype: torch.dtype) -> float:
        """The largest spread of a sentence with which the recursion with a floor has a chance.

        Args:
            dtype: Type of the numbers.

        Returns:
            The spread up to which its factors do not underflow, in nats.
        """
        return -math.inf if dtype not in _LIMITS or self._steps is None else _LIMITS[dtype]

    def rescaling_interval(self, spread: float, dtype: torch.dtype) -> int:
        """After how many steps the numbers have to be rescaled.

        Args:
            spread: The largest spread of a sentence, at most :meth:`widest_safe`.
            dtype: Type of the numbers.

        Returns:
            The number of steps. A prefix is multiplied by a suffix, and both may have drifted, by
            a step less than there are between two rescalings: each has half of the room.
        """
        assert self._steps is not None  # for the type checker; no sentence was safe
        room = self._room(dtype) - self._steps * spread
        down = self._drifts_with_emissions * spread + self._step_spread
        return 1 + max(0, int(room / (2 * max(down, self._least_drift))))

    def _room(self, dtype: torch.dtype) -> float:
        """What the chain leaves of a type's range, where all emissions of a token are the same."""
        assert self._steps is not None  # for the type checker; those who ask have looked
        step = self._step_spread + math.log(self._tags)
        return _LIMITS[dtype] - self._steps * step - self._edge_spread

    @property
    def _drifts_with_emissions(self) -> bool:
        """Whether the sum of a step can be lower than that of the step before by their spread.

        Where every tag reaches every other at once, the tag of the highest emission is open to all.
        """
        return self._steps != 1

    @property
    def _least_drift(self) -> float:
        """By how much the sum of a step can differ from that of the step before in any case."""
        return max(1.0, math.log(self._tags))

    def factors(self, dtype: torch.dtype) -> list[tuple[Tensor, float]]:
        """The exponentiated transitions, initial and final scores.

        Args:
            dtype: Type of the numbers.

        Returns:
            Each divided by its largest factor, and the logarithm of that factor.
        """
        pairs = zip(self._live_scores, self._tops, strict=True)
        return [((scores.to(dtype) - top).exp_(), top) for scores, top in pairs]


def _spread(top: float, lowest: float) -> float:
    """The distance between two scores; 0 where no score is allowed."""
    return 0.0 if top == -math.inf else top - lowest


def _mixing(moves: Tensor, live: Tensor, dead: Tensor) -> tuple[float, int | None]:
    """How freely the chain moves between live tags.

    Args:
        moves: Scores of the moves, minus infinity from and to dead tags, ``[tags, tags]``.
        live: Which tags are live, ``[tags]`` bool.
        dead: Indices of the others.

    Returns:
        The lowest score of an allowed move, and the number of steps after which every tag has
        reached every other; None if that takes too many.
    """
    lowest = float(moves.index_fill(0, dead, math.inf).index_fill_(1, dead, math.inf).amin())
    if lowest > _FORBIDDEN:  # nothing is forbidden
        return lowest, 1
    allowed = moves > _FORBIDDEN
    lowest = float(torch.where(allowed, moves, math.inf).amin())
    pattern = reached = allowed[live][:, live].float()
    for steps in range(2, _MOST_STEPS + 1):
        reached = ((pattern @ reached) > 0).float()
        if bool(reached.all()):
            return lowest, steps
    return lowest, None


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
            torch.stack([self._transitions.t(), self._transitions][:lanes]),
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
        moved = (self._packing.place > 0).double() * self._transition_top
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
