"""Words as numbers, and the vectors of those numbers: what tagging is folded over."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import Any, Protocol

import flair
import torch
from flair.embeddings import TokenEmbeddings, WordEmbeddings
from torch import Tensor, nn

from flair_jointner.models.embedding import has_table

_MOST_TEXTS = 1_000_000
"""Spellings that are remembered: a stream of ever new words must not fill the memory."""
_MOST_SPELLED = 2**15
"""Words that are numbered where each spelling has a vector of its own."""


class NumberedWords(Protocol):
    """Words whose vectors depend on the word alone."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held from finding the words of a batch until their numbers have been used."""

    @property
    def room(self) -> int:
        """How many numbers a table has to hold."""

    @property
    def met(self) -> int:
        """One more than the highest number given so far; may exceed :attr:`room`."""

    def find(self, tokens: list[str]) -> list[int]:
        """Numbers the words of a sentence.

        Args:
            tokens: The tokens of the sentence.

        Returns:
            A number each.
        """

    def vectors(self, numbers: Tensor) -> Tensor:
        """Embeds words.

        Args:
            numbers: Numbers of words, ``[words]``.

        Returns:
            ``[words, embedding]``.
        """

    def forget(self) -> None:
        """Numbers words anew from now on."""


class TableWords:
    """The words of a table of static vectors: a word is the row of its vector."""

    def __init__(self, table: WordEmbeddings, norm: nn.Module | None = None) -> None:
        """Starts with all words known.

        Args:
            table: The word vectors.
            norm: What normalises them, if anything does.
        """
        self.room = self.met = len(table.embedding.weight)
        self.lock = nullcontext()  # a word has one number for ever
        self._table = table
        self._norm = norm
        self._rows: dict[str, int] = {}

    def find(self, tokens: list[str]) -> list[int]:
        """The rows of tokens; those without a vector share the last one."""
        known = self._rows
        try:
            return [known[token] for token in tokens]
        except KeyError:
            if len(known) > _MOST_TEXTS:
                known.clear()
            for token in tokens:
                known[token] = self._table.get_cached_token_index(token)
            return [known[token] for token in tokens]

    def vectors(self, numbers: Tensor) -> Tensor:
        """The rows of the table."""
        return _rows(self._table, self._norm, numbers)

    def forget(self) -> None:
        """Changes nothing: rows stay."""


class SpelledWords:
    """Words whose vectors come from their characters, or from several tables, numbered as met."""

    room = _MOST_SPELLED

    def __init__(self, members: Sequence[tuple[TokenEmbeddings, nn.Module | None]]) -> None:
        """Starts without a word.

        Args:
            members: Static word vectors and character CNNs, in the order of their vectors, each
                with what normalises it, if anything does.
        """
        self.lock = Lock()  # another batch may number words anew
        self._members = members
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []

    @property
    def met(self) -> int:
        """How many words have a number."""
        return len(self._texts)

    def find(self, tokens: list[str]) -> list[int]:
        """The numbers of tokens, one for each spelling."""
        known = self._numbers
        try:
            return [known[token] for token in tokens]
        except KeyError:
            for token in tokens:
                if token not in known:
                    self._texts.append(token)  # first: who is interrupted here goes on right
                    known[token] = len(self._texts) - 1
            return [known[token] for token in tokens]

    def vectors(self, numbers: Tensor) -> Tensor:
        """The vectors of all members, side by side."""
        texts = [self._texts[number] for number in numbers.tolist()]
        return torch.cat(
            [self._embed(*member, texts).to(numbers.device) for member in self._members], dim=-1
        )

    @staticmethod
    def _embed(member: TokenEmbeddings, norm: nn.Module | None, texts: list[str]) -> Tensor:
        if has_table(member):
            rows = torch.tensor([member.get_cached_token_index(text) for text in texts])
            return _rows(member, norm, rows.to(flair.device))
        vectors: Tensor = member(texts)  # a character CNN, which normalises by itself
        return vectors

    def forget(self) -> None:
        """Numbers words from 0 on."""
        self._numbers.clear()
        self._texts.clear()


def _rows(table: WordEmbeddings, norm: nn.Module | None, rows: Tensor) -> Tensor:
    """Word vectors, ``[words, embedding]``, where the rows are."""
    weight = table.embedding.weight
    vectors: Tensor = weight[rows.to(weight.device)]
    if table.layer_norm is not None:  # it is where the table is
        vectors = table.layer_norm(vectors)
    vectors = vectors.to(rows.device)
    return vectors if norm is None else norm(vectors)
