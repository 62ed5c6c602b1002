"""Which installed fonts can draw a text, for pictures that hold glyphs instead of characters."""

import unicodedata

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.ft2font import FT2Font

FIRST_FAMILY = "DejaVu Sans"
"""What matplotlib ships: Latin, Greek, Cyrillic and some more scripts."""

_PLACEHOLDERS = "Last Resort"
"""Fonts of this name have a box for each character."""

_SHOWN_CHARACTERS = 10  # in an error


def find_families(text: str) -> list[str]:
    """Finds fonts that together have a glyph for each character of a text.

    Fonts that were installed after matplotlib made its list are made known to it.

    Args:
        text: The text.

    Returns:
        Their families; matplotlib takes each character from the first that has it.

    Raises:
        ValueError: If the installed fonts lack a character: it says which, and what to do.
    """
    missing = {ord(character) for character in text if _has_shape(character)}
    missing -= _characters(font_manager.findfont(FontProperties(family=FIRST_FAMILY)))
    if not missing:
        return [FIRST_FAMILY]
    _learn_new_fonts()
    families = _cover(missing, _candidates(missing))
    if families is None:
        known = set().union(*_candidates(missing).values())
        lacking = [chr(code) for code in sorted(missing - known)][:_SHOWN_CHARACTERS]
        raise ValueError(
            f"No installed font has {' '.join(lacking)}: write .svg or .html, which a browser "
            "shows with its own fonts, or install a font of that script, such as Noto."
        )
    return [FIRST_FAMILY, *families]


def _cover(missing: set[int], fonts: dict[str, set[int]]) -> list[str] | None:
    """Takes the family that has most of what is missing, again and again; None if some stays."""
    chosen = []
    while missing:
        best = max(fonts, key=lambda family: len(fonts[family] & missing), default=None)
        if best is None or not fonts[best] & missing:
            return None
        chosen.append(best)
        missing = missing - fonts[best]
    return chosen


def _candidates(missing: set[int]) -> dict[str, set[int]]:
    """What of the missing characters each family has, in its regular face."""
    found = {}
    for entry in sorted(fontManager.ttflist, key=lambda entry: entry.name):
        if entry.style != "normal" or entry.name.startswith(_PLACEHOLDERS):
            continue
        has = _characters(entry.fname) & missing
        if has and font_manager.findfont(FontProperties(family=entry.name)) == entry.fname:
            found[entry.name] = has
    return found


def _learn_new_fonts() -> None:
    known = {entry.fname for entry in fontManager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known and _characters(path):
            fontManager.addfont(path)


def _characters(path: str) -> set[int]:
    """The characters that a font file has; none of one that matplotlib cannot draw with."""
    try:
        return set(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return set()


def _has_shape(character: str) -> bool:
    """Whether a character is to be seen: no space, joiner or variation selector is."""
    return not (
        character.isspace()
        or unicodedata.category(character) == "Cf"
        or "\ufe00" <= character <= "\ufe0f"
    )
