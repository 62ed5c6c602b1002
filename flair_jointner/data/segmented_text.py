"""Text that is cut into words: read from files, and scored against another cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from flair.data import Sentence

from flair_jointner.data.errors import DataError
from flair_jointner.data.text_files import check_decoded, read_lines
from flair_jointner.data.thai import SPACES, is_thai

Words = list[str]
"""A sentence in words; those of whitespace only are the spaces between others, and no words."""

_BEST_MARKUP = re.compile("</?(?:NE|AB|POEM)>")


def read_words(path: str | Path, separator: str = " ", *, encoding: str = "utf-8") -> list[Words]:
    """Reads a file with a sentence per line, its words parted by a sign.

    With "|", the form of the BEST corpus, spaces are characters of the text, and the corpus's marks
    of names and abbreviations (``<NE>``, ``<AB>``, ``<POEM>``) are dropped. With a space, the
    text's own spaces are lost; one is put between two words without Thai letters.

    Args:
        path: The file, plain or ``.gz``.
        separator: What stands between words.
        encoding: The file's encoding.

    Returns:
        The sentences that hold a word.

    Raises:
        DataError: If no line holds two words, or a line cannot be decoded.
        ValueError: If the separator is empty.
    """
    if not separator:
        raise ValueError("The separator is empty; it can be a space, '|' or any other sign.")
    sentences = []
    for number, line in enumerate(read_lines(path, encoding), start=1):
        check_decoded(path, number, line, encoding)
        words = [word for word in _BEST_MARKUP.sub("", line).split(separator) if word]
        if any(word_groups(words)):
            sentences.append(words if separator != " " else _with_spaces(words))
    if not any(len(words) > 1 for words in sentences):
        found = "no sentence" if not sentences else f"'{separator}' in no line"
        raise DataError(path, None, found, f"words with '{separator}' between them")
    return sentences


def words_of(sentences: Sequence[Sentence]) -> list[Words]:
    """Takes the tokens of sentences for words.

    Most column files do not say where the text has spaces, and are read as if one followed every
    token. Sentences that all look so get a space between two words without Thai letters only.

    Args:
        sentences: The sentences of one file or corpus.

    Returns:
        The words of each.
    """
    inner = [token for sentence in sentences for token in sentence.tokens[:-1]]
    if all(token.whitespace_after for token in inner):
        return [_with_spaces([token.text for token in sentence]) for sentence in sentences]
    return [
        [part for token in s for part in (token.text, " " * token.whitespace_after) if part]
        for s in sentences
    ]


def _with_spaces(words: Words) -> Words:
    found = words[:1]
    for before, word in pairwise(words):
        found += [word] if is_thai(before) or is_thai(word) else [" ", word]
    return found


def word_groups(words: Iterable[str]) -> Iterator[list[str]]:
    """Parts a sentence at its whitespace, also at that inside words.

    Args:
        words: The sentence.

    Yields:
        Words that follow each other without whitespace; no group is empty.
    """
    group: list[str] = []
    for word in words:
        first, *others = SPACES.split(word)
        group.append(first)
        for other in others:
            yield from filter(None, [[part for part in group if part]])
            group = [other]
    yield from filter(None, [[part for part in group if part]])


class WordScores(NamedTuple):
    """How well a text was cut into words.

    Attributes:
        precision: Share of the predicted words that are right, in [0, 1].
        recall: Share of the true words that were found, in [0, 1].
        f1: Their harmonic mean.
    """

    precision: float
    recall: float
    f1: float


def word_scores(gold: Sequence[Iterable[str]], predicted: Sequence[Iterable[str]]) -> WordScores:
    """Compares two cuts of the same text; a word is right if both its ends are.

    Args:
        gold: The true words of each sentence.
        predicted: The words that were found in each. Whitespace does not count on either side.

    Returns:
        The scores over all words.

    Raises:
        ValueError: If there is no word, or the two are not of the same text.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"There are {len(gold)} true sentences and {len(predicted)} predicted.")
    right = wanted = found = 0
    for number, (true, other) in enumerate(zip(gold, predicted, strict=True)):
        texts, spans = zip(*(_word_spans(words) for words in (true, other)), strict=True)
        if texts[0] != texts[1]:
            raise ValueError(
                f"Sentence {number} is '{texts[0]}' and '{texts[1]}': the words of both have to "
                "make up the same text."
            )
        right += len(spans[0] & spans[1])
        wanted += len(spans[0])
        found += len(spans[1])
    if not wanted:
        raise ValueError("There is no word to compare.")
    return WordScores(right / found, right / wanted, 2 * right / (found + wanted))


def _word_spans(words: Iterable[str]) -> tuple[str, set[tuple[int, int]]]:
    bare = [word for group in word_groups(words) for word in group]
    return "".join(bare), set(pairwise(accumulate(map(len, bare), initial=0)))
