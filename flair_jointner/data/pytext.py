"""Dialogue corpora of PyText form: slots as character spans, with a tokenisation in JSON."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from pathlib import Path

from flair.data import Sentence, Token

from flair_jointner.data.annotation import Span, add_gold_labels
from flair_jointner.data.errors import DataError, MalformedData
from flair_jointner.data.slot_alignment import Offsets, cover_tokens, locate_tokens, uncovered_text
from flair_jointner.data.text_files import check_decoded, read_lines

log = logging.getLogger("flair_jointner")

_SLOT = re.compile(r"(-?\d+):(\d+):(.+)")
_COLUMNS = 5


def read_pytext_tsv(
    path: str | Path,
    tag_type: str = "ner",
    class_type: str | None = "category",
    *,
    encoding: str = "utf-8",
    skip_malformed: bool = False,
) -> list[Sentence]:
    """Reads a TSV of PyText form: intent, slots, utterance, locale, tokenisation in JSON.

    This is the form of Facebook's multilingual dialogue data (Schuster et al., 2019). Slots are
    character spans, `start:end:type,...`. Tokens take their text from the utterance, because the
    JSON holds them lower-cased and normalised; they keep the utterance's character offsets. Some
    files count the offsets of tokens in the utterance's decomposed form (NFD, "é" as two
    characters): they are taken for that when they fit only so.

    A slot covers every token that it overlaps. The slots that end inside a token are slips of the
    annotator (a letter too few or too many) or, in Thai, tokens that hold the end of a word and the
    next word. To split the token at the slot would give the tagger a tokenisation that depends on
    the gold slots, which no text has at prediction time; to drop the slot would call an entity
    nothing. A token that two slots overlap goes to the one with more of its characters (the first
    on a tie); a slot left without a token is dropped. A slot that reaches beyond the utterance is
    cut. A warning tells how many slots were changed.

    Args:
        path: The file, plain or `.gz`.
        tag_type: The label type of the slots.
        class_type: The label type of the intent; None reads no intent. An empty intent is no
            category.
        encoding: The file's encoding.
        skip_malformed: Skip malformed sentences and log their number, instead of stopping at the
            first.

    Returns:
        The sentences.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If a sentence that is not skipped is malformed, or there is none.
    """
    sentences = []
    counts: Counter[str] = Counter()
    with MalformedData(skip_malformed) as malformed:
        for number, line in enumerate(read_lines(path, encoding), start=1):
            if not line.strip(" \t"):
                continue
            with malformed.catch():
                check_decoded(path, number, line, encoding)
                try:
                    sentences.append(_read_utterance(line, tag_type, class_type, counts))
                except _UtteranceError as error:
                    raise DataError(path, number, error.found, error.expected) from error
        malformed.require_sentences(path, len(sentences))
    if counts["changed"] or counts["dropped"]:
        log.warning(
            "%s: of %d slots, %d do not end at token boundaries and now cover whole tokens; "
            "%d more share their only token with another slot and were dropped.",
            path,
            counts["slots"],
            counts["changed"],
            counts["dropped"],
        )
    return sentences


class _UtteranceError(ValueError):
    """An utterance is malformed; the reader adds file and line."""

    def __init__(self, found: str, expected: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(f"found {found}; expected {expected}")


def _read_utterance(
    line: str, tag_type: str, class_type: str | None, counts: Counter[str]
) -> Sentence:
    columns = line.split("\t")
    if len(columns) != _COLUMNS:
        raise _UtteranceError(
            f"{len(columns)} column(s)", "intent, slots, utterance, locale, JSON separated by tabs"
        )
    intent, slots, utterance, _, tokenization = columns
    offsets = _token_offsets(utterance, tokenization)
    spans = _align_slots(_parse_slots(slots), offsets, utterance, counts)
    ends = [end for _, end in offsets]
    starts = [start for start, _ in offsets[1:]] + [ends[-1]]
    sentence = Sentence(
        [
            Token(utterance[start:end], whitespace_after=next_start - end, start_position=start)
            for (start, end), next_start in zip(offsets, starts, strict=True)
        ]
    )
    category = intent.strip(" ") or None
    add_gold_labels(
        sentence, tag_type=tag_type, spans=spans, class_type=class_type, category=category
    )
    return sentence


def _token_offsets(utterance: str, tokenization: str) -> list[Offsets]:
    try:
        first = json.loads(tokenization)["tokenizations"][0]
        tokens = [str(token) for token in first["tokens"]]
        given = [
            (int(span["start"]), int(span["start"]) + int(span["length"]))
            for span in first["tokenSpans"]
        ]
    except (ValueError, LookupError, TypeError) as error:
        raise _UtteranceError(
            f"the tokenisation '{tokenization[:40]}' ({error!r})",
            "JSON with tokenizations, tokens, tokenSpans",
        ) from error
    if not tokens or len(tokens) != len(given):
        raise _UtteranceError(
            f"{len(tokens)} tokens with {len(given)} tokenSpans", "as many, and at least one"
        )
    offsets = locate_tokens(utterance, tokens, given)
    if offsets is None:
        raise _UtteranceError(
            "tokenSpans that do not give the tokens", f"spans of the utterance '{utterance}'"
        )
    text = uncovered_text(utterance, offsets)
    if text:
        raise _UtteranceError(
            f"the text '{text}' in no token or in two", "tokens that cover the utterance once"
        )
    return offsets


def _parse_slots(text: str) -> list[Span]:
    slots = []
    for part in filter(None, text.split(",")):
        match = _SLOT.fullmatch(part)
        if match is None or int(match[1]) >= int(match[2]):
            raise _UtteranceError(f"the slot '{part}'", "start:end:type, with start before end")
        slots.append((int(match[1]), int(match[2]), match[3]))
    slots.sort()
    for (_, end, _), (start, next_end, entity_type) in zip(slots, slots[1:], strict=False):
        if start < end:
            raise _UtteranceError(
                f"the slot '{start}:{next_end}:{entity_type}' inside another",
                "slots without overlap",
            )
    return slots


def _align_slots(
    slots: list[Span], offsets: list[Offsets], utterance: str, counts: Counter[str]
) -> list[Span]:
    """Turns slots from characters to tokens, and counts those that change."""
    spans = []
    for (start, end, entity_type), tokens in zip(slots, cover_tokens(slots, offsets), strict=True):
        counts["slots"] += 1
        text = utterance[max(start, 0) : end].strip()
        if not text:
            raise _UtteranceError(
                f"the slot '{start}:{end}:{entity_type}' on no text", f"a slot of '{utterance}'"
            )
        if tokens is None:
            counts["dropped"] += 1
            continue
        covered = utterance[offsets[tokens[0]][0] : offsets[tokens[1] - 1][1]]
        counts["changed"] += start < 0 or end > len(utterance) or text != covered
        spans.append((*tokens, entity_type))
    return spans
