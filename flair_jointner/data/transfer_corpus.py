"""Two resources in one corpus: a source with many annotations, and a target with few.

The setting of Zhou et al. (2019): what is learnt from the source is to help the target, so the dev
and test data are the target's. Which resource a sentence is from stands in its metadata; a sentence
that says nothing is from the target.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from flair.data import Corpus, Sentence
from flair.samplers import FlairSampler

from flair_jointner.data.sampling import one_pass
from flair_jointner.data.splits import as_split, split_sentences

# With a colon, so that no comment of a file means it.
_KEY, _SOURCE = "datnet:resource", "source"


def mark_source(sentence: Sentence) -> None:
    """Records that a sentence is from the source.

    Args:
        sentence: The sentence to mark.
    """
    sentence.add_metadata(_KEY, _SOURCE)


def is_source(sentence: Sentence) -> bool:
    """Tells whether a sentence is from the source.

    Args:
        sentence: The sentence.

    Returns:
        True if it was marked with `mark_source`, else False: it is from the target.
    """
    return sentence.has_metadata(_KEY) and sentence.get_metadata(_KEY) == _SOURCE


class TransferCorpus(Corpus):
    """The training data of a source and a target, and the dev and test data of the target.

    The source's own dev and test data are left out, as in the paper.

    Attributes:
        mixing_rate: The share of the batches that are the source's, with which
            :func:`~flair_jointner.training.train` trains.
    """

    def __init__(
        self,
        source: Corpus[Sentence],
        target: Corpus[Sentence],
        mixing_rate: float | None = None,
        name: str = "transfer",
    ) -> None:
        """Puts two corpora together; the training sentences of the source are marked.

        Args:
            source: Its training data are the source.
            target: Its training data are the target; its dev and test data become this corpus's.
            mixing_rate: The share of the batches that are the source's, above 0 and below 1; that
                of :func:`balanced_rate` if not given. The paper adds the losses of both resources
                (Eq. 2), which is 0.5, and does not say how often a sentence of either is seen.
            name: The name of the corpus.

        Raises:
            ValueError: If a resource has no training data, both hold the same sentence, or the
                mixing rate is out of its range.
        """
        if mixing_rate is not None:
            _check_rate(mixing_rate)
        sentences = {
            "source": split_sentences(source.train),
            "target": split_sentences(target.train),
        }
        for resource, found in sentences.items():
            if not found:
                raise ValueError(
                    f"The {resource} has no training data: give a corpus with a train split."
                )
        dev, test = split_sentences(target.dev), split_sentences(target.test)
        both = {id(sentence) for sentence in sentences["source"]}
        for sentence in (*sentences["target"], *dev, *test):
            if id(sentence) in both or is_source(sentence):
                raise ValueError(
                    f"{sentence.text!r} is in the target, but also a sentence of a source: read "
                    "each resource from its own files."
                )
        for sentence in sentences["source"]:
            mark_source(sentence)
        super().__init__(
            as_split([*sentences["source"], *sentences["target"]]),
            as_split(dev),
            as_split(test),
            name=name,
            sample_missing_splits=False,
        )
        if mixing_rate is None:
            mixing_rate = balanced_rate(len(sentences["source"]), len(sentences["target"]))
        self.mixing_rate = mixing_rate


def balanced_rate(source: int, target: int) -> float:
    """The mixing rate at which resources are seen in the ratio of the roots of their sizes.

    With as many batches of both, the few sentences of a small target are learnt by heart long
    before the source is gone through once; in the ratio of their sizes the target drowns. The root
    is between the two, and usual where languages of different size are learnt together
    (temperature 2 of Arivazhagan et al., 2019).

    Args:
        source: Number of its training sentences.
        target: Number of its training sentences.

    Returns:
        The share of the batches that are the source's: 0.92 for 14,000 sentences and 100.

    Raises:
        ValueError: If a number is below 1.
    """
    if min(source, target) < 1:
        raise ValueError(
            f"The source has {source} sentences and the target {target}: both need one or more."
        )
    return math.sqrt(source) / (math.sqrt(source) + math.sqrt(target))


def alternating_resources(
    batch_size: int, mixing_rate: float, least_batches: int = 1
) -> type[FlairSampler]:
    """Makes a sampler whose batches are all of one resource, in random turns.

    An epoch has as many batches as all sentences fill. The share ``mixing_rate`` of them (at least
    one, and not all) is the source's, whichever resource is the larger. Each resource is gone
    through again and again, from one epoch to the next, so that each of its sentences comes equally
    often; batches hold sentences of similar length, as those of
    :func:`~flair_jointner.data.length_bucketed`. All batches are full: the ten sentences of a tiny
    target come three times or four in a batch of 32.

    Args:
        batch_size: ``mini_batch_size`` of the trainer.
        mixing_rate: The share of the batches that are the source's, above 0 and below 1, such as
            that of a :class:`TransferCorpus`.
        least_batches: Batches of an epoch at least.

    Returns:
        A sampler class, for ``ModelTrainer.train(sampler=...)``. It raises a ValueError where the
        training data hold one resource only.

    Raises:
        ValueError: If a number is out of its range.
    """
    _check_rate(mixing_rate)
    if min(batch_size, least_batches) < 1:
        raise ValueError(
            f"batch_size is {batch_size} and least_batches {least_batches}: both have to be 1 or "
            "more."
        )

    class AlternatingSampler(_Turns):
        """Flair's trainer takes a class, and makes the sampler without arguments."""

        def __init__(self) -> None:
            super().__init__(batch_size, mixing_rate, least_batches)

    return AlternatingSampler


