"""The pictures of a report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from flair_jointner.studies.results import Results
from flair_jointner.studies.scores import BOUNDARY, MISSED, SPURIOUS
from flair_jointner.studies.statistics import summarize

_COLUMNS = 3
_MOST_TYPES = 8
_MOST_CURVES = 8
_OTHERS = "other types"
_WIDTH, _HEIGHT = 4.2, 3.2  # inches of one part of a picture


def draw_all(results: Results, folder: str | Path) -> dict[str, Path]:
    """Draws what a report shows.

    Args:
        results: The results.
        folder: Where the PNG files go; made if missing.

    Returns:
        The files by the name of the picture; without F1 by size where there is one size only.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        "learning-curves": draw_learning_curves(results),
        "types": draw_types(results),
        "confusion": draw_confusion(results),
    }
    if any(len(_sizes(results, data)) > 1 for data in results.study.data):
        pictures["sizes"] = draw_sizes(results)
    files = {name: folder / f"{name}.png" for name in pictures}
    for name, figure in pictures.items():
        figure.savefig(files[name], dpi=130)
    return files


def shows_all(results: Results) -> bool:
    """Whether there are so few configurations that curves of all can be told apart.

    Args:
        results: The results.

    Returns:
        False if only the baselines and the best configurations on dev data are drawn.
    """
    return len(results.study.configurations) <= _MOST_CURVES


def draw_sizes(results: Results) -> Figure:
    """F1 against the number of training sentences.

    Args:
        results: The results.

    Returns:
        A part for each data set.
    """
    figure, parts = _parts(list(results.study.data))
    for data, axes in parts:
        for name in _shown(results, data):
            points = [
                (results.count(data, size), summary)
                for size in _sizes(results, data)
                if (summary := results.f1(data, size, name))
            ]
            axes.errorbar(
                [count for count, _ in points],
                [100 * summary.mean for _, summary in points],
                [100 * (summary.deviation or 0.0) for _, summary in points],
                marker="o",
                capsize=3,
                label=_as_it_is(name),
            )
        axes.set_xscale("log")
        ticks = [results.count(data, size) for size in _sizes(results, data)]
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.minorticks_off()
        axes.set(xlabel="training sentences", ylabel="test F1 (%)", title=_as_it_is(data))
        _add_legend(axes)
    return figure


def draw_learning_curves(results: Results) -> Figure:
    """Dev F1 after each epoch: the mean over the seeds, as far as all of them train.

    Args:
        results: The results.

    Returns:
        A part for each data set and size.
    """
    figure, parts = _parts(results.places)
    for (data, size), axes in parts:
        for name in _shown(results, data):
            curves = [record["dev_curve"] for record in results.cell(data, size, name)]
            if not curves:
                continue
            shortest = min(map(len, curves))
            means = [
                100 * summarize([curve[epoch] for curve in curves]).mean
                for epoch in range(shortest)
            ]
            axes.plot(range(1, shortest + 1), means, label=_as_it_is(name))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="epoch", ylabel="dev F1 (%)", title=_as_it_is(f"{data}, {size}"))
        _add_legend(axes)
    return figure


def draw_types(results: Results) -> Figure:
    """Test F1 of each entity type, of the baseline and of the best configuration on dev data.

    Args:
        results: The results.

    Returns:
        A part for each data set, at its largest size; the most frequent types first.
    """
    figure, parts = _parts([(data, sizes[-1]) for data, sizes in _largest(results)])
    for (data, size), axes in parts:
        names = list(dict.fromkeys([results.study.baselines[0], results.best(data, size)]))
        runs = {name: results.cell(data, size, name) for name in names}
        support = {
            type_: values["support"]
            for records in runs.values()
            for record in records
            for type_, values in record["test"]["types"].items()
        }
        types = sorted(support, key=lambda type_: -support[type_])[:12]
        for offset, (name, records) in enumerate(runs.items()):
            summaries = [
                summarize([r["test"]["types"].get(type_, {"f1": 0.0})["f1"] for r in records])
                for type_ in types
                if records
            ]
            axes.barh(
                np.arange(len(summaries)) + 0.4 * offset,
                [100 * summary.mean for summary in summaries],
                0.38,
                xerr=[100 * (summary.deviation or 0.0) for summary in summaries],
                label=_as_it_is(name),
            )
        axes.set_yticks(
            np.arange(len(types)) + 0.2 * (len(runs) - 1),
            [_as_it_is(f"{type_} ({support[type_]})") for type_ in types],
            fontsize=7,
        )
        axes.invert_yaxis()
        axes.set(xlabel="test F1 (%)", xlim=(0, 100), title=_as_it_is(f"{data}, {size}"))
        _add_legend(axes)
    return figure


