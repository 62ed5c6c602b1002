"""What a word segmenter sees of each character cluster of a text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, groupby

from flair_jointner.data.thai import thai_dictionary

_LONGEST = 8  # clusters of a dictionary word; longer ones are rare, and made of others
_EDGE = 2  # clusters seen on either side


def cluster_features(clusters: Sequence[str]) -> list[list[str]]:
    """Describes each cluster by itself, its neighbours and the dictionary.

    These are the clusters up to two places away, one by one, in pairs and in threes; the same of
    their types; and the longest dictionary words that end before a cluster, begin with it and go on
    over it, in clusters. Digits are all the same digit, and letters lower-case.

    Args:
        clusters: The clusters of a text without whitespace.

    Returns:
        The features of each cluster, as names.
    """
    texts = _padded([_folded(cluster) for cluster in clusters])
    types = _padded([_type(cluster) for cluster in clusters])
    found = []
    for place, (before, after, over) in enumerate(zip(*_dictionary_words(clusters), strict=True)):
        window = slice(place, place + 2 * _EDGE + 1)
        features = [*_grams("c", texts[window]), *_grams("t", types[window])]
        features += [f"before={before}", f"after={after}", f"over={over}"]
        features.append(f"dictionary={before}|{after}|{over}")
        found.append(features)
    return found


def _padded(values: list[str]) -> list[str]:
    return [*(["<"] * _EDGE), *values, *([">"] * _EDGE)]


def _grams(name: str, window: list[str]) -> list[str]:
    """One, two and three values in a row, with their place in the window."""
    return [
        f"{name}{start}{'+' * length}={'|'.join(window[start : start + length])}"
        for length in (1, 2, 3)
        for start in range(len(window) - length + 1)
    ]


@lru_cache(maxsize=100_000)
def _folded(cluster: str) -> str:
    # CRFsuite takes neither lone surrogates nor control characters in a name.
    return "".join(_folded_character(character) for character in cluster.lower())


def _folded_character(character: str) -> str:
    if character.isdigit():
        return "0"
    return character if character.isprintable() else "\ufffd"


@lru_cache(maxsize=100_000)
def _type(cluster: str) -> str:
    """The kinds of its characters in order, each run of a kind once."""
    return "".join(kind for kind, _ in groupby(map(_kind, cluster)))


def _kind(character: str) -> str:
    """One letter for what a character is.

    Returns:
        C for a consonant, L for a vowel written before it, F after it, V above or below; T for a
        tone mark, K for the mark of a silent letter, R for a sign of repetition or abbreviation;
        D for a digit, E for a letter of another script, P for anything else.
    """
    if "ก" <= character <= "ฮ":
        return "C"
    if "เ" <= character <= "ไ":
        return "L"
    if character in "ะาำๅ":
        return "F"
    if "\u0e48" <= character <= "\u0e4b":
        return "T"
    if character == "\u0e4c":
        return "K"
    if character in "ๆฯ":
        return "R"
    category = unicodedata.category(character)
    if "\u0e00" <= character <= "\u0e7f" and category == "Mn":
        return "V"
    return {"N": "D", "L": "E"}.get(category[0], "P")


def _dictionary_words(clusters: Sequence[str]) -> tuple[list[int], list[int], list[int]]:
    """The longest dictionary word at each cluster, in clusters; 0 for none.

    Returns:
        The word that ends right before each cluster, the one that begins with it, and the one that
        goes on over it.
    """
    dictionary = thai_dictionary()
    ends = list(accumulate(map(len, clusters), initial=0))
    text = "".join(clusters)
    count = len(clusters)
    before, after, over = ([0] * count for _ in range(3))
    for start in range(count):
        for end in range(start + 1, min(count, start + _LONGEST) + 1):
            if text[ends[start] : ends[end]] not in dictionary:
                continue
            length = end - start
            after[start] = length  # the longest comes last
            if end < count:
                before[end] = max(before[end], length)
            for inside in range(start + 1, end):
                over[inside] = max(over[inside], length)
    return before, after, over
