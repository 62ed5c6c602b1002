"""One pass of a trained tagger over many sentences."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from operator import neg
from typing import TYPE_CHECKING

import flair
import torch
from flair.data import Sentence
from flair.training_utils import EmbeddingStorageMode, store_embeddings
from tqdm import tqdm

from flair_jointner.models.batching import token_mask
from flair_jointner.models.embedding import forget_trained, sentence_context
from flair_jointner.models.evaluation_mode import evaluation_mode
from flair_jointner.models.folding import fold_words
from flair_jointner.models.garbage import full_collections_later
from flair_jointner.models.losses import LossMean
from flair_jointner.models.network import TaggerOutput
from flair_jointner.models.prediction import Prediction
from flair_jointner.models.word_encoder import WordEncoder

if TYPE_CHECKING:
    from flair_jointner.models.tagger import BaseTagger

_FOLDED_BATCH = 256
_FOLDED_TOKENS = 64 * _FOLDED_BATCH
"""Padded tokens up to which a batch is made larger than asked for."""
_ENOUGH = 96
"""A batch that is made larger ends after as many, where much shorter sentences follow: attention
and the output layer compute padding too."""
_MUCH_SHORTER = 0.75
_WORTH_FOLDING = 256
"""Folding the weights takes a few milliseconds: fewer tokens take the way of training."""


class TaggingRun:
    """What serves a whole pass: the decoder, and the folded weights if there are any."""

    def __init__(
        self,
        tagger: "BaseTagger",
        batch_size: int,
        with_probabilities: bool = False,
        with_scores: bool = True,
        bfloat16: bool = False,
    ) -> None:
        """Prepares the pass.

        Args:
            tagger: The tagger.
            batch_size: Number of sentences that go through the network at once; where words are
                looked up it is raised to 96 to 256, the more the less the lengths differ, while
                the batch has at most 16,384 padded tokens.
            with_probabilities: Whether the probability of each tag at each token is wanted.
            with_scores: Whether the probability of each entity is wanted.
            bfloat16: Whether to compute in mixed precision.

        Raises:
            ValueError: If the batch size is below 1.
        """
        if batch_size < 1:
            raise ValueError(f"The batch size is {batch_size}: it has to be 1 or more.")
        self._tagger = tagger
        self._decoder = tagger.decoder()
        self._wanted = {"with_probabilities": with_probabilities, "with_scores": with_scores}
        self._dtype = torch.bfloat16 if bfloat16 else None
        self._encoder: WordEncoder | None = None
        self._batch_size = batch_size

    def over_sentences(
        self,
        sentences: Sequence[Sentence],
        storage_mode: EmbeddingStorageMode = "none",
        losses: LossMean | None = None,
        show_progress: bool = False,
    ) -> Iterator[tuple[int, Prediction]]:
        """Predicts the non-empty sentences, the longest first.

        Args:
            sentences: The sentences.
            storage_mode: What becomes of their embeddings.
            losses: Takes in the loss of each batch against the gold labels, if given.
            show_progress: Whether to show a progress bar.

        Yields:
            The index of each sentence and its prediction.
        """
        lengths = [len(sentence) for sentence in sentences]
        self._fold(lengths)
        if self._encoder is None:
            forget_trained(self._tagger, sentences)
        with sentence_context(self._tagger, sentences), self._network() as run:
            for indices in self._batches(lengths, show_progress):
                batch = [sentences[index] for index in indices]
                output = run(batch)
                if losses is not None:
                    losses.add(self._tagger.losses(batch, output))
                yield from zip(indices, self._decode(output), strict=True)
                if self._encoder is None:
                    store_embeddings(batch, storage_mode)

    def over_tokens(self, sentences: Sequence[list[str]]) -> list[Prediction | None]:
        """Predicts tokenised sentences.

        Args:
            sentences: The tokens of each.

        Returns:
            A prediction each; None for an empty one.
        """
        predictions: list[Prediction | None] = [None] * len(sentences)
        lengths = [len(tokens) for tokens in sentences]
        self._fold(lengths)
        if self._encoder is None:
            made = [Sentence(tokens) for tokens in sentences if tokens]
            places = [index for index, tokens in enumerate(sentences) if tokens]
            for index, prediction in self.over_sentences(made):
                predictions[places[index]] = prediction
            return predictions
        with self._network():
            for indices in self._batches(lengths):
                output = self._run_words([sentences[index] for index in indices])
                for index, prediction in zip(indices, self._decode(output), strict=True):
                    predictions[index] = prediction
        return predictions

    def _fold(self, lengths: list[int]) -> None:
        """Folds the weights, if that pays off for sentences of these lengths."""
        worth = sum(lengths) >= _WORTH_FOLDING
        self._encoder = fold_words(self._tagger, self._dtype) if worth else None

    def _batches(self, lengths: list[int], show_progress: bool = False) -> Iterator[list[int]]:
        """Indices of non-empty sentences, the longest first, a batch at a time."""
        order = [index for index, length in enumerate(lengths) if length]
        order.sort(key=lengths.__getitem__, reverse=True)
        falling = [lengths[index] for index in order]
        start = 0
        with tqdm(None, "Tagging", len(order), unit=" texts", disable=not show_progress) as bar:
            while start < len(order):
                size = self._batch_size
                if self._encoder is not None:
                    size = max(size, _folded_size(falling, start))
                size = min(size, self._tagger.most_sentences(falling[start]))
                batch = order[start : start + size]
                yield batch
                start += size
                bar.update(len(batch))

    @contextmanager
    def _network(self) -> Iterator[Callable[[list[Sentence]], TaggerOutput]]:
        """The network without dropout and gradients."""
        mixed: AbstractContextManager[object] = nullcontext()
        if self._dtype is not None:
            mixed = torch.autocast(torch.device(flair.device).type, self._dtype)
        with evaluation_mode(self._tagger), torch.no_grad(), mixed, full_collections_later():
            yield self._run_sentences

    def _run_sentences(self, batch: list[Sentence]) -> TaggerOutput:
        if self._encoder is None:
            return self._tagger.forward(*self._tagger.embed(batch))
        return self._run_words([[token.text for token in sentence.tokens] for sentence in batch])

    def _run_words(self, batch: Sequence[list[str]]) -> TaggerOutput:
        encoder = self._encoder
        assert encoder is not None  # for the type checker; callers look first
        return self._tagger.emit(encoder.encode(batch), token_mask(batch))

    def _decode(self, output: TaggerOutput) -> list[Prediction]:
        return self._tagger.decode(output, self._decoder, **self._wanted)


def _folded_size(falling: list[int], start: int) -> int:
    """How many sentences, of falling lengths, make the batch that begins at one of them."""
    longest = falling[start]
    alike = bisect_right(falling, -_MUCH_SHORTER * longest, lo=start, key=neg) - start
    return min(max(alike, _ENOUGH), _FOLDED_BATCH, _FOLDED_TOKENS // longest)