def draw_confusion(results: Results) -> Figure:
    """As what the gold entities of the test data were found by the best configuration on dev data.

    Args:
        results: The results.

    Returns:
        A part for each data set, at its largest size: a row per gold type, with how many a run
        has, in percent of the row; the most frequent types.
    """
    figure, parts = _parts([(data, sizes[-1]) for data, sizes in _largest(results)])
    for (data, size), axes in parts:
        records = results.cell(data, size, results.best(data, size))
        totals: dict[str, dict[str, int]] = {}
        for record in records:
            for gold, row in record["test"]["confusion"].items():
                for found, count in row.items():
                    kept = totals.setdefault(gold, {})
                    kept[found] = kept.get(found, 0) + count
        types = [name for name in totals if name != SPURIOUS]
        types = sorted(types, key=lambda type_: -sum(totals[type_].values()))[:_MOST_TYPES]
        rows, columns = [*types, SPURIOUS], [*types, _OTHERS, BOUNDARY, MISSED]
        counts = np.array([[totals.get(r, {}).get(c, 0) for c in columns] for r in rows], float)
        sums = np.array([[sum(totals.get(row, {}).values())] for row in rows], float)
        counts[:, columns.index(_OTHERS)] = sums[:, 0] - counts.sum(axis=1)
        shares = 100 * counts / np.maximum(sums, 1)
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
        for row, column in np.ndindex(*shares.shape):
            if shares[row, column] >= 0.5:
                axes.text(
                    column,
                    row,
                    f"{shares[row, column]:.0f}",
                    ha="center",
                    va="center",
                    fontsize=6,
                    color="white" if shares[row, column] > 60 else "black",
                )
        axes.set_xticks(range(len(columns)), map(_as_it_is, columns), rotation=90, fontsize=6)
        each = sums[:, 0] / len(records)
        names = [f"{row} ({count:.0f})" for row, count in zip(rows, each, strict=True)]
        axes.set_yticks(range(len(rows)), map(_as_it_is, names), fontsize=6)
        title = _as_it_is(f"{data}, {size}\n{results.best(data, size)}")
        axes.set(xlabel="found as", ylabel="gold")
        axes.set_title(title, fontsize=9)
        figure.colorbar(image, ax=axes, label="% of the row")
    return figure


def _parts(items: Sequence[Any]) -> tuple[Figure, list[tuple[Any, Any]]]:
    """A figure with a part for each item, and no empty ones."""
    columns = min(_COLUMNS, len(items))
    rows = -(-len(items) // columns)
    figure = Figure(figsize=(_WIDTH * columns, _HEIGHT * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes in grid[len(items) :]:
        axes.remove()
    return figure, list(zip(items, grid, strict=False))


def _as_it_is(name: str) -> str:
    """For matplotlib, which sets what stands between dollars as mathematics and hides ``_…``."""
    return ("\u200b" if name.startswith("_") else "") + name.replace("$", r"\$")


def _add_legend(axes: Any) -> None:
    """Below the part, where it hides nothing."""
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.28))


def _shown(results: Results, data: str) -> list[str]:
    """The configurations that pictures show: all, or only the baselines and the best ones."""
    sizes = _sizes(results, data)
    shown = list(results.study.configurations)
    if not shows_all(results):
        best = [results.best(data, size) for size in sizes]
        shown = list(dict.fromkeys([*results.study.baselines, *best]))
    return [name for name in shown if any(results.cell(data, size, name) for size in sizes)]


def _sizes(results: Results, data: str) -> list[Any]:
    return [size for name, size in results.places if name == data]


def _largest(results: Results) -> list[tuple[str, list[Any]]]:
    found = [(data, _sizes(results, data)) for data in results.study.data]
    return [(data, sizes) for data, sizes in found if sizes]
