"""Between Flair's corpora and lists of sentences."""

from collections.abc import Sequence
from typing import Any

from flair.data import Corpus, Sentence
from flair.datasets import FlairDatapointDataset


def split_sentences(split: Any) -> list[Sentence]:
    """Gives the sentences of a split.

    Args:
        split: Such as `corpus.train`; None if the corpus does not have it.

    Returns:
        Its sentences.
    """
    return [split[index] for index in range(len(split or []))]


def as_split(sentences: Sequence[Sentence]) -> FlairDatapointDataset[Sentence] | None:
    """Makes a split of a corpus.

    Args:
        sentences: Its sentences.

    Returns:
        The split; None if there is no sentence, as Flair's corpora have it.
    """
    return FlairDatapointDataset(list(sentences)) if sentences else None


def corpus_of(
    train: Sequence[Sentence],
    dev: Sequence[Sentence] = (),
    test: Sequence[Sentence] = (),
    name: str = "corpus",
) -> Corpus[Sentence]:
    """Makes a corpus of sentences; a split without any is left out, and none is sampled.

    Args:
        train: For training.
        dev: For development.
        test: For testing.
        name: Name of the corpus.

    Returns:
        The corpus.
    """
    return Corpus(
        as_split(train), as_split(dev), as_split(test), name=name, sample_missing_splits=False
    )
