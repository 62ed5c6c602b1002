"""The sentence encoder of Kruengkrai et al. (2020), for pre-training a classifier."""

from collections.abc import Sequence
from typing import Any, cast

import flair
import torch
from flair.data import Sentence
from flair.embeddings import DocumentEmbeddings, StackedEmbeddings, TokenEmbeddings
from flair.embeddings.base import load_embeddings, register_embeddings
from torch import nn

from flair_jointner.layers import masked_max
from flair_jointner.layers.dropout import LockedDropout
from flair_jointner.layers.recurrent import run_recurrent
from flair_jointner.models.batching import token_mask
from flair_jointner.models.embedding import WordIndices, embed_batch, get_names, set_names
from flair_jointner.models.fast_paths import SentenceMemory


@register_embeddings
class DocumentMaxPoolRNNEmbeddings(DocumentEmbeddings):
    """Projection, BiLSTM and max-pooling over the tokens (Kruengkrai et al., 2020, §2.1).

    The layers are those of a :class:`~flair_jointner.JointTagger` without attention, so that a
    classifier over these embeddings gives it all its shared weights.
    """

    def __init__(
        self,
        embeddings: list[TokenEmbeddings],
        hidden_size: int = 256,
        rnn_layers: int = 1,
        reproject_words: bool = True,
        bidirectional: bool = True,
        locked_dropout: float = 0.5,
        rnn_type: str = "LSTM",
        init_range: float | None = 0.1,
    ) -> None:
        """Makes the embeddings with random weights.

        Args:
            embeddings: Token embeddings, as a list as in Flair's ``DocumentRNNEmbeddings``.
            hidden_size: Hidden units per direction.
            rnn_layers: Number of recurrent layers.
            reproject_words: Whether to project the token embeddings (W₁).
            bidirectional: Whether to read in both directions.
            locked_dropout: Locked dropout before and after the recurrent layers.
            rnn_type: ``"LSTM"``, ``"GRU"`` or ``"RNN"``.
            init_range: Trained parameters outside the token embeddings are drawn from
                U(-init_range, init_range); None keeps torch's initialisation.

        Raises:
            ValueError: If the ``rnn_type`` is unknown.
        """
        if rnn_type not in ("LSTM", "GRU", "RNN"):
            raise ValueError(f"Unknown rnn_type {rnn_type!r}: choose 'LSTM', 'GRU' or 'RNN'.")
        super().__init__()
        # One member stays as it is: a stack would rename it, and vectors are compared by name.
        self.embeddings = embeddings[0] if len(embeddings) == 1 else StackedEmbeddings(embeddings)
        self._word_indices: WordIndices = SentenceMemory()
        size = self.embeddings.embedding_length
        self.word_reprojection_map = nn.Linear(size, size) if reproject_words else None
        self.rnn: nn.RNNBase = getattr(nn, rnn_type)(
            size,
            hidden_size,
            num_layers=rnn_layers,
            bidirectional=bidirectional,
            batch_first=True,
            dropout=0.0 if rnn_layers == 1 else 0.5,
        )
        self.rnn_type = rnn_type
        self.init_range = init_range
        self.locked_dropout = LockedDropout(locked_dropout)
        self.static_embeddings = False
        self.name = f"document_max_pool_{rnn_type}"
        self._initialise()
        self.to(flair.device)
        self.eval()

    @torch.no_grad()
    def _initialise(self) -> None:
        if self.init_range is None:
            return
        for name, parameter in self.named_parameters():
            if parameter.requires_grad and not name.startswith("embeddings."):
                parameter.uniform_(-self.init_range, self.init_range)

    @property
    def embedding_length(self) -> int:
        """Size of a sentence's embedding: hidden units of all directions."""
        return self.rnn.hidden_size * (2 if self.rnn.bidirectional else 1)

    def _everything_embedded(self, data_points: Sequence[Sentence]) -> bool:
        # With embeddings stored on the sentences, an evaluation would meet those of last epoch.
        return False

    def _add_embeddings_internal(self, sentences: list[Sentence]) -> None:
        states = self.locked_dropout(embed_batch(self.embeddings, sentences, self._word_indices))
        if self.word_reprojection_map is not None:
            states = self.word_reprojection_map(states)
        mask = token_mask(sentences)
        states = run_recurrent(self.rnn, states, mask)
        pooled = masked_max(self.locked_dropout(states), mask)  # [batch, hidden]
        for sentence, vector in zip(sentences, pooled, strict=True):
            sentence.set_embedding(self.name, vector)

    def to_params(self) -> dict[str, Any]:
        """The constructor's arguments, for Flair's model files."""
        return {
            "embeddings": self.embeddings.save_embeddings(use_state_dict=False),
            "embedding_names": get_names(self.embeddings),
            "hidden_size": self.rnn.hidden_size,
            "rnn_layers": self.rnn.num_layers,
            "reproject_words": self.word_reprojection_map is not None,
            "bidirectional": self.rnn.bidirectional,
            "locked_dropout": self.locked_dropout.dropout_rate,
            "rnn_type": self.rnn_type,
            "init_range": self.init_range,
        }

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> "DocumentMaxPoolRNNEmbeddings":
        """Rebuilds the embeddings, without their weights, from what :meth:`to_params` gave."""
        embeddings = cast(TokenEmbeddings, load_embeddings(params.pop("embeddings")))
        set_names(embeddings, params.pop("embedding_names", get_names(embeddings)))
        return cls([embeddings], **params)
