"""Where any of many token sequences stands in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import ahocorasick

Place = tuple[int, int]
"""(first token, token after the last)."""


class TokenMatcher:
    """Finds all sequences in one pass over a sentence, however many there are (Aho and Corasick).

    Each distinct token is a number, and the automaton is over numbers: so a match begins and ends
    where tokens do, and no character inside a token can be taken for a boundary.
    """

    def __init__(self, sequences: Iterable[Sequence[str]]) -> None:
        """Builds the automaton.

        Args:
            sequences: The token sequences to look for, at least one, none of them empty.

        Raises:
            ValueError: If there is no sequence, or an empty one.
        """
        self._numbers: dict[str, int] = {}
        self._automaton = ahocorasick.Automaton(ahocorasick.STORE_LENGTH, ahocorasick.KEY_SEQUENCE)
        for sequence in sequences:
            if not sequence:
                raise ValueError("An empty sequence is everywhere: pass sequences of tokens.")
            # 0 is left for tokens that are in no sequence.
            self._automaton.add_word(
                tuple(self._numbers.setdefault(t, len(self._numbers) + 1) for t in sequence)
            )
        if not len(self._automaton):
            raise ValueError("There is no sequence to look for: pass at least one.")
        self._automaton.make_automaton()

    def find_all(self, tokens: Sequence[str]) -> Iterator[Place]:
        """Finds every place of every sequence, those inside and across others too.

        Args:
            tokens: The sentence.

        Yields:
            (start, end) of each place, end exclusive, in the order of the ends.
        """
        numbers = tuple(self._numbers.get(token, 0) for token in tokens)
        for last, length in self._automaton.iter(numbers):
            yield last + 1 - length, last + 1

    def find_longest(self, tokens: Sequence[str]) -> list[Place]:
        """Finds places that do not overlap: from the left, the longest at each.

        The library's own search for the longest (`iter_long`) misses some, so they are chosen from
        all places.

        Args:
            tokens: The sentence.

        Returns:
            (start, end) of each place, end exclusive, in order.
        """
        ends: dict[int, int] = {}
        for start, end in self.find_all(tokens):
            ends[start] = max(end, ends.get(start, 0))
        found: list[Place] = []
        for start in sorted(ends):
            if not found or start >= found[-1][1]:
                found.append((start, ends[start]))
        return found
