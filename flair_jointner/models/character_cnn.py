"""Word vectors from characters, by a convolution that is trained with the tagger."""

from collections.abc import Iterable, Sequence
from typing import Any

import flair
import numpy as np
import torch
from flair.data import Sentence
from flair.embeddings import TokenEmbeddings
from flair.embeddings.base import register_embeddings
from torch import Tensor, nn

from flair_jointner.layers.dropout import Dropout
from flair_jointner.layers.perturbation import Perturber, RunningNormalisation

_PADDING, _UNKNOWN, _FIRST = 0, 1, 2
"""Rows of the table: beside a word, characters outside the list, the first of the list."""


@register_embeddings
class CharacterCNNEmbeddings(TokenEmbeddings):
    """Character embeddings → convolution → maximum over the characters of the word.

    The character-level encoder of DATNet (Zhou et al., 2019, §3.1), after Ma and Hovy (2016). What
    was chosen where the paper is silent: a window of 3, as in Ma and Hovy; each character stands
    in the middle of a window once, with zeros beside the word, so that words may be shorter than
    the window; and no other nonlinearity than the maximum.

    A tagger of this package embeds a batch at once (:meth:`embed_batch`), any other Flair model
    token by token. Vectors are never taken from an earlier batch, since training changes them.

    Attributes:
        characters: The known characters, in the order of their code points.
        table: The character embeddings.
        convolution: The filters.
    """

    def __init__(
        self,
        characters: Iterable[Sentence] | Iterable[str],
        embedding_size: int = 30,
        filters: int = 20,
        window: int = 3,
        dropout: float = 0.0,
        name: str = "character-cnn",
        normalised: bool = False,
    ) -> None:
        """Makes the embeddings with random weights.

        Args:
            characters: Sentences whose characters are to be known, such as ``corpus.train``, or
                the characters themselves. All others share one vector; it starts as zeros and is
                learnt where the training text holds such characters. There is no list to fall
                back on, as Flair's ``CharacterEmbeddings`` have one (275 characters that it
                downloads).
            embedding_size: Size of a character's embedding.
            filters: Number of filters, which is the size of a word's vector.
            window: Number of characters that a filter sees at once.
            dropout: Probability with which a number of a character's embedding is dropped in
                training. The paper has dropout on "the embedding layer" without a rate; the
                dropouts of the tagger act on the vectors that come out here, so 0 is the default.
            name: Name of the embeddings.
            normalised: Whether the character embeddings are normalised, as adversarial training
                needs them; a tagger that trains so sees to it.

        Raises:
            ValueError: If there is no character, one is longer than a character, a size is below
                1, or the dropout is no probability below 1.
        """
        self._check(embedding_size, filters, window, dropout)
        super().__init__()
        self.name = name
        self.static_embeddings = False
        self.characters = _distinct_characters(characters)
        self._code_points = _code_points("".join(self.characters))
        self.table = nn.Embedding(
            _FIRST + len(self.characters), embedding_size, padding_idx=_PADDING
        )
        self.convolution = nn.Conv1d(embedding_size, filters, window)
        self.dropout = Dropout(dropout)
        self.normalisation: RunningNormalisation | None = None
        if normalised:
            self.normalise()
        with torch.no_grad():
            self.table.weight[_UNKNOWN] = 0.0
        self.to(flair.device)
        self.eval()

    def normalise(self) -> None:
        """Normalises the character embeddings from now on, if they are not normalised yet."""
        if self.normalisation is None:
            self.normalisation = RunningNormalisation(self.table.embedding_dim)
            self.normalisation.to(self.table.weight.device)

    @staticmethod
    def _check(embedding_size: int, filters: int, window: int, dropout: float) -> None:
        sizes = {"embedding_size": embedding_size, "filters": filters, "window": window}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} is {size}: it has to be 1 or more.")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}: it has to be from 0 to below 1, such as 0.5.")

    @property
    def embedding_length(self) -> int:
        """Size of a word's vector: the number of filters."""
        return self.convolution.out_channels

    def forward(
        self,
        words: Sequence[str],
        perturber: Perturber | None = None,
        sentences: Tensor | None = None,
    ) -> Tensor:
        """Embeds words, all at once.

        The words stand in one row with gaps between them that no window reaches across, so that
        a long word costs its own characters only.

        Args:
            words: The words.
            perturber: Adds to the character embeddings, if given.
            sentences: The sentence of each word, ``[words]`` long; goes with a perturber.

        Returns:
            ``[words, filters]``; zeros for a word without characters.
        """
        window, device = self.convolution.kernel_size[0], self.table.weight.device
        lengths = np.array([len(word) for word in words], dtype=np.int64)
        owners = np.repeat(np.arange(len(words)), lengths)  # [characters]
        places = window + np.arange(len(owners)) + owners * (window // 2)  # [characters]
        # The gap before the first word makes the row long enough for the filters in any case.
        length = window + len(owners) + len(words) * (window // 2)
        found = torch.from_numpy(self._find("".join(words))).to(device)
        characters = self._normalised(self.table(found), perturber)  # [characters, embedding]
        if perturber is not None and sentences is not None:
            characters = perturber(characters, sentences[torch.from_numpy(owners).to(device)])
        row = characters.new_zeros(length, characters.size(1))
        embedded = row.index_copy(0, torch.from_numpy(places).to(device), self.dropout(characters))
        convolved = self.convolution(embedded.t().unsqueeze(0)).squeeze(0).t()
        middles = torch.from_numpy(places - (window - 1) // 2).to(device)
        values = convolved[middles]  # [characters, filters]
        index = torch.from_numpy(owners).to(device).unsqueeze(1).expand_as(values)
        vectors = values.new_zeros(len(words), self.embedding_length)
        return vectors.scatter_reduce(0, index, values, "amax", include_self=False)

    def _normalised(self, characters: Tensor, perturber: Perturber | None) -> Tensor:
        if self.normalisation is None:
            return characters
        if self.training and (perturber is None or not perturber.aimed):
            self.normalisation.update(characters)
        return self.normalisation(characters)

    def embed_batch(
        self, sentences: Sequence[Sentence], perturber: Perturber | None = None
    ) -> Tensor:
        """Embeds the words of sentences, each distinct word once unless it is perturbed.

        Args:
            sentences: Non-empty sentences.
            perturber: Adds to the character embeddings of each sentence, if given.

        Returns:
            ``[batch, tokens, filters]``, zero on padding.
        """
        lengths = [len(sentence) for sentence in sentences]
        words = [token.text for sentence in sentences for token in sentence.tokens]
        if perturber is None:
            vectors = self._embed_words(words)
        else:
            owners = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))
            vectors = self(words, perturber, owners.to(self.table.weight.device))
        return nn.utils.rnn.pad_sequence(list(vectors.split(lengths)), batch_first=True)

    def _embed_words(self, words: Sequence[str]) -> Tensor:
        """``[words, filters]``; a word that comes again is embedded once."""
        numbers: dict[str, int] = {}
        rows = [numbers.setdefault(word, len(numbers)) for word in words]
        vectors = self(list(numbers))  # [distinct words, filters]
        return vectors[torch.tensor(rows, dtype=torch.long, device=vectors.device)]

    def _find(self, text: str) -> np.ndarray:
        """Rows of the table, ``[characters]``."""
        points, known = _code_points(text), self._code_points
        places = np.searchsorted(known, points).clip(max=len(known) - 1)
        return np.where(known[places] == points, places + _FIRST, _UNKNOWN)

    def _everything_embedded(self, data_points: Sequence[Sentence]) -> bool:
        # With embeddings stored on the sentences, an evaluation would meet those of last epoch.
        return False

    def _add_embeddings_internal(self, sentences: list[Sentence]) -> None:
        tokens = [token for sentence in sentences for token in sentence.tokens]
        vectors = self._embed_words([token.text for token in tokens])
        for token, vector in zip(tokens, vectors.unbind(), strict=True):
            token.set_embedding(self.name, vector)

    def to_params(self) -> dict[str, Any]:
        """The constructor's arguments, for Flair's model files."""
        return {
            "characters": list(self.characters),
            "embedding_size": self.table.embedding_dim,
            "filters": self.convolution.out_channels,
            "window": self.convolution.kernel_size[0],
            "dropout": self.dropout.p,
            "name": self.name,
            "normalised": self.normalisation is not None,
        }

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> "CharacterCNNEmbeddings":
        """Rebuilds the embeddings, without their weights, from what :meth:`to_params` gave."""
        return cls(**params)


def _distinct_characters(given: Iterable[Sentence] | Iterable[str]) -> tuple[str, ...]:
    found: set[str] = set()
    for item in given:
        if isinstance(item, Sentence):
            found.update(*(token.text for token in item.tokens))
        elif isinstance(item, str) and len(item) == 1:
            found.add(item)
        else:
            raise ValueError(
                f"{item!r} is no character: give sentences (corpus.train), or single characters "
                "such as list('abc')."
            )
    if not found:
        raise ValueError(
            "There is no character to embed: give sentences with text (corpus.train), or single "
            "characters such as list('abc')."
        )
    return tuple(sorted(found))


def _code_points(text: str) -> np.ndarray:
    """``[characters]``; broken text may hold half a surrogate pair, which counts as one."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
