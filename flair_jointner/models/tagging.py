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
from torch import Tensor, nn
from tqdm import tqdm

from flair_jointner.models.batching import pad_indices, token_mask
from flair_jointner.models.character_cnn import CharacterCNNEmbeddings
from flair_jointner.models.embedding import (
    forget_trained,
    has_table,
    sentence_context,
    separate_members,
)
from flair_jointner.models.garbage import full_collections_later
from flair_jointner.models.losses import LossMean
from flair_jointner.models.network import TaggerNetwork, TaggerOutput
from flair_jointner.models.numbered_words import NumberedWords, SpelledWords, TableWords
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
_SAMPLE = 4096
"""Numbers of a table of frozen word vectors that are looked at for changes."""
_FOLDED = (
    "embed",
    "_embed_with",
    "_look_up",
    "encode",
    "_before_rnn",
    "_run_rnn",
    "_after_rnn",
    "forward",
)
"""What folding takes the place of."""


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
                looked up 96 to 256 short ones, the more the less their lengths differ, or as many
                as have 16,384 tokens, if that is more.
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
                batch = order[start : start + size]
                yield batch
                start += size
                bar.update(len(batch))

    @contextmanager
    def _network(self) -> Iterator[Callable[[list[Sentence]], TaggerOutput]]:
        """The network without dropout and gradients."""
        tagger = self._tagger
        was_training = tagger.training
        tagger.eval()
        mixed: AbstractContextManager[object] = nullcontext()
        if self._dtype is not None:
            mixed = torch.autocast(torch.device(flair.device).type, self._dtype)
        try:
            with torch.no_grad(), mixed, full_collections_later():
                yield self._run_sentences
        finally:
            tagger.train(was_training)

    def _run_sentences(self, batch: list[Sentence]) -> TaggerOutput:
        if self._encoder is None:
            return self._tagger.forward(*self._tagger.embed(batch))
        return self._run_words([[token.text for token in sentence.tokens] for sentence in batch])

    def _run_words(self, batch: Sequence[list[str]]) -> TaggerOutput:
        encoder = self._encoder
        assert encoder is not None  # for the type checker; callers look first
        lengths = torch.tensor(list(map(len, batch)))
        states = encoder.encode(pad_indices(encoder.find(batch)), lengths)
        return self._tagger.emit(states, token_mask(batch))

    def _decode(self, output: TaggerOutput) -> list[Prediction]:
        return self._tagger.decode(output, self._decoder, **self._wanted)


def _folded_size(falling: list[int], start: int) -> int:
    """How many sentences, of falling lengths, make the batch that begins at one of them."""
    longest = falling[start]
    alike = bisect_right(falling, -_MUCH_SHORTER * longest, lo=start, key=neg) - start
    return min(max(alike, _ENOUGH), _FOLDED_BATCH, _FOLDED_TOKENS // longest)


def fold_words(tagger: "BaseTagger", dtype: torch.dtype | None) -> WordEncoder | None:
    """The folded first stations of a tagger, made anew only when its weights have changed.

    Args:
        tagger: The tagger.
        dtype: Type to compute in; that of the weights when None.

    Returns:
        The encoder; None if the tagger has other stations than it knows.
    """
    if why_not_folded(tagger) is not None:
        return None
    projection = tagger.embedding2nn if tagger.reproject_embeddings else None
    rnn = tagger.rnn
    assert isinstance(rnn, nn.LSTM)  # for the type checker; looked at above
    return tagger.folded.get(
        (dtype, _fingerprint(tagger)),
        lambda: WordEncoder(_words(tagger), projection, rnn, dtype),
    )


def _words(tagger: "BaseTagger") -> NumberedWords:
    """The words of a tagger that can be folded."""
    normalised = tagger.perturbation is not None
    members = [
        (member, tagger.normalisation_of(member) if normalised and has_table(member) else None)
        for member in separate_members(tagger.embeddings)
    ]
    first, norm = members[0]
    if len(members) == 1 and has_table(first):
        return TableWords(first, norm)
    return SpelledWords(members)


def why_not_folded(tagger: "BaseTagger") -> str | None:
    """Why the first stations of a tagger cannot be folded into a word table; None if they can."""
    members = separate_members(tagger.embeddings)
    if not tagger.fast_paths.folded_lstm:
        return "switched off"
    if not all(has_table(m) or isinstance(m, CharacterCNNEmbeddings) for m in members):
        return "the embeddings are not WordEmbeddings without a field or CharacterCNNEmbeddings"
    if not tagger.use_rnn or tagger.rnn_type != "LSTM" or tagger.rnn.num_layers != 1:
        return "the network has no LSTM of one layer"
    if tagger.train_initial_hidden_state or not tagger.rnn.bias:
        return "the LSTM has a trained initial state or no bias"
    system = type(tagger)
    own = [name for name in _FOLDED if getattr(system, name) is not getattr(TaggerNetwork, name)]
    if own:
        return f"{system.__name__} has its own {' and '.join(own)}"
    return None


def _fingerprint(tagger: "BaseTagger") -> tuple[object, ...]:
    """Changes when a folded weight does.

    Fused optimizers, and whoever writes to ``weight.data``, go past torch's version counter: what
    is trained is summed up. Word vectors that are not may be many: the counter, and the sum of some
    thousand numbers from all over the table, tell a new table, though not a few words' new vectors
    that were written past the counter.
    """
    large = list(tagger.embeddings.parameters())
    summed: list[Tensor] = [weight for weight in large if weight.requires_grad]
    summed += tagger.rnn.parameters()
    if tagger.reproject_embeddings:
        summed += tagger.embedding2nn.parameters()
    summed += [*tagger.input_norms.buffers(), *tagger.embeddings.buffers()]
    samples = [w.detach().flatten()[:: max(1, w.numel() // _SAMPLE)] for w in large]
    sums = tuple(float(w.detach().sum(dtype=torch.float64)) for w in (*summed, *samples))
    # Weights that were made in inference mode, and cannot be changed outside of it, count nothing.
    versions = tuple(0 if w.is_inference() else w._version for w in large)
    places = tuple((w.data_ptr(), len(w)) for w in large)
    return (sums, versions, places, id(tagger.embeddings))
