"""Entities from the tags of a sentence, in any of the usual schemes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from flair_jointner.data.annotation import Span

# What each scheme's prefixes mean, in the letters of BIOES.
_PREFIXES: dict[str, dict[str, str]] = {
    "IOB1": {"B": "B", "I": "I"},
    "BIO": {"B": "B", "I": "I"},
    "BIOES": {"B": "B", "I": "I", "E": "E", "S": "S"},
    "BMES": {"B": "B", "M": "I", "E": "E", "S": "S"},
    "BILOU": {"B": "B", "I": "I", "L": "E", "U": "S"},
}
_ALIASES = {"IOB2": "BIO", "IOBES": "BIOES", "BMESO": "BMES", "BMEOS": "BMES", "BIOUL": "BILOU"}
_TAG = re.compile(r"O|[BIESMLU]-.+")

# CoNLL-2003's training file is IOB1, and yet 2 of its B- stand after O, against 23,427 entities
# begun by I-.
_STRAY_PER_SLIP = 10


class TagError(ValueError):
    """A tag sequence breaks its scheme."""

    def __init__(self, position: int, found: str, expected: str) -> None:
        """Makes the error and its message.

        Args:
            position: The index of the token.
            found: What stands there.
            expected: What should stand there.
        """
        self.position = position
        self.found = found
        self.expected = expected
        super().__init__(f"position {position}: found {found}; expected {expected}")


def is_tag(text: str) -> bool:
    """Tells whether a text has the form of a tag: "O", or a prefix of any scheme, "-", and a type.

    Args:
        text: The text.

    Returns:
        Whether it looks like a tag.
    """
    return _TAG.fullmatch(text) is not None


def normalize_scheme(scheme: str) -> str:
    """Finds the one name of a tagging scheme.

    Args:
        scheme: A name or another name (IOB2, IOBES, BMESO, BMEOS, BIOUL), in any case.

    Returns:
        "IOB1", "BIO", "BIOES", "BMES" or "BILOU".

    Raises:
        ValueError: If the scheme is unknown.
    """
    name = _ALIASES.get(scheme.upper(), scheme.upper())
    if name not in _PREFIXES:
        raise ValueError(
            f"Unknown tagging scheme '{scheme}'. Possible: {', '.join([*_PREFIXES, *_ALIASES])}."
        )
    return name


def spans_from_tags(tags: Sequence[str], scheme: str = "BIO") -> list[Span]:
    """Turns the tags of one sentence into entities.

    IOB1 leaves nothing to break but the form of a tag: an I- that does not continue begins an
    entity, and so does every B-. Pass it also for BIO files in which I- at the start of an entity
    is to be read that way.

    Args:
        tags: One tag per token. A type may hold any characters.
        scheme: "IOB1", "BIO", "BIOES", "BMES" or "BILOU", or another name of these.

    Returns:
        (start, end, type) of each entity, end exclusive, in order.

    Raises:
        TagError: If a tag or the sequence is not valid; it is a ValueError that carries the
            position.
        ValueError: If the scheme is unknown.
    """
    scheme = normalize_scheme(scheme)
    meanings = _PREFIXES[scheme]
    spans: list[Span] = []
    start, open_type = 0, ""  # an empty type: no entity is open
    for position, tag in enumerate([*tags, "O"]):
        prefix, entity_type = _split(tag, position, meanings, scheme)
        if prefix in ("I", "E") and open_type == entity_type:
            if prefix == "E":
                spans.append((start, position + 1, entity_type))
                open_type = ""
            continue
        if open_type:
            if "E" in meanings.values():
                raise TagError(
                    position - 1,
                    f"'{tags[position - 1]}' as the last tag of an entity",
                    _end(scheme),
                )
            spans.append((start, position, open_type))
            open_type = ""
        if prefix == "S":
            spans.append((position, position + 1, entity_type))
        elif prefix in ("I", "E") and scheme != "IOB1":
            raise TagError(
                position, f"'{tag}' that continues no entity of its type", _begin(scheme)
            )
        elif prefix != "O":
            start, open_type = position, entity_type
    return spans


def detect_scheme(sentences: Iterable[Sequence[str]]) -> str:
    """Finds the scheme of a file from all its tags.

    M- is used by BMES only, L- and U- by BILOU only; else E- or S- mean BIOES. With B- and I- alone
    the file is IOB1 or BIO. In IOB1 an I- begins an entity ("stray" in BIO), and a B- stands only
    right after an entity of the same type. In BIO every entity begins with B-, so a B- anywhere
    else speaks for BIO, where a stray I- is an annotation error. Both occur in real files, so the
    file is IOB1 only if there are stray I-, and more than ten for each B- that IOB1 does not have.

    Args:
        sentences: The tag sequences of the file.

    Returns:
        "IOB1", "BIO", "BIOES", "BMES" or "BILOU"; "BIO" if there is no entity.
    """
    prefixes: Counter[str] = Counter()
    stray_inside = begin_elsewhere = 0
    for tags in sentences:
        previous_type = ""
        for tag in tags:
            prefix, _, entity_type = tag.partition("-")
            prefixes[prefix] += 1
            continues = entity_type != "" and entity_type == previous_type
            stray_inside += prefix == "I" and not continues
            begin_elsewhere += prefix == "B" and not continues
            previous_type = entity_type
    if prefixes["M"]:
        return "BMES"
    if prefixes["L"] or prefixes["U"]:
        return "BILOU"
    if prefixes["E"] or prefixes["S"]:
        return "BIOES"
    return "IOB1" if stray_inside > _STRAY_PER_SLIP * begin_elsewhere else "BIO"


def _split(tag: str, position: int, meanings: dict[str, str], scheme: str) -> tuple[str, str]:
    """Split a tag into its prefix, in the letters of BIOES, and its type."""
    if tag == "O":
        return "O", ""
    prefix, hyphen, entity_type = tag.partition("-")
    if prefix not in meanings or not hyphen:
        possible = ", ".join(f"{prefix}-TYPE" for prefix in meanings)
        raise TagError(position, f"the tag '{tag}'", f"O, {possible} (scheme {scheme})")
    if not entity_type:
        raise TagError(position, f"the tag '{tag}' without a type", f"{prefix}-TYPE")
    return meanings[prefix], entity_type


def _letter(meaning: str, scheme: str) -> str:
    return next(prefix for prefix, means in _PREFIXES[scheme].items() if means == meaning)


def _end(scheme: str) -> str:
    return f"the entity to end in {_letter('E', scheme)}- (scheme {scheme})"


def _begin(scheme: str) -> str:
    hint = ", or scheme='IOB1' to let I- begin one" if scheme == "BIO" else ""
    return f"B- at the start of an entity (scheme {scheme}){hint}"
