"""A study's report: Markdown, and HTML in one file."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from flair_jointner.data.whole_files import written_whole
from flair_jointner.studies.html_page import html_page
from flair_jointner.studies.plots import draw_all, shows_all
from flair_jointner.studies.report_method import how_it_was_run
from flair_jointner.studies.results import Results
from flair_jointner.studies.scores import BLOCKS
from flair_jointner.studies.sections import Size
from flair_jointner.studies.statistics import FEWEST_BLOCKS, RESAMPLES
from flair_jointner.studies.tables import (
    accuracy_table,
    escape,
    f1_table,
    gain_table,
    show_gain,
    show_summary,
    table,
)

MARKER = "<!-- written by `jointner study --report`: what stands above this line is kept -->"


def write_report(results: Results, path: str | Path) -> list[Path]:
    """Writes the report of what is finished.

    Args:
        results: The results.
        path: The Markdown file. What a person wrote above the marker in it is kept. Beside it
            come the same as HTML, and a folder of pictures.

    Returns:
        The Markdown file and the HTML file.

    Raises:
        ValueError: If the file is of another format, or what would be written over was made by
            somebody else.
    """
    path = Path(path)
    if path.suffix != ".md":
        raise ValueError(f"The report is Markdown, with HTML beside it: name it {path.stem}.md.")
    kept = _kept(path)
    page, folder = path.with_suffix(".html"), path.with_suffix("")
    _kept(page)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file, where the pictures would lie: choose another name.")
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = draw_all(results, folder)
    links = {name: quote(f"{path.stem}/{file.name}") for name, file in pictures.items()}
    text = f"{kept}{MARKER}\n\n" + "\n\n".join(_sections(results, links)) + "\n"
    for file, content in ((path, text), (page, html_page(text, path.parent))):
        with written_whole(file) as temporary:
            temporary.write_text(content, encoding="utf-8")
    return [path, page]


def _kept(path: Path) -> str:
    """What a person wrote; a title for a new file."""
    if not path.exists():
        return "# Results\n\n"
    text = path.read_text(encoding="utf-8")
    if MARKER not in text:
        raise ValueError(f"{path} was not written by this command: choose another file.")
    return text[: text.index(MARKER)]


def _sections(results: Results, links: dict[str, str]) -> Iterator[str]:
    yield _advice(results)
    for size in results.sizes:
        yield _f1(results, size)
    for baseline in results.study.baselines:
        for size in results.sizes:
            yield _gains(results, size, baseline)
    if "sizes" in links:
        yield _f1_by_size(results, links["sizes"])
    yield _learning_curves(results, links["learning-curves"])
    yield _types(results, links["types"])
    yield _confusion(links["confusion"])
    if any(record["test"]["accuracy"] is not None for record in results.records):
        for size in results.sizes:
            yield _accuracy(results, size)
    yield how_it_was_run(results)
    if results.failed or results.diverged:
        yield _failures(results)


def _advice(results: Results) -> str:
    """What to take and what it is worth, chosen on dev data."""
    baseline = results.study.baselines[0]
    rows = []
    for data, size in results.places:
        best = results.best(data, size)
        before, after = results.f1(data, size, baseline), results.f1(data, size, best)
        gain = results.gain(data, size, best, baseline) if best != baseline else None
        rows.append(
            [
                f"{escape(data)}, {size}",
                escape(best),
                show_summary(before) if before else "",
                show_summary(after) if after else "",
                show_gain(gain) if gain else "",
            ]
        )
    several = [size for size in results.sizes if len(results.columns(size)) > 1]
    rows += [_overall(results, size, baseline) for size in several]
    of_baseline = f"test F1 of {escape(baseline)}"
    head = ["data, sentences", "best on dev", of_baseline, "its test F1", "gain"]
    return (
        "## Which configuration to take\n\n"
        "The one with the highest mean F1 on the dev data; what it is worth is measured on the "
        f"test data, which had no part in the choice. {_about_tests()}\n\n"
        f"{_how_complete(results)}{table(head, rows)}"
    )


def _how_complete(results: Results) -> str:
    """What is missing, and what that means for the choice."""
    text = ""
    if len(results.records) < results.planned:
        failed = f", and {len(results.failed)} failed" if results.failed else ""
        text = f"**{len(results.records)} of {results.planned} runs are finished{failed}.** "
    if not results.has_equal_seeds():
        text += (
            "Compared are means over the seeds that the finished configurations share; one that "
            "lacks any of these is left out."
        )
    return f"{text.strip()}\n\n" if text else ""


def _overall(results: Results, size: Size, baseline: str) -> list[str]:
    """The row of the configuration that is best over all data sets together."""
    best = results.best_overall(size)
    if best is None:
        return [f"mean, {size}", "none has runs on all data sets", "", "", ""]
    gains = [results.gain(data, size, best, baseline) for data in results.columns(size)]
    known = [gain.mean for gain in gains if gain is not None]
    has_all = best != baseline and len(known) == len(gains)
    return [
        f"mean, {size}",
        escape(best),
        *(_percent(results.mean_f1(size, name)) for name in (baseline, best)),
        f"{100 * sum(known) / len(known):+.2f}" if has_all else "",
    ]


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.2f}"


def _about_tests() -> str:
    return (
        "Gains are in points of F1, with a 95% interval and a two-sided p-value of the paired "
        f"bootstrap over test sentences ({RESAMPLES:,} resamples of the mean over seeds, in at "
        f"most {BLOCKS} blocks of neighbouring sentences; Koehn, 2004, and Carlstein, 1986; none "
        f"for less than {FEWEST_BLOCKS} sentences), then the same of a paired t-test over seeds. "
        "No p-value is corrected for the number of comparisons, and none knows what other training "
        "sentences would have given: all seeds share one draw of them, one set of word vectors and "
        "one pre-trained classifier."
    )


def _f1(results: Results, size: Size) -> str:
    return (
        f"## Test F1, {_named(results, size)}\n\n"
        "Micro F1 of exactly matched entities in percent: mean ± standard deviation (number of "
        "seeds). The best of each column is bold, over the seeds that are compared (see above)."
        f"\n\n{f1_table(results, size)}"
    )


def _gains(results: Results, size: Size, baseline: str) -> str:
    return (
        f"## Gain over {escape(baseline)}, {_named(results, size)}\n\n"
        "In points of F1, with interval and p-value over test sentences, and over the "
        "seeds that both sides have (see the first section)."
        f"\n\n{gain_table(results, size, baseline)}"
    )


def _f1_by_size(results: Results, link: str) -> str:
    return (
        f"## F1 against training size\n\n![F1 against training size]({link})\n\n"
        f"Means and standard deviations over the seeds.{_which_are_drawn(results)}"
    )


def _learning_curves(results: Results, link: str) -> str:
    return (
        f"## Learning curves\n\n![Dev F1 by epoch]({link})\n\n"
        f"Means over the seeds, as far as all of them train.{_which_are_drawn(results)}"
    )


def _which_are_drawn(results: Results) -> str:
    if shows_all(results):
        return ""
    return " Drawn are the configurations compared with, and the best ones on the dev data."


def _types(results: Results, link: str) -> str:
    return (
        f"## By entity type\n\n![Test F1 of each type]({link})\n\n"
        f"Of {escape(results.study.baselines[0])} and the best configuration on the dev data. In "
        "brackets: how often the type occurs in the test data."
    )


def _confusion(link: str) -> str:
    return (
        f"## Confusion\n\n![What gold entities were found as]({link})\n\n"
        "Of the best configuration on the dev data. `other boundaries`: found with its type, but "
        "longer or shorter. `spurious`: found where there is no entity. In brackets: how many a "
        "run has."
    )


def _accuracy(results: Results, size: Size) -> str:
    return f"## Accuracy of the classes, {_named(results, size)}\n\n{accuracy_table(results, size)}"


def _failures(results: Results) -> str:
    found = [(r, f"`{r['error'].strip().splitlines()[-1]}`") for r in results.failed]
    found += [
        (r, f"diverged after epoch {r['epochs']}; the best model before is scored")
        for r in results.diverged
    ]
    rows = [
        [escape(f"{r['data']}, {r['size']}, {r['configuration']}, seed {r['seed']}"), what]
        for r, what in found
    ]
    return f"## Runs that failed\n\n{table(['run', 'error'], rows)}"


def _named(results: Results, size: Size) -> str:
    if size != "all":
        return f"{size:,} training sentences"
    counts = sorted({results.count(data, size) for data in results.columns(size)})
    numbers = " to ".join(f"{count:,}" for count in dict.fromkeys([counts[0], counts[-1]]))
    return f"all training sentences ({numbers})"