class _Turns(FlairSampler):
    """Batches of one resource each; see :func:`alternating_resources`."""

    def __init__(self, batch_size: int, mixing_rate: float, least_batches: int) -> None:
        # Flair's samplers hand an argument to torch's, which takes none any more.
        super().__init__()
        self._batch_size = batch_size
        self._mixing_rate = mixing_rate
        self._least_batches = least_batches

    def set_dataset(self, data_source: Any) -> None:
        super().set_dataset(data_source)
        sentences = split_sentences(data_source)
        marks = [is_source(sentence) for sentence in sentences]
        parts = [
            [index for index, mark in enumerate(marks) if mark is wanted]
            for wanted in (True, False)
        ]
        self._decks = [_Deck(part, sentences, self._batch_size) for part in parts]
        if not all(deck.indices for deck in self._decks):
            raise ValueError(
                f"Of {len(marks)} training sentences {sum(marks)} are from the source, the "
                "others from the target; both are needed. Put them together with "
                "TransferCorpus(source, target)."
            )

    def __iter__(self) -> Iterator[int]:
        count = self._count_batches()
        from_source = min(max(round(self._mixing_rate * count), 1), count - 1)
        source, target = self._decks
        batches = source.draw(from_source) + target.draw(count - from_source)
        random.shuffle(batches)
        return (index for batch in batches for index in batch)

    def __len__(self) -> int:
        return self._count_batches() * self._batch_size

    def _count_batches(self) -> int:
        return max(math.ceil(self.num_samples / self._batch_size), self._least_batches, 2)


class _Deck:
    """Full batches of one resource, without end."""

    def __init__(self, indices: list[int], sentences: list[Sentence], batch_size: int) -> None:
        self.indices = indices
        self._lengths = [len(sentences[index]) for index in indices]
        self._batch_size = batch_size
        self._batches: list[list[int]] = []
        self._left_over: list[int] = []

    def draw(self, count: int) -> list[list[int]]:
        """The next batches."""
        while len(self._batches) < count:
            full, rest = one_pass(self._lengths, self._batch_size)
            random.shuffle(full)
            self._left_over += rest
            while len(self._left_over) >= self._batch_size:
                full.append(self._left_over[: self._batch_size])
                del self._left_over[: self._batch_size]
            self._batches += full
        drawn, self._batches = self._batches[:count], self._batches[count:]
        return [[self.indices[place] for place in batch] for batch in drawn]


def _check_rate(mixing_rate: float) -> None:
    if not 0 < mixing_rate < 1:
        raise ValueError(
            f"mixing_rate is {mixing_rate}: it has to be above 0 and below 1; 0.5 gives both "
            "resources as many batches."
        )
