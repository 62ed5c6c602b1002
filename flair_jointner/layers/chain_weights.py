"""A chain as factors, and how far apart it can drive the numbers of a scaled recursion."""

import math

import torch
from torch import Tensor

from flair_jointner.layers.chain import FORBIDDEN, ChainScores

_FORBIDDEN = FORBIDDEN / 2
_MOST_STEPS = 4
# Down to these distances (nats) a number is so far above the smallest normal number of its type
# (87 and 708 nats below 1) that what underflows beside it adds less than rounding.
_LIMITS = {torch.float32: 70.0, torch.float64: 660.0}


class ChainWeights:
    """Exponentiated scores of a chain, and the dynamic range that they can cause in a recursion.

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
        """The largest spread of a sentence with which the recursion with a floor is worth trying.

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
            The number of steps. A forward and a backward score are multiplied, and each may have
            drifted for a step less than there are between two rescalings: each gets half of the
            room.
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
