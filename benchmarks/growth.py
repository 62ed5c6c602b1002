"""How cost grows: with the number of sentences, and with their length; and what memory it takes."""

import itertools
import resource
import subprocess
import sys
from pathlib import Path

import flair
import torch
from flair.data import Sentence
from flair.models import SequenceTagger
from measure import seconds
from setting import made_up, texts, titles, trained_pair, unlabelled

from flair_jointner import JointTagger


def by_count(counts: list[int], flair_limit: int, batch_size: int) -> dict[str, dict[int, float]]:
    """Sentences per second of one call, by number of sentences."""
    material = made_up(25)
    theirs, ours = trained_pair(material)
    pool = material.fresh
    rates: dict[str, dict[int, float]] = {"Flair predict": {}, "predict": {}, "bulk": {}}
    for count in counts:
        data = list(itertools.islice(itertools.cycle(pool), count))
        if count <= flair_limit:
            rates["Flair predict"][count] = count / _predict_seconds(theirs, data, batch_size)
        rates["predict"][count] = count / _predict_seconds(ours, data, batch_size)
        rates["bulk"][count] = count / _bulk_seconds(ours, data, batch_size)
    return rates


def _predict_seconds(tagger: SequenceTagger, data: list[Sentence], batch_size: int) -> float:
    fresh = unlabelled(data)
    return seconds(lambda: tagger.predict(fresh, mini_batch_size=batch_size))


def _bulk_seconds(tagger: JointTagger, data: list[Sentence], batch_size: int) -> float:
    tokens = texts(data)
    return seconds(lambda: sum(1 for _ in tagger.tag(tokens, batch_size=max(256, batch_size))))


def by_length(lengths: list[int], batch_size: int) -> dict[str, dict[int, float]]:
    """Tokens per second, by length of the sentences."""
    theirs, ours = trained_pair(made_up(25))
    rates: dict[str, dict[int, float]] = {"Flair predict": {}, "bulk": {}}
    for length in lengths:
        data = titles(max(32, 16_000 // length), 5, 5000, mean=length, seed=2)
        count = sum(map(len, data))
        rates["Flair predict"][length] = count / _predict_seconds(theirs, data, batch_size)
        rates["bulk"][length] = count / _bulk_seconds(ours, data, batch_size)
    return rates


def stream(counts: list[int], batch_size: int) -> list[tuple[int, float, float]]:
    """Rate and peak memory of a stream of texts: count, texts per second, MiB.

    Each count runs in a process of its own, because the peak of a process never falls.
    """
    found = []
    for count in counts:
        command = [sys.executable, __file__, str(count), str(batch_size), str(flair.device)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rate, peak = done.stdout.split()[-2:]
        found.append((count, float(rate), float(peak)))
    return found


def plot(rates: dict[str, dict[int, float]], label: str, unit: str, path: Path) -> None:
    """Draws rates on logarithmic axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(5.5, 4))
    for name, values in rates.items():
        axis.plot(list(values), list(values.values()), "o-", label=name)
    axis.set(xlabel=label, ylabel=unit, xscale="log", yscale="log")
    axis.grid(alpha=0.3, which="both")
    axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _stream_once(count: int, batch_size: int) -> tuple[float, float]:
    material = made_up(25)
    _, ours = trained_pair(material)
    endless = itertools.cycle(texts(material.fresh))
    rows = ours.tag(itertools.islice(endless, count), batch_size=max(256, batch_size))
    taken = seconds(lambda: sum(1 for _ in rows))
    return count / taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    torch.set_num_threads(1)
    flair.device = torch.device(sys.argv[3])
    print(*_stream_once(*map(int, sys.argv[1:3])))
