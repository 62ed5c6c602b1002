"""The finished runs of a study, by cell of the grid."""

from collections import defaultdict
from functools import cached_property, lru_cache

from flair_jointner.studies.config import Study
from flair_jointner.studies.grid import plan
from flair_jointner.studies.records import Record, read_records
from flair_jointner.studies.sections import Size
from flair_jointner.studies.statistics import Gain, Summary, compare, summarize


class Results:
    """The finished runs of a study.

    Attributes:
        study: The study.
        planned: How many runs there will be.
        records: Runs with scores.
        failed: Runs that failed.
        diverged: Runs with scores, of the best model before the dev loss was no number any more.
    """

    def __init__(self, study: Study) -> None:
        """Reads what there is.

        Args:
            study: The study.

        Raises:
            ValueError: If no run of it is finished.
        """
        records = list(read_records(study).values())
        self.study = study
        runs = plan(study)
        self.planned = len(runs)
        self._planned: defaultdict[tuple[str, Size, str], set[int]] = defaultdict(set)
        for run in runs:
            self._planned[run.data, run.size, run.configuration].add(run.seed)
        self.records = [record for record in records if "error" not in record]
        self.failed = [record for record in records if "error" in record]
        self.diverged = [record for record in self.records if record.get("diverged")]
        if not self.records and self.failed:
            raise ValueError(
                f"All {len(self.failed)} runs failed, the first with: {self.failed[0]['error']} "
                f"(logs in {study.output / 'logs'}). --retry does them again."
            )
        if not self.records:
            raise ValueError(
                f"No run of this study is finished in {study.output}: run it first, without "
                "--report."
            )
        self.gain = lru_cache(maxsize=None)(self._gain)

    def cell(self, data: str, size: Size, configuration: str) -> list[Record]:
        """The runs of one cell, by seed.

        Args:
            data: Name of the data set.
            size: Training size.
            configuration: Name of the configuration.

        Returns:
            The records.
        """
        wanted = (data, size, configuration)
        found = [r for r in self.records if (r["data"], r["size"], r["configuration"]) == wanted]
        return sorted(found, key=lambda record: record["seed"])

    def f1(self, data: str, size: Size, configuration: str, split: str = "test") -> Summary | None:
        """The F1 of a cell.

        Args:
            data: Name of the data set.
            size: Training size.
            configuration: Name of the configuration.
            split: ``"test"`` or ``"dev"``.

        Returns:
            Mean and deviation over seeds; None without runs.
        """
        scores = [record[split]["f1"] for record in self.cell(data, size, configuration)]
        return summarize(scores) if scores else None

    def _gain(self, data: str, size: Size, configuration: str, baseline: str) -> Gain | None:
        """The gain of a cell over that of another configuration, computed once."""
        return compare(self.cell(data, size, configuration), self.cell(data, size, baseline))

    @cached_property
    def places(self) -> list[tuple[str, Size]]:
        """Data sets and sizes that have runs, in the order of the study."""
        there = {(record["data"], record["size"]) for record in self.records}
        return [
            (data, size)
            for size in self.study.all_sizes()
            for data in self.study.data
            if (data, size) in there
        ]

    @property
    def sizes(self) -> list[Size]:
        """Training sizes that have runs, the largest last."""
        return list(dict.fromkeys(size for _, size in self.places))

    def count(self, data: str, size: Size) -> int:
        """The number of annotated training sentences that a size stands for.

        Args:
            data: Name of the data set.
            size: Training size.

        Returns:
            The size; for ``"all"`` the smallest training set of its runs, to which others may add.
        """
        if size != "all":
            return size
        runs = [r for r in self.records if (r["data"], r["size"]) == (data, size)]
        return min(record["sentences"]["train"] for record in runs)

    def columns(self, size: Size) -> list[str]:
        """Data sets that have runs of a size.

        Args:
            size: Training size.

        Returns:
            Their names, in the order of the study.
        """
        return [data for data, other in self.places if other == size]

    def compared(self, data: str, size: Size, split: str) -> dict[str, float]:
        """The F1 of the configurations that can be compared: means over the seeds that they share.

        These are the seeds that all finished configurations have, but those that have none in
        common with the ones before them; as long as none is finished, the seeds of the one that has
        the most. Left out are configurations that lack one of them.

        Args:
            data: Name of the data set.
            size: Training size.
            split: ``"test"`` or ``"dev"``.

        Returns:
            Fractions by name of the configuration.
        """
        scores = {
            name: {record["seed"]: record[split]["f1"] for record in self.cell(data, size, name)}
            for name in self.study.configurations
        }
        finished = [
            set(found)
            for name, found in scores.items()
            if found and self._planned[data, size, name] <= set(found)
        ]
        shared, *others = finished or [max((set(found) for found in scores.values()), key=len)]
        for seeds in others:
            shared = shared & seeds or shared
        return {
            name: summarize([found[seed] for seed in sorted(shared)]).mean
            for name, found in scores.items()
            if shared <= set(found)
        }

    def best(self, data: str, size: Size) -> str:
        """The configuration with the highest dev F1: a choice that does not look at the test data.

        Args:
            data: Name of the data set.
            size: Training size.

        Returns:
            Its name, of those that can be :meth:`compared`.
        """
        return _highest(self.compared(data, size, "dev"))

    def best_overall(self, size: Size) -> str | None:
        """The configuration with the highest dev F1, averaged over all data sets of a size.

        Args:
            size: Training size.

        Returns:
            Its name, of those that can be :meth:`compared` on all of them; None if there is none.
        """
        found = [self.compared(data, size, "dev") for data in self.columns(size)]
        everywhere = [name for name in found[0] if all(name in scores for scores in found)]
        means = {name: sum(scores[name] for scores in found) for name in everywhere}
        return _highest(means) if means else None

    def has_equal_seeds(self) -> bool:
        """Whether all configurations of a data set and size have as many seeds."""
        return all(
            len(
                {
                    len(runs)
                    for name in self.study.configurations
                    if (runs := self.cell(*place, name))
                }
            )
            == 1
            for place in self.places
        )

    def mean_f1(self, size: Size, configuration: str, split: str = "test") -> float | None:
        """Mean F1 over all data sets of a size.

        Args:
            size: Training size.
            configuration: Name of the configuration.
            split: ``"test"`` or ``"dev"``.

        Returns:
            A fraction; None if it has no runs on one of them.
        """
        found = [
            self.f1(data, size, configuration, split)
            for data, other in self.places
            if other == size
        ]
        scores = [summary.mean for summary in found if summary is not None]
        return sum(scores) / len(scores) if len(scores) == len(found) else None


def _highest(scores: dict[str, float]) -> str:
    return max(scores, key=lambda name: scores[name])
