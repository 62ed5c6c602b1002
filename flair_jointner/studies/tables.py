"""The results of a study as tables in Markdown."""

import re
from collections.abc import Callable, Iterable, Sequence

from flair_jointner.studies.results import Results
from flair_jointner.studies.sections import Size
from flair_jointner.studies.statistics import Gain, Interval, Summary, summarize


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown.

    Args:
        head: The heads of the columns; the first is aligned to the left, the others to the right.
        rows: The cells.

    Returns:
        The lines.
    """
    rule = ["---", *["---:"] * (len(head) - 1)]
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (head, rule, *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def f1_table(results: Results, size: Size) -> str:
    """The paper's Table 1 at one training size: mean ± standard deviation (seeds), in percent.

    Args:
        results: The results.
        size: Training size.

    Returns:
        A table: configurations by data sets, and their mean. The best of each data set is bold, of
        those that can be compared (:meth:`Results.compared`).
    """
    columns = results.columns(size)
    compared = {data: results.compared(data, size, "test") for data in columns}

    def show(name: str, data: str) -> str:
        cell = results.f1(data, size, name)
        if cell is None:
            return ""
        is_best = compared[data].get(name) == max(compared[data].values())
        return f"**{show_summary(cell)}**" if is_best else show_summary(cell)

    def show_mean(name: str) -> str:
        mean = results.mean_f1(size, name)
        return "" if mean is None else f"{100 * mean:.2f}"

    return _by_configuration(results, columns, show, show_mean if len(columns) > 1 else None)


def gain_table(results: Results, size: Size, baseline: str) -> str:
    """Gains over a configuration at one training size.

    Args:
        results: The results.
        size: Training size.
        baseline: The configuration that is subtracted.

    Returns:
        A table: configurations by data sets.
    """
    columns = results.columns(size)

    def show(name: str, data: str) -> str:
        gain = None if name == baseline else results.gain(data, size, name, baseline)
        return show_gain(gain) if gain else ""

    return _by_configuration(results, columns, show)


def accuracy_table(results: Results, size: Size) -> str:
    """Accuracy of the classes at one training size, in percent.

    Args:
        results: The results.
        size: Training size.

    Returns:
        A table: configurations by data sets; empty if no configuration learns classes.
    """
    columns = results.columns(size)

    def show(name: str, data: str) -> str:
        scores = [record["test"]["accuracy"] for record in results.cell(data, size, name)]
        known = [score for score in scores if score is not None]
        return show_summary(summarize(known)) if known else ""

    return _by_configuration(results, columns, show)


def _by_configuration(
    results: Results,
    columns: list[str],
    show: Callable[[str, str], str],
    show_mean: Callable[[str], str] | None = None,
) -> str:
    """Rows without any cell are left out; a column of means comes last, if there is one."""
    head = ["", *map(escape, columns)]
    rows = [
        [escape(name), *(show(name, data) for data in columns)]
        for name in results.study.configurations
    ]
    if show_mean is not None:
        head.append("mean")
        names = results.study.configurations
        rows = [[*row, show_mean(name)] for row, name in zip(rows, names, strict=True)]
    return table(head, [row for row in rows if any(row[1:])])


def escape(name: str) -> str:
    """A name that Markdown and HTML show as it is.

    Args:
        name: The name.

    Returns:
        Markdown.
    """
    name = name.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]])", r"\\\1", name)


def show_summary(summary: Summary) -> str:
    """Mean ± standard deviation in percent, and the number of seeds.

    Args:
        summary: Fractions.

    Returns:
        Such as ``61.20 ± 0.48 (3)``.
    """
    spread = "" if summary.deviation is None else f" ± {100 * summary.deviation:.2f}"
    return f"{100 * summary.mean:.2f}{spread} ({summary.seeds})"


def show_gain(gain: Gain) -> str:
    """A gain in points of F1, with intervals and p-values over sentences and over seeds.

    Args:
        gain: Fractions.

    Returns:
        Such as ``+1.73 [+0.41, +3.02], p = 0.010<br>3 seeds [+0.10, +3.36], p = 0.043``.
    """
    text = f"{100 * gain.mean:+.2f}"
    if gain.over_sentences is not None:
        text += f" {show_interval(gain.over_sentences)}"
    text += f"<br>{gain.seeds} seed{'s' * (gain.seeds > 1)}"
    if gain.over_seeds is not None:
        text += f" {show_interval(gain.over_seeds)}"
    return text


def show_interval(interval: Interval) -> str:
    """An interval in points of F1, with its p-value.

    Args:
        interval: Fractions.

    Returns:
        Such as ``[+0.41, +3.02], p = 0.010``.
    """
    return f"[{100 * interval.low:+.2f}, {100 * interval.high:+.2f}], {show_p(interval.p)}"


def show_p(p: float) -> str:
    """A p-value.

    Args:
        p: The value.

    Returns:
        Such as ``p = 0.010`` or ``p < 0.001``.
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
