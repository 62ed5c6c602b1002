"""Tokens of any script as labels: printable, no longer than there is room, in straight columns."""

import unicodedata

_UNPRINTABLE = {"Cc", "Cs", "Cn"}
"""Categories of control characters, of halves of a pair, and of what is no character."""


def printable(text: str) -> str:
    """Replaces what neither a terminal nor an XML file may hold.

    Args:
        text: Any text.

    Returns:
        The text with � for each such character.
    """
    return "".join("�" if unicodedata.category(c) in _UNPRINTABLE else c for c in text)


def width(text: str) -> int:
    """How many columns a text takes.

    Args:
        text: The text.

    Returns:
        Columns: 2 for a wide character (Chinese, Japanese, Korean), 0 for a mark above or below
        another one (Thai vowels, accents) and for a joiner, 1 for any other.
    """
    return sum(map(_columns, text))


def clip(text: str, columns: int) -> str:
    """Shortens a text to what there is room for, never between a character and its marks.

    Args:
        text: The text.
        columns: How many columns there are.

    Returns:
        The printable text, with … at its end if something is missing.
    """
    text = printable(text)
    if width(text) <= columns:
        return text
    used, kept = 0, 0
    for place, character in enumerate(text):
        used += _columns(character)
        if used > columns - 1:
            break
        kept = place + 1
    return text[:kept] + "…"


def pad(text: str, columns: int) -> str:
    """Fills a text up with spaces.

    Args:
        text: The text.
        columns: How many columns it shall take at least.

    Returns:
        The text and the spaces.
    """
    return text + " " * (columns - width(text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
