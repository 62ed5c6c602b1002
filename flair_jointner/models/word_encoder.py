"""Embedding and encoding for tagging, folded into tables of words."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from flair_jointner.layers.folded_lstm import FoldedDirection, FoldedLstm
from flair_jointner.models.batching import pad_indices
from flair_jointner.models.numbered_words import NumberedWords

_TABLE_BYTES = 512 * 2**20
"""What the tables of one kind may take together."""


class _WordTable:
    """A row of numbers for each word, computed when the word is first met."""

    def __init__(self, words: int, width: int, like: Tensor) -> None:
        with torch.inference_mode(False):  # later passes fill it, and may have another mode
            self._rows = like.new_empty(words, width)
            self._is_known = like.new_zeros(words, dtype=torch.bool)

    def fill(self, words: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        """The table, ``[all words, width]``, with the rows of these words."""
        new = words[~self._is_known[words]].unique()
        if len(new):
            self._rows.index_copy_(0, new, compute(new))
            self._is_known[new] = True
        return self._rows

    def forget(self) -> None:
        """Marks all rows as unknown."""
        self._is_known.zero_()


class WordEncoder:
    """Vectors of words → projection → LSTM, of a tagger that is not being trained.

    What a word sends into the gates of the LSTM, and what it leaves behind if it is the first one,
    is computed when the word is first met, and kept in tables if they may be so large; otherwise it
    is computed once per batch.

    Attributes:
        words: The words, and their vectors.
    """

    def __init__(
        self,
        words: NumberedWords,
        projection: nn.Linear | None,
        rnn: nn.LSTM,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Folds the weights as they are now.

        Args:
            words: The words, and their vectors.
            projection: The linear layer between the vectors and the LSTM, if any.
            rnn: The LSTM, with one layer.
            dtype: Type to compute in; that of the weights when None.
        """
        self.words = words
        weight = next(rnn.parameters())
        with torch.autocast(weight.device.type, enabled=False):  # a caller's would round it
            self._lstm = FoldedLstm(rnn, projection, dtype)
        kept = torch.empty(0, dtype=dtype or weight.dtype, device=weight.device)
        self._gates = self._tables(4 * rnn.hidden_size, kept)
        self._begun = self._tables(6 * rnn.hidden_size, kept)

    def _tables(self, width: int, like: Tensor) -> list[_WordTable] | None:
        """A table for each direction, if there is room for them."""
        words, directions = self.words.room, len(self._lstm.directions)
        if directions * words * width * like.element_size() > _TABLE_BYTES:
            return None
        return [_WordTable(words, width, like) for _ in range(directions)]

    def encode(self, batch: Sequence[list[str]]) -> Tensor:
        """Runs the first two stations.

        Args:
            batch: The tokens of each sentence, the longest sentence first.

        Returns:
            H, ``[batch, tokens, hidden]``, 0 on padding.
        """
        lengths = torch.tensor(list(map(len, batch)))
        with self.words.lock:
            words = pad_indices(self._find(batch))  # [batch, tokens]
            return self._run(words, lengths)

    def _find(self, batch: Sequence[list[str]]) -> list[list[int]]:
        """Numbers the words of a batch."""
        if self._is_full:
            # The tables first: who is interrupted in between must not find rows of other words.
            for table in (*(self._gates or ()), *(self._begun or ())):
                table.forget()
            self.words.forget()
        return [self.words.find(tokens) for tokens in batch]

    def _run(self, words: Tensor, lengths: Tensor) -> Tensor:
        with torch.autocast(words.device.type, enabled=False):  # the type is chosen already
            gates, words = self._look_up(words)
            last = (lengths - 1).to(words.device).unsqueeze(1)
            ends = [words[:, 0], words.gather(1, last).squeeze(1)]
            begun = [self._begin(index, own, ends[index]) for index, own in enumerate(gates)]
            return self._lstm.run(gates, words, begun, lengths)

    def _look_up(self, words: Tensor) -> tuple[list[Tensor], Tensor]:
        """The gates of words, by direction, and where each word stands among them."""
        directions = self._lstm.directions
        if self._gates is None or self._is_full:
            distinct, words = words.unique(return_inverse=True)
            vectors = self.words.vectors(distinct)
            return [direction.gates(vectors) for direction in directions], words
        pairs = zip(self._gates, directions, strict=True)
        return [table.fill(words, partial(self._compute, own)) for table, own in pairs], words

    def _compute(self, direction: FoldedDirection, words: Tensor) -> Tensor:
        return direction.gates(self.words.vectors(words))

    def _begin(self, index: int, gates: Tensor, words: Tensor) -> Tensor:
        """What the first words of sentences leave behind, ``[sentences, 6 · hidden]``."""

        def begin(words: Tensor) -> Tensor:
            return self._lstm.directions[index].begin(gates.index_select(0, words))

        if self._begun is None or self._is_full:
            return begin(words)
        return self._begun[index].fill(words, begin).index_select(0, words)

    @property
    def _is_full(self) -> bool:
        """Whether the tables lack room for the words of this batch."""
        return self.words.met > self.words.room


class EncoderMemory:
    """The encoder of a tagger, and what it was made from.

    Copies and pickles of a tagger start without: oneDNN's layout of a matrix cannot be copied, and
    another process makes its own.

    Attributes:
        encoder: The encoder; None before the first use.
    """

    def __init__(self) -> None:
        """Starts empty."""
        self.encoder: WordEncoder | None = None
        self._made_from: object = None

    def get(self, made_from: object, make: Callable[[], WordEncoder]) -> WordEncoder:
        """The encoder, made anew if what it depends on is no longer the same.

        Args:
            made_from: What it depends on.
            make: Makes it.

        Returns:
            The encoder.
        """
        if self.encoder is None or self._made_from != made_from:
            self.encoder, self._made_from = make(), made_from
        return self.encoder

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """An empty one."""
        return (type(self), ())
