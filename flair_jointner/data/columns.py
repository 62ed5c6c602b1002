"""Column files: one token per line, a blank line between sentences, the category in a comment."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from flair.data import Sentence

from flair_jointner.data.annotation import add_gold_labels, mark_unannotated
from flair_jointner.data.column_layout import (
    KEY_VALUE,
    UNANNOTATED,
    ColumnLayout,
    find_layout,
    is_blank,
)
from flair_jointner.data.errors import DataError, MalformedData
from flair_jointner.data.tags import TagError, detect_scheme, normalize_scheme, spans_from_tags
from flair_jointner.data.text_files import check_decoded, read_lines

log = logging.getLogger("flair_jointner")

_NumberedLine = tuple[int, str]


def read_columns(
    path: str | Path,
    tag_type: str = "ner",
    class_type: str | None = None,
    *,
    text_column: int = 0,
    tag_column: int = -1,
    class_key: str | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8",
    scheme: str | None = None,
    skip_malformed: bool = False,
) -> list[Sentence]:
    r"""Reads a file with one token per line and a blank line between sentences.

    Columns are separated by tabs if the first token line has a tab, else by spaces. No other
    character separates, so a token may be an ideographic space or a no-break space. Lines of
    nothing but spaces and tabs are blank, and so are `-DOCSTART-` lines. The file's number of
    columns is that of most of its lines.

    The category stands before its sentence in a comment, `# key = value` or `# key: value`. The
    sentence's metadata keeps all such comments. Because a token may begin with '#' ("#\tO",
    "#nyaman\tO", "# O"), a line that begins with '#' is a comment only

    - if it has the key `class_key` and begins with "# "; or
    - if it begins with "# ", or is `#key=value` or a row of '#', and is not a token line, which has
      the file's number of columns and a tag in the tag column (a comment that holds a tab is still
      a comment).

    Every other line must be a token line. A comment after a sentence's first token is malformed,
    and so is a category without tokens; other comments without tokens, such as a licence at the
    top, are left out.

    A sentence whose tags are all `_` has no entity annotation and is marked with
    `mark_unannotated`. A sentence without a category comment has no category.

    Args:
        path: The file, plain or `.gz`.
        tag_type: The label type of the entities.
        class_type: The label type of the category; None reads no category.
        text_column: The column of the token, from 0; negative numbers count from the end.
        tag_column: The column of the tag.
        class_key: The comment key of the category; `class_type` if None.
        delimiter: What separates columns, a tab or a space (any number of spaces); None finds out.
        encoding: The file's encoding.
        scheme: The tagging scheme (see `spans_from_tags`); None finds out from all tags.
        skip_malformed: Skip malformed sentences and log their number, instead of stopping at the
            first.

    Returns:
        The sentences.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If the file, or a sentence that is not skipped, is malformed.
        ValueError: If an argument is not possible.
    """
    if class_key is not None and class_type is None:
        raise ValueError(
            f"class_key='{class_key}' needs a class_type, the label type of the category."
        )
    scheme = None if scheme is None else normalize_scheme(scheme)
    lines = read_lines(path, encoding)
    layout = find_layout(path, lines, text_column, tag_column, delimiter, class_key or class_type)
    with MalformedData(skip_malformed) as malformed:
        blocks = []
        for block_lines in _split_blocks(lines):
            with malformed.catch():
                blocks.append(_read_block(path, block_lines, layout, encoding))
        blocks = [block for block in blocks if block.tokens]
        _check_key(path, blocks, class_key, class_type)
        if scheme is None:
            scheme = detect_scheme(block.tags for block in blocks)
        sentences = []
        for block in blocks:
            with malformed.catch():
                sentences.append(
                    _to_sentence(path, block, scheme, tag_type, class_type, layout.class_key)
                )
        malformed.require_sentences(path, len(sentences))
    return sentences


@dataclass
class _Block:
    """The lines of one sentence: its tokens, their tags and line numbers, and its comments."""

    comments: dict[str, str] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


def _split_blocks(lines: Iterable[str]) -> list[list[_NumberedLine]]:
    """Groups lines into sentences at blank lines."""
    blocks: list[list[_NumberedLine]] = [[]]
    for number, line in enumerate(lines, start=1):
        if not is_blank(line):
            blocks[-1].append((number, line))
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _read_block(
    path: str | Path, lines: list[_NumberedLine], layout: ColumnLayout, encoding: str
) -> _Block:
    block = _Block()
    for number, line in lines:
        check_decoded(path, number, line, encoding)
        if layout.is_comment(line):
            _read_comment(path, number, line, block, layout.class_key)
        else:
            _read_token(path, number, line, block, layout)
    if not block.tokens and layout.class_key in block.comments:
        raise DataError(
            path,
            lines[0][0],
            "a category without tokens",
            "the sentence's tokens below its comment",
        )
    return block


def _read_comment(
    path: str | Path, number: int, line: str, block: _Block, class_key: str | None
) -> None:
    if block.tokens:
        raise DataError(
            path,
            number,
            f"the line '{line}' inside a sentence, which is a comment or a broken token line",
            "comments before the first token only",
        )
    key_value = KEY_VALUE.fullmatch(line)
    if key_value is None:
        return
    key, value = key_value["key"], key_value["value"].strip(" \t")
    if key == class_key and not value:
        raise DataError(
            path, number, f"the comment '{line}' without a value", f"a category: # {key} = VALUE"
        )
    if key == class_key and key in block.comments:
        raise DataError(
            path, number, f"a second comment with the key '{key}'", "one category for a sentence"
        )
    block.comments[key] = value


def _read_token(
    path: str | Path, number: int, line: str, block: _Block, layout: ColumnLayout
) -> None:
    cells = layout.split(line)
    if len(cells) != layout.columns:
        hint = " (a comment begins with '# ')" if line.startswith("#") else ""
        raise DataError(
            path,
            number,
            f"{len(cells)} column(s) in '{line}'",
            f"{layout.columns} columns separated by {layout.delimiter!r}{hint}",
        )
    token, tag = cells[layout.text], cells[layout.tag].strip(" ")
    if not token.strip(" "):
        raise DataError(path, number, "an empty token", f"a token in column {layout.text}")
    block.tokens.append(token)
    block.tags.append(tag)
    block.numbers.append(number)


def _check_key(
    path: str | Path, blocks: list[_Block], asked: str | None, class_type: str | None
) -> None:
    """Looks whether the key of the category is among those of the comments, if there are any."""
    keys = dict.fromkeys(key for block in blocks for key in block.comments)
    if not keys or class_type is None or (asked or class_type) in keys:
        return
    found = f"comments with the keys {', '.join(map(repr, keys))}"
    if asked is not None:
        raise DataError(path, None, found, f"the key '{asked}' for the category")
    log.warning(
        "%s has %s and none '%s': its sentences have no category. class_key= (--class-key) names "
        "another key.",
        path,
        found,
        class_type,
    )


def _to_sentence(
    path: str | Path,
    block: _Block,
    scheme: str,
    tag_type: str,
    class_type: str | None,
    class_key: str | None,
) -> Sentence:
    unannotated = [tag == UNANNOTATED for tag in block.tags]
    if any(unannotated) and not all(unannotated):
        odd = unannotated.index(not unannotated[0])
        raise DataError(
            path,
            block.numbers[odd],
            f"the tag '{block.tags[odd]}' after '{block.tags[odd - 1]}'",
            f"'{UNANNOTATED}' for all tokens of a sentence that is not annotated, or for none",
        )
    try:
        spans = [] if all(unannotated) else spans_from_tags(block.tags, scheme)
    except TagError as error:
        raise DataError(path, block.numbers[error.position], error.found, error.expected) from error
    sentence = Sentence(block.tokens)
    for key, value in block.comments.items():
        sentence.add_metadata(key, value)
    category = None if class_key is None else block.comments.get(class_key)
    add_gold_labels(
        sentence, tag_type=tag_type, spans=spans, class_type=class_type, category=category
    )
    if all(unannotated):
        mark_unannotated(sentence, tag_type)
    return sentence
