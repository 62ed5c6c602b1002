"""Embedding and encoding for tagging, folded into one table of words."""

from collections.abc import Callable

import torch
from flair.embeddings import WordEmbeddings
from torch import Tensor, nn

from flair_jointner.layers.folded_lstm import FoldedLstm
from flair_jointner.layers.packing import Packing

_TABLE_BYTES = 512 * 2**20


class WordEncoder:
    """Static word vectors → projection → LSTM, of a tagger that is not being trained.

    What a word sends into the gates of the LSTM is computed when the word is first met, and kept
    in a table if that has room for the whole vocabulary; otherwise it is computed once per batch.
    """

    def __init__(
        self,
        embeddings: WordEmbeddings,
        projection: nn.Linear | None,
        rnn: nn.LSTM,
        dtype: torch.dtype | None = None,
        norm: nn.Module | None = None,
    ) -> None:
        """Folds the weights as they are now.

        Args:
            embeddings: The word vectors.
            projection: The linear layer between them and the LSTM, if any.
            rnn: The LSTM, with one layer.
            dtype: Type to compute in; that of the weights when None.
            norm: What normalises the word vectors, if anything does.
        """
        self.embeddings = embeddings
        self._norm = norm
        device = next(rnn.parameters()).device
        with torch.autocast(device.type, enabled=False):  # a caller's would round what is kept
            self._lstm = FoldedLstm(rnn, projection, dtype)
        self._indices: dict[str, int] = {}
        words = len(embeddings.embedding.weight)
        directions, size, dtype = self._lstm.directions, self._lstm.gate_size, self._lstm.dtype
        self._gates: list[Tensor] | None = None  # a table for each direction
        if directions * words * size * dtype.itemsize <= _TABLE_BYTES:
            with torch.inference_mode(False):  # later passes fill them, and may have another mode
                self._gates = [
                    torch.empty(words, size, dtype=dtype, device=device) for _ in range(directions)
                ]
                self._is_known = torch.zeros(words, dtype=torch.bool, device=device)

    def find(self, tokens: list[str]) -> list[int]:
        """Rows of the word table.

        Args:
            tokens: The tokens of a sentence.

        Returns:
            A row each; words without a vector share the last one.
        """
        known = self._indices
        try:
            return [known[token] for token in tokens]
        except KeyError:
            if len(known) > 1_000_000:  # a stream of ever new words must not fill the memory
                known.clear()
            for token in tokens:
                known[token] = self.embeddings.get_cached_token_index(token)
            return [known[token] for token in tokens]

    def encode(self, words: Tensor, mask: Tensor) -> Tensor:
        """Runs the first two stations.

        Args:
            words: Rows of the tokens, ``[batch, tokens]``; any row on padding.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            H, ``[batch, tokens, hidden]``, 0 on padding.
        """
        with torch.autocast(words.device.type, enabled=False):  # the type is chosen already
            packing = Packing(mask.sum(1))
            states = self._run(packing.pack(words), packing)
            return packing.pad(states, mask.size(1))

    def _run(self, packed: Tensor, packing: Packing) -> Tensor:
        """The hidden states of packed words, ``[N, hidden]``."""
        if self._gates is None:
            distinct, packed = packed.unique(return_inverse=True)
            gates = self._compute(distinct)
        else:
            new = packed[~self._is_known[packed]].unique()
            if len(new):
                for table, rows in zip(self._gates, self._compute(new), strict=True):
                    table.index_copy_(0, new, rows)
                self._is_known[new] = True
            gates = self._gates
        return self._lstm.run(gates, packed, packing)

    def _compute(self, words: Tensor) -> list[Tensor]:
        """What words send into the gates, ``[words, gates]`` per direction."""
        table = self.embeddings.embedding.weight
        vectors = table[words.to(table.device)]
        if self.embeddings.layer_norm is not None:  # it is where the table is
            vectors = self.embeddings.layer_norm(vectors)
        vectors = vectors.to(words.device)
        if self._norm is not None:
            vectors = self._norm(vectors)
        return self._lstm.gates(vectors)


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
