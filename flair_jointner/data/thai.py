"""Thai text into character clusters and words, over PyThaiNLP."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from types import ModuleType
from typing import Any

from flair_jointner.data.errors import MissingPackage
from flair_jointner.data.saved_tokenizer import SavedTokenizer

ENGINES = ("newmm", "tcc")

# Zero-width spaces part words like any space, though `str.isspace` knows nothing of them.
SPACES = re.compile(r"[\s\u200b\ufeff]+")

_READ_ONLY = "PYTHAINLP_READ_ONLY"
_ZERO_WIDTH_JOINER = "\u200d"
# Over the shapes of `_shapes`: Thai; a number; a word of letters; one sign with what modifies it.
_RUNS = re.compile(r"t[tj]*|d[dj]*(?:[.](?=d)[dj]*)*|l[lj]*(?:-(?=l)[lj]*)*|.j*")


class ThaiTokenizer(SavedTokenizer):
    """Cuts Thai text, also where other scripts stand in it, with PyThaiNLP.

    ``newmm`` gives words: the fewest that a dictionary allows, cut between character clusters only.
    ``tcc`` gives the clusters themselves (see :func:`character_clusters`), the finest cut, which
    needs no dictionary. Text of other scripts is cut into words, numbers and single signs. Tokens
    are pieces of the text as it stands; they hold no whitespace and leave out nothing else.
    """

    def __init__(self, engine: str = "newmm") -> None:
        """Makes the tokenizer.

        Args:
            engine: "newmm" for words or "tcc" for character clusters.

        Raises:
            MissingPackage: If PyThaiNLP is not installed.
            ValueError: If the engine is another.
        """
        super().__init__()
        if engine not in ENGINES:
            raise ValueError(f"engine is {engine!r}; possible: {', '.join(ENGINES)}")
        pythainlp()
        self.engine = engine

    def tokenize(self, text: str) -> list[str]:
        """Cuts a text.

        Args:
            text: The text.

        Returns:
            Its tokens from left to right.
        """
        cut = character_clusters if self.engine == "tcc" else _dictionary_words
        return [token for piece in split_at_spaces(text) for token in cut(piece)]

    @property
    def name(self) -> str:
        """The class and the engine."""
        return f"{super().name}_{self.engine}"

    def settings(self) -> dict[str, Any]:
        """The arguments that make this tokenizer."""
        return {"engine": self.engine}


@lru_cache(maxsize=1)
def pythainlp() -> ModuleType:
    """PyThaiNLP's tokenizers, imported without a trace in the home directory.

    The import makes a data folder there unless an environment variable forbids it. What is used
    here lies in the package itself, and needs neither the folder nor a network.

    Returns:
        The module ``pythainlp.tokenize``.

    Raises:
        MissingPackage: If PyThaiNLP is not installed.
    """
    before = os.environ.get(_READ_ONLY)
    os.environ[_READ_ONLY] = "1"
    try:
        from pythainlp import tokenize
    except ModuleNotFoundError as error:
        raise MissingPackage("pythainlp", "to cut Thai text", extra="thai") from error
    finally:
        if before is None:
            del os.environ[_READ_ONLY]
        else:
            os.environ[_READ_ONLY] = before
    return tokenize


def thai_dictionary() -> frozenset[str]:
    """PyThaiNLP's dictionary, that of ``newmm``.

    Returns:
        The words.

    Raises:
        MissingPackage: If PyThaiNLP is not installed.
    """
    pythainlp()
    from pythainlp.corpus import thai_words

    words: frozenset[str] = thai_words()
    return words


def split_at_spaces(text: str) -> list[str]:
    """Cuts a text at its whitespace, zero-width spaces included.

    Args:
        text: The text.

    Returns:
        What stands between, without empty pieces.
    """
    return [piece for piece in SPACES.split(text) if piece]


def is_thai(text: str) -> bool:
    """Whether a text holds a Thai letter, vowel or tone mark; Thai digits and ฿ are none.

    Args:
        text: The text.

    Returns:
        True if it holds one.
    """
    return any(_shape(character) == "t" for character in text)


def character_clusters(text: str) -> list[str]:
    """Cuts a text without whitespace into units that no word boundary splits.

    In Thai text these are the character clusters of Theeramunkong et al. (2000, *Character Cluster
    Based Thai Information Retrieval*): a consonant with the vowels and tone marks written around
    it, by PyThaiNLP's improved rules (``tcc_p``). Elsewhere they are words, numbers and single
    signs. A combining character, or an emoji joined to another, stays with what it belongs to.

    Args:
        text: A text without whitespace.

    Returns:
        The clusters, which make up the text.
    """
    clusters: list[str] = []
    for cluster in _raw_clusters(text):
        # The rules leave a mark alone where the spelling is not one that they know.
        if clusters and unicodedata.category(cluster[0]).startswith("M"):
            clusters[-1] += cluster
        else:
            clusters.append(cluster)
    return clusters


def _raw_clusters(text: str) -> Iterator[str]:
    subwords = pythainlp().subword_tokenize
    for run in _RUNS.finditer(_shapes(text)):
        part = text[run.start() : run.end()]
        if run.group().startswith("t"):
            yield from subwords(part, engine="tcc_p")
        else:
            yield part


def _shapes(text: str) -> str:
    """The shape of each character; whatever follows a zero-width joiner is joined by it."""
    joined = zip(text, " " + text, strict=False)
    return "".join("j" if before == _ZERO_WIDTH_JOINER else _shape(c) for c, before in joined)


@lru_cache(maxsize=4096)
def _shape(character: str) -> str:
    """What a character is in the pattern of runs.

    Returns:
        t for Thai, d for a digit, l for another letter, j for what joins the character before it,
        "." for what may stand inside a number, "-" for what may stand inside a word, or o.
    """
    category = unicodedata.category(character)
    if "\u0e00" <= character <= "\u0e7f" and category[0] in "LM":
        return "t"
    if category[0] == "M" or category == "Cf" or "\U0001f3fb" <= character <= "\U0001f3ff":
        return "j"
    if category == "Nd":
        return "d"
    if category[0] == "L":
        return "l"
    return {".": ".", ",": ".", ":": ".", "-": "-", "'": "-", "’": "-"}.get(character, "o")


def _dictionary_words(piece: str) -> list[str]:
    """The words of PyThaiNLP's newmm, which neither split a cluster nor lump signs together."""
    clusters = character_clusters(piece)
    ends = accumulate(map(len, clusters))
    breaks = set(accumulate(map(len, pythainlp().word_tokenize(piece, engine="newmm"))))
    words = clusters[:1]
    for (before, cluster), end in zip(pairwise(clusters), ends, strict=False):
        if end in breaks or not (is_thai(before) or is_thai(cluster)):
            words.append(cluster)
        else:
            words[-1] += cluster
    return words
