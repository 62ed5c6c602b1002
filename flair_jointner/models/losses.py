"""What a tagger minimises: means over sentences, as in Eqs. 1-3 of Kruengkrai et al. (2020)."""

from typing import NamedTuple

from torch import Tensor


class Loss(NamedTuple):
    """One of the losses that a tagger minimises.

    Attributes:
        name: What it is about.
        weight: Its weight in the sum of all.
        values: One value per sentence that has the annotation for it, ``[sentences]``.
    """

    name: str
    weight: float
    values: Tensor


class LossMean:
    """Weighted sum of the means of several losses over many batches."""

    def __init__(self) -> None:
        """Starts with no batch."""
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, losses: list[Loss]) -> None:
        """Takes in the losses of a batch."""
        for loss in losses:
            total, count = self._sums.get(loss.name, (0.0, 0))
            total += loss.weight * float(loss.values.sum())
            self._sums[loss.name] = (total, count + len(loss.values))

    def mean(self) -> float:
        """The weighted sum; 0 where no sentence had any annotation."""
        return sum(total / count for total, count in self._sums.values() if count)
