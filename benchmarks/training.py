"""A training epoch through Flair's ModelTrainer."""

import tempfile
from collections.abc import Callable
from typing import Any

import torch
from flair.models import SequenceTagger
from flair.trainers import ModelTrainer
from measure import Comparison, compare
from setting import corpus, embeddings, flair_tagger, our_tagger, titles

from flair_jointner.training import PAPER_SETTINGS, train

VOCABULARY = 5000


def epochs(types: int, tags: int, repetitions: int, batches: int) -> list[Comparison]:
    """Compares an epoch of ours, in float32 and in bfloat16, with Flair's.

    Flair's side may train on fewer batches; both are counted per batch.
    """
    words = embeddings(VOCABULARY, types)
    sentences = titles(32 * 120, types, VOCABULARY)
    few = sentences[: 32 * batches]

    def theirs() -> None:
        settings = {**PAPER_SETTINGS, "max_epochs": 1, "save_final_model": False}
        with tempfile.TemporaryDirectory() as folder:
            ModelTrainer(flair_tagger(words, types), corpus(few)).train(folder, **settings)

    def ours(**options: Any) -> Callable[[], None]:
        def run() -> None:
            tagger = our_tagger(words, types, **options.get("tagger", {}))
            with tempfile.TemporaryDirectory() as folder:
                train(
                    tagger,
                    corpus(sentences),
                    folder,
                    max_epochs=1,
                    save_final_model=False,
                    bfloat16=options.get("bfloat16", False),
                )

        return run

    agreement = _agreement(flair_tagger(words, types), our_tagger(words, types), few[:32])
    shared = {"repetitions": repetitions, "per": batches, "our_work": 120 / batches}
    rows = [
        compare(f"epoch, {tags} tags", theirs, ours(), agreement, **shared),
        compare(f"epoch, {tags} tags, bfloat16", theirs, ours(bfloat16=True), agreement, **shared),
    ]
    learned = compare(
        f"epoch with learned attention over one without, {tags} tags (at most 2.1)",
        ours(tagger={"attention": "learned"}),
        ours(),
        "the arithmetic doubles",
        repetitions=repetitions,
        per=120,
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
