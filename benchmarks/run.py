"""Measures this package against Flair (and pytorch-crf) side by side, and writes a report.

pip install -e .[benchmarks]
python benchmarks/run.py                      # everything, into docs/performance.md
python benchmarks/run.py --only crf --only tagging --repetitions 1 --report /tmp/report.md
python benchmarks/run.py --device cuda --batch-size 512 --report docs/performance-gpu.md
"""

import logging
import platform
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
import flair
import torch
from arithmetic import bulk_operations, row, training_operations
from crf import crf_losses
from growth import by_count, by_length, plot, stream
from measure import Comparison, matmul_peak
from memory import training_memory
from report import Report, head
from setting import Material, made_up, real, spelled
from tagging import large_vocabulary, tagging, two_workers
from training import epochs

PARTS = (
    "crf",
    "training",
    "tagging",
    "characters",
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
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--batch-size", default=32, show_default=True,
              help="Sentences at a time, on both sides; in bulk tagging at least 256.")  # fmt: skip
def main(
    only: tuple[str, ...], repetitions: int, report: Path, threads: int, device: str,
    batch_size: int,
) -> None:  # fmt: skip
    torch.set_num_threads(threads)
    flair.device = torch.device(device)
    logging.getLogger("flair").setLevel(logging.ERROR)
    # Two processes that share a GPU measure nothing.
    chosen = only or [part for part in PARTS if device == "cpu" or part != "workers"]
    page = Report(report)
    page.add([*_machine(threads, batch_size), ""])
    page.add(head("what", "the other side", "ours", "ratio (lowest-highest)", "results"))
    times: dict[str, float] = {}
    for part, measure in _comparisons(repetitions, batch_size).items():
        if part.split()[0] in chosen:
            found = measure()
            page.add(comparison.row() for comparison in found)
            times |= {comparison.name: comparison.ours for comparison in found}
    if {"training", "tagging"} <= set(chosen):
        page.section("Share of the matrix-product peak", _shares(times, batch_size))
    if "memory" in chosen:
        page.section(
            f"Peak memory of training, batches of {batch_size}", _training_memory(batch_size)
        )
    if "growth" in chosen:
        page.section("How cost grows", _growth(report.parent, batch_size))
    if "stream" in chosen:
        page.section("A stream of texts, one process", _stream(batch_size))
    click.echo(f"Report: {report}")


def _comparisons(repetitions: int, batch_size: int) -> dict[str, Callable[[], list[Comparison]]]:
    def crf(tags: int) -> list[Comparison]:
        return crf_losses(tags, repetitions, batch_size)

    def training(tags: int, sentences: int) -> list[Comparison]:
        batches = max(6, sentences // batch_size)
        return epochs(made_up(tags), repetitions, batches, batch_size)

    def tag(tags: int, sentences: int) -> list[Comparison]:
        count = max(sentences, 4 * batch_size)
        return tagging(made_up(tags), repetitions, count, batch_size)

    return {
        **{f"crf {tags}": partial(crf, tags) for tags in (25, 47, 167, 331)},
        "training 25": partial(training, 25, 1920),
        "training 167": partial(training, 167, 192),
        "tagging 25": partial(tag, 25, 640),
        "tagging 167": partial(tag, 167, 320),
        "characters 25": lambda: tagging(
            spelled(made_up(25)), repetitions, max(640, 4 * batch_size), batch_size
        ),
        "workers": lambda: [two_workers(repetitions, half) for half in (False, True)],
        "vocabulary": lambda: [large_vocabulary(repetitions, batch_size)],
        **{f"data {name}": partial(_on_data, name, repetitions, batch_size) for name in REAL},
    }


def _on_data(name: str, repetitions: int, batch_size: int) -> list[Comparison]:
    """An epoch and tagging on real data; nothing where they are not at hand."""
    if not (DATA / name).exists():
        click.echo(f"{DATA / name} is not there: left out.")
        return []
    train, fresh = (DATA / name / part for part in REAL[name])
    material = real(name, train, fresh)
    batches = min(len(material.train), 960) // batch_size
    found = epochs(material, repetitions, batches, batch_size)
    return found + tagging(material, repetitions, 640, batch_size)


def _shares(times: dict[str, float], batch_size: int) -> Iterator[str]:
    """What the stages reach of the machine's peak, from the measured times."""
    peak = matmul_peak(torch.float32)
    yield from head("stage", "GFLOP", "GFLOP/s", "of the float32 peak")
    for tags in (25, 167):
        material: Material = made_up(tags)
        step, bulk = times[f"epoch, {tags} tags"], times[f"bulk, {tags} tags"]
        trained = training_operations(material, batch_size)
        yield row(f"training step, {tags} tags", trained, step, peak)
        yield row(f"bulk tagging, {tags} tags", bulk_operations(material), bulk, peak)


def _training_memory(batch_size: int) -> Iterator[str]:
    yield from head("tags", "Flair", "ours", "ratio")
    for tags in (25, 167, 331):
        theirs, ours = training_memory(tags, batch_size).values()
        yield f"| {tags} | {theirs:,.0f} MiB | {ours:,.0f} MiB | ×{theirs / ours:.1f} |"


def _growth(folder: Path, batch_size: int) -> Iterator[str]:
    """Rates by number of sentences and by their length, and pictures of both."""
    name = "growth" if flair.device.type == "cpu" else f"growth-{flair.device.type}"
    counts = by_count([1000, 4000, 16_000, 100_000], 16_000, batch_size)
    plot(counts, "sentences in one call", "sentences/s", folder / f"{name}-count.png")
    yield from _rates(counts, "sentences", "sentences/s")
    yield ""
    lengths = by_length([8, 32, 128, 512], batch_size)
    plot(lengths, "tokens in a sentence", "tokens/s", folder / f"{name}-length.png")
    yield from _rates(lengths, "tokens in a sentence", "tokens/s")
    yield from ("", f"![by number of sentences]({name}-count.png)")
    yield f"![by length]({name}-length.png)"


def _stream(batch_size: int) -> Iterator[str]:
    yield from head("texts", "texts/s", "peak memory")
    for count, rate, peak in stream([10_000, 1_000_000], batch_size):
        yield f"| {count:,} | {rate:,.0f} | {peak:,.0f} MiB |"


def _machine(threads: int, batch_size: int) -> list[str]:
    where = f"{_processor()}, {threads} thread(s)"
    if flair.device.type == "cuda":
        where = f"{torch.cuda.get_device_name()}, beside {where}"
    peaks = ", ".join(
        f"{str(dtype).removeprefix('torch.')} {matmul_peak(dtype):,.0f} GFLOP/s"
        for dtype in (torch.float32, torch.bfloat16)
    )
    return [
        "",
        f"Measured on {where}, batches of {batch_size}; Python {platform.python_version()}, "
        f"torch {torch.__version__}, Flair {flair.__version__}. "
        f"Peak of a matrix product: {peaks}.",
    ]


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor()


def _rates(rates: dict[str, dict[int, float]], what: str, unit: str) -> list[str]:
    columns = sorted({count for values in rates.values() for count in values})
    lines = head(what, *(f"{count:,}" for count in columns))
    for name, values in rates.items():
        cells = [f"{values[count]:,.0f}" if count in values else "-" for count in columns]
        lines.append(f"| {name} ({unit}) | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
