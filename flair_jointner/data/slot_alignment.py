"""Where tokens stand in an utterance, and which tokens a slot of characters covers."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from flair_jointner.data.annotation import Span

Offsets = tuple[int, int]
"""Start and end of a token or a slot in the utterance's characters, end exclusive."""


def locate_tokens(
    utterance: str, tokens: Sequence[str], offsets: Sequence[Offsets]
) -> list[Offsets] | None:
    """Finds where tokens stand in an utterance.

    The offsets count the utterance's characters, or those of its decomposed form (NFD, "é" as two
    characters): whichever gives the tokens, up to case and normal form.

    Args:
        utterance: The text.
        tokens: The tokens as a tokeniser wrote them, perhaps lower-cased and normalised.
        offsets: Their offsets as the tokeniser wrote them.

    Returns:
        Their offsets in the utterance's characters; None if neither way gives the tokens.
    """
    as_written = list(range(len(utterance) + 1))
    for positions in (as_written, _decomposed_positions(utterance)):
        if all(0 <= start < end < len(positions) for start, end in offsets):
            located = [(positions[start], positions[end]) for start, end in offsets]
            texts = [utterance[start:end] for start, end in located]
            if [*map(_comparable, texts)] == [*map(_comparable, tokens)]:
                return located
    return None


def uncovered_text(utterance: str, offsets: Sequence[Offsets]) -> str:
    """Finds text that is in no token, or in two.

    Args:
        utterance: The text.
        offsets: Where its tokens stand.

    Returns:
        The first such text, without white space around it; empty if the tokens cover the utterance.
    """
    ends = [0, *(end for _, end in offsets)]
    starts = [*(start for start, _ in offsets), len(utterance)]
    for end, start in zip(ends, starts, strict=True):
        text = utterance[min(end, start) : max(end, start)]
        if start < end or text.strip():
            return text.strip()
    return ""


def cover_tokens(slots: Sequence[Span], offsets: Sequence[Offsets]) -> list[Offsets | None]:
    """Finds the tokens that each slot covers, by the rule in the docstring of `read_pytext_tsv`.

    Args:
        slots: (start, end, type) in characters, without overlap.
        offsets: Where the tokens stand.

    Returns:
        For each slot its first token and the token after its last; None if no token is left for it.
    """
    owned: list[list[int]] = [[] for _ in slots]
    for token, (start, end) in enumerate(offsets):
        overlaps = [min(end, slot[1]) - max(start, slot[0]) for slot in slots]
        most = max(overlaps, default=0)
        if most > 0:
            owned[overlaps.index(most)].append(token)
    return [(tokens[0], tokens[-1] + 1) if tokens else None for tokens in owned]


def _decomposed_positions(utterance: str) -> list[int]:
    """Maps each position in the decomposed form, and its end, to the utterance."""
    positions = [
        position
        for position, character in enumerate(utterance)
        for _ in unicodedata.normalize("NFD", character)
    ]
    return [*positions, len(utterance)]


def _comparable(text: str) -> str:
    return unicodedata.normalize("NFKD", text.casefold())
