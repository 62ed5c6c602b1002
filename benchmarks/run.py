"""Measures this package against Flair (and pytorch-crf) side by side, and writes a report.

pip install -e .[benchmarks]
python benchmarks/run.py                      # everything, into docs/performance.md
python benchmarks/run.py --only crf --only tagging --repetitions 1 --report /tmp/report.md
"""

import logging
import platform
from collections.abc import Callable
from pathlib import Path

import click
import flair
import torch
from arithmetic import bulk_operations, row, training_operations
from crf import crf_losses
from growth import by_count, by_length, plot, stream
from measure import Comparison, matmul_peak
from memory import training_memory
from setting import Material, made_up, real
from tagging import large_vocabulary, tagging, two_workers
from training import epochs

PARTS = (
    "crf",
    "training",
    "tagging",
    "workers",
    "vocabulary",
    "data",
    "memory",
    "growth",
    "stream",
)
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
REAL = {"questions-vi": ("train", "test"), "dialog-es": ("train-es.tsv", "test-es.tsv")}


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Parts; all if not given.")
@click.option("--repetitions", default=3, show_default=True)
@click.option("--report", type=click.Path(path_type=Path), default=Path("docs/performance.md"),
              show_default=True)  # fmt: skip
@click.option("--threads", default=1, show_default=True)
def main(only: tuple[str, ...], repetitions: int, report: Path, threads: int) -> None:
    torch.set_num_threads(threads)
    logging.getLogger("flair").setLevel(logging.ERROR)
    chosen = only or PARTS
    lines = [*_machine(threads), "", *_HEADER]
    times: dict[str, float] = {}

    def add(rows: list[Comparison]) -> None:
        for found in rows:
            click.echo(found.row())
            lines.append(found.row())
            times[found.name] = found.ours

    def write() -> None:  # after each part: nothing is lost when a later one fails
        report.write_text("\n".join([*above, *lines]) + "\n", encoding="utf-8")

    pictures = report.parent
    pictures.mkdir(parents=True, exist_ok=True)
    above = _written_by_hand(report)
    for part, measure in _comparisons(repetitions).items():
        if part.split()[0] in chosen:
            add(measure())
            write()
    if {"training", "tagging"} <= set(chosen):
        lines += ["", "## Share of the matrix-product peak", ""]
        lines += ["| stage | GFLOP | GFLOP/s | of the float32 peak |", "|---|---|---|---|"]
        lines += _shares(times)
        write()
    if "memory" in chosen:
        lines += ["", "## Peak memory of training, batches of 32", ""]
        lines += ["| tags | Flair | ours | ratio |", "|---|---|---|---|"]
        for tags in (25, 167, 331):
            flair_peak, our_peak = training_memory(tags).values()
            lines.append(
                f"| {tags} | {flair_peak:,.0f} MiB | {our_peak:,.0f} MiB "
                f"| ×{flair_peak / our_peak:.1f} |"
            )
            click.echo(lines[-1])
        write()
    if "growth" in chosen:
        by_counts = by_count([1000, 4000, 16_000, 100_000], flair_limit=16_000)
        plot(by_counts, "sentences in one call", "sentences/s", pictures / "growth-count.png")
        by_lengths = by_length([8, 32, 128, 512])
        plot(by_lengths, "tokens in a sentence", "tokens/s", pictures / "growth-length.png")
        lines += ["", "## How cost grows", "", *_rates(by_counts, "sentences", "sentences/s")]
        lines += ["", *_rates(by_lengths, "tokens in a sentence", "tokens/s")]
        lines += ["", "![by number of sentences](growth-count.png)"]
        lines += ["![by length](growth-length.png)"]
        write()
    if "stream" in chosen:
        lines += ["", "## A stream of texts, one process", ""]
        lines += ["| texts | texts/s | peak memory |", "|---|---|---|"]
        for count, rate, peak in stream([10_000, 1_000_000]):
            lines.append(f"| {count:,} | {rate:,.0f} | {peak:,.0f} MiB |")
            click.echo(lines[-1])
    write()
    click.echo(f"Report: {report}")


_HEADER = (
    "| what | the other side | ours | ratio (lowest-highest) | results |",
    "|---|---|---|---|---|",
)
_MARK = "<!-- measured -->"


def _comparisons(repetitions: int) -> dict[str, Callable[[], list[Comparison]]]:
    return {
        **{f"crf {t}": (lambda t=t: crf_losses(t, repetitions)) for t in (25, 47, 167, 331)},
        "training 25": lambda: epochs(made_up(25), repetitions, batches=60),
        "training 167": lambda: epochs(made_up(167), repetitions, batches=6),
        "tagging 25": lambda: tagging(made_up(25), repetitions, theirs_count=640),
        "tagging 167": lambda: tagging(made_up(167), repetitions, theirs_count=320),
        "workers": lambda: [two_workers(repetitions, half) for half in (False, True)],
        "vocabulary": lambda: [large_vocabulary(repetitions)],
        **{f"data {name}": (lambda name=name: _on_data(name, repetitions)) for name in REAL},
    }


def _on_data(name: str, repetitions: int) -> list[Comparison]:
    """An epoch and tagging on real data; nothing where they are not at hand."""
    if not (DATA / name).exists():
        click.echo(f"{DATA / name} is not there: left out.")
        return []
    train, fresh = (DATA / name / part for part in REAL[name])
    material = real(name, train, fresh)
    found = epochs(material, repetitions, batches=30)
    return found + tagging(material, repetitions, theirs_count=640)


def _shares(times: dict[str, float]) -> list[str]:
    """What the stages reach of the machine's peak, from the measured times."""
    peak = matmul_peak(torch.float32)
    lines = []
    for tags in (25, 167):
        material: Material = made_up(tags)
        step, bulk = times[f"epoch, {tags} tags"], times[f"bulk, {tags} tags"]
        trained = training_operations(material, sentences=32)
        lines.append(row(f"training step, {tags} tags", trained, step, peak))
        lines.append(row(f"bulk tagging, {tags} tags", bulk_operations(material), bulk, peak))
    return lines


def _written_by_hand(report: Path) -> list[str]:
    """What stands above the measured part of an older report."""
    if not report.exists():
        return [_MARK]
    text = report.read_text(encoding="utf-8")
    return [text.split(_MARK)[0] + _MARK]


def _machine(threads: int) -> list[str]:
    processor = (
        next(
            (
                line.split(":")[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")
            ),
            platform.processor(),
        )
        if Path("/proc/cpuinfo").exists()
        else platform.processor()
    )
    peaks = ", ".join(
        f"{str(dtype).removeprefix('torch.')} {matmul_peak(dtype):.0f} GFLOP/s"
        for dtype in (torch.float32, torch.bfloat16)
    )
    return [
        "",
        f"Measured on {processor}, {threads} thread(s); Python {platform.python_version()}, "
        f"torch {torch.__version__}, Flair {flair.__version__}. "
        f"Peak of a matrix product: {peaks}.",
    ]


def _rates(rates: dict[str, dict[int, float]], what: str, unit: str) -> list[str]:
    columns = sorted({count for values in rates.values() for count in values})
    lines = [f"| {what} | " + " | ".join(f"{count:,}" for count in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for name, values in rates.items():
        cells = [f"{values[count]:,.0f}" if count in values else "-" for count in columns]
        lines.append(f"| {name} ({unit}) | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
