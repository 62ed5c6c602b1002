"""A training epoch through Flair's ModelTrainer."""

import tempfile
from collections.abc import Callable
from typing import Any

import torch
from flair.models import SequenceTagger
from flair.trainers import ModelTrainer
from measure import Comparison, compare
from setting import Material, corpus, flair_tagger, our_tagger

from flair_jointner.training import PAPER_SETTINGS, train


def epochs(material: Material, repetitions: int, batches: int, batch_size: int) -> list[Comparison]:
    """Compares an epoch of ours with Flair's: as `train` does it, unbucketed, and in bfloat16.

    Flair's side may train on fewer batches; both are counted per batch.
    """
    sentences = material.train[: len(material.train) // batch_size * batch_size]
    few = sentences[: batch_size * batches]
    name, all_batches = material.name, len(sentences) // batch_size

    common = {"max_epochs": 1, "save_final_model": False, "mini_batch_size": batch_size}

    def theirs() -> None:
        settings = {**PAPER_SETTINGS, **common}
        with tempfile.TemporaryDirectory() as folder:
            ModelTrainer(flair_tagger(material), corpus(few)).train(folder, **settings)

    def ours(attention: str | None = None, **options: Any) -> Callable[[], None]:
        settings = {**common, "least_updates": 1, **options}  # the batch size as it is given

        def run() -> None:
            tagger = our_tagger(material, attention=attention)
            with tempfile.TemporaryDirectory() as folder:
                train(tagger, corpus(sentences), folder, **settings)

        return run

    agreement = _agreement(flair_tagger(material), our_tagger(material), few[:batch_size])
    shared = {"repetitions": repetitions, "per": batches, "our_work": all_batches / batches}
    rows = [
        compare(f"epoch, {name}", theirs, ours(), agreement, **shared),
        compare(f"epoch, {name}, unbucketed", theirs, ours(sampler=None), agreement, **shared),
        compare(f"epoch, {name}, bfloat16", theirs, ours(bfloat16=True), agreement, **shared),
    ]
    learned = compare(
        f"epoch with learned attention over one without, {name} (at most 2.1)",
        ours(attention="learned"),
        ours(),
        "the arithmetic doubles",
        repetitions=repetitions,
        per=all_batches,
    )
    return [*rows, learned]


def _agreement(theirs: SequenceTagger, ours: SequenceTagger, batch: list[Any]) -> str:
    """The losses of the same weights on the same batch."""
    theirs.load_state_dict(ours.state_dict())
    theirs.eval()
    ours.eval()
    with torch.no_grad():
        total = float(theirs.forward_loss(batch)[0])
        mean = float(ours.forward_loss(batch)[0])
    return f"losses differ by {abs(total - len(batch) * mean) / total:.0e}"
