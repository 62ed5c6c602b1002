"""Slot folders of dialogue corpora: tokens, tags and intents in three files, line by line."""

from __future__ import annotations

from pathlib import Path

from flair.data import Sentence

from flair_jointner.data.annotation import add_gold_labels, mark_unannotated
from flair_jointner.data.column_layout import UNANNOTATED
from flair_jointner.data.errors import DataError, MalformedData
from flair_jointner.data.tags import TagError, detect_scheme, spans_from_tags
from flair_jointner.data.text_files import check_decoded, read_lines

SLOT_FILES = ("seq.in", "seq.out", "label")
"""What is read of a folder of slots."""


def read_slot_folder(
    folder: str | Path,
    tag_type: str = "ner",
    class_type: str | None = "category",
    *,
    encoding: str = "utf-8",
    skip_malformed: bool = False,
) -> list[Sentence]:
    """Reads a folder with the files `seq.in` (tokens), `seq.out` (tags) and `label` (intents).

    Line n of each file is sentence n. Tokens and tags are separated by ASCII spaces. The
    folder may have no `label` file, and an intent may be empty; such sentences have no category.

    Args:
        folder: The folder.
        tag_type: The label type of the slots.
        class_type: The label type of the intent; None reads no intent.
        encoding: The encoding of the files.
        skip_malformed: Skip malformed sentences and log their number, instead of stopping at the
            first.

    Returns:
        The sentences.

    Raises:
        FileNotFoundError: If `seq.in` or `seq.out` is missing.
        DataError: If the files have different numbers of lines, or a sentence that is not skipped
            is malformed.
    """
    paths = [Path(folder) / name for name in SLOT_FILES]
    if class_type is None or not paths[2].exists():
        del paths[2]
    files = [read_lines(path, encoding) for path in paths]
    for path, lines in zip(paths, files, strict=True):
        if len(lines) != len(files[0]):
            raise DataError(
                path, None, f"{len(lines)} lines", f"{len(files[0])} lines, as in {paths[0].name}"
            )
    scheme = detect_scheme(_words(line) for line in files[1])
    sentences = []
    with MalformedData(skip_malformed) as malformed:
        for number, row in enumerate(zip(*files, strict=True), start=1):
            with malformed.catch():
                for path, line in zip(paths, row, strict=True):
                    check_decoded(path, number, line, encoding)
                sentence = _read_slot_tags(
                    paths[1], number, _words(row[0]), _words(row[1]), scheme, tag_type
                )
                category = row[2].strip(" \t") if len(row) > 2 else ""
                if class_type is not None and category:
                    sentence.add_label(class_type, category)
                sentences.append(sentence)
        malformed.require_sentences(folder, len(sentences))
    return sentences


def _words(line: str) -> list[str]:
    return [word for word in line.split(" ") if word]


def _read_slot_tags(
    path: Path, number: int, tokens: list[str], tags: list[str], scheme: str, tag_type: str
) -> Sentence:
    if not tokens or len(tokens) != len(tags):
        raise DataError(
            path,
            number,
            f"{len(tags)} tags for {len(tokens)} tokens",
            "one tag for each token, at least one token",
        )
    annotated = any(tag != UNANNOTATED for tag in tags)
    try:
        spans = spans_from_tags(tags, scheme) if annotated else []
    except TagError as error:
        found = f"at token {error.position + 1} {error.found}"
        raise DataError(path, number, found, error.expected) from error
    sentence = Sentence(tokens)
    add_gold_labels(sentence, tag_type=tag_type, spans=spans)
    if not annotated:
        mark_unannotated(sentence, tag_type)
    return sentence
