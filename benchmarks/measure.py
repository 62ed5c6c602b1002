"""Timing two ways side by side, so that whatever slows the machine slows both."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import flair
import torch

from flair_jointner.layers.matmul import product


@dataclass
class Comparison:
    """One row of the report.

    Attributes:
        name: What was measured.
        theirs: Seconds of the slower side, median over the repetitions.
        ours: Seconds of our side.
        ratios: Theirs over ours, per repetition.
        agreement: How the results of both sides compare.
        unit: What the seconds are per.
    """

    name: str
    theirs: float
    ours: float
    ratios: list[float]
    agreement: str
    unit: str = "run"

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return statistics.median(self.ratios)

    def row(self) -> str:
        """A line of a Markdown table."""
        spread = f"{min(self.ratios):.1f}-{max(self.ratios):.1f}"
        return (
            f"| {self.name} | {_time(self.theirs)} | {_time(self.ours)} | "
            f"**×{self.ratio:.1f}** ({spread}) | {self.agreement} |"
        )


def _time(seconds: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def seconds(run: Callable[[], object], times: int = 1) -> float:
    """How long a call takes, of several in a row.

    As in `timeit`, Python's garbage collector waits meanwhile.
    """
    gc.collect()
    gc.disable()
    try:
        _wait()
        start = time.perf_counter()
        for _ in range(times):
            run()
        _wait()
        return (time.perf_counter() - start) / times
    finally:
        gc.enable()


def _wait() -> None:
    """Lets a GPU come to the end of what it was given."""
    if torch.device(flair.device).type == "cuda":
        torch.cuda.synchronize()


def compare(
    name: str,
    theirs: Callable[[], object],
    ours: Callable[[], object],
    agreement: str,
    *,
    repetitions: int = 3,
    our_share: int = 1,
    per: int = 1,
    our_work: float = 1.0,
) -> Comparison:
    """Times both sides in turn.

    Args:
        name: What is measured.
        theirs: The other side.
        ours: Our side.
        agreement: How the results compare, for the table.
        repetitions: How often.
        our_share: How often our side runs in a repetition, because it is short.
        per: By what the seconds are divided.
        our_work: How much more work our side does in a run.

    Returns:
        The row.
    """
    ours()  # warm caches and allocators
    pairs = []
    for _ in range(repetitions):
        slow = seconds(theirs)
        fast = seconds(ours, our_share) / our_work
        pairs.append((slow / per, fast / per))
    return Comparison(
        name,
        statistics.median(slow for slow, _ in pairs),
        statistics.median(fast for _, fast in pairs),
        [slow / fast for slow, fast in pairs],
        agreement,
    )


def matmul_peak(dtype: torch.dtype) -> float:
    """Best rate of a square matrix product, the machine's practical peak, in GFLOP/s.

    That of torch's own product or of this package's, whichever is faster.
    """
    size = 1024 if torch.device(flair.device).type == "cpu" else 8192
    factor = torch.rand(size, size, device=flair.device).to(dtype)
    ways = (lambda: factor @ factor, lambda: product(factor, factor))
    best = min(seconds(way) for _ in range(8) for way in ways)
    return 2 * size**3 / best / 1e9
