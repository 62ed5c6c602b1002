"""Flair sentences to a column file."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

from flair.data import Sentence

from flair_jointner.data.annotation import is_annotated
from flair_jointner.data.column_layout import KEY_VALUE, UNANNOTATED
from flair_jointner.data.whole_files import written_whole


def write_columns(
    sentences: Iterable[Sentence],
    path: str | Path,
    tag_type: str = "ner",
    class_type: str | None = None,
    *,
    class_key: str | None = None,
    encoding: str = "utf-8",
) -> None:
    r"""Writes sentences so that `read_columns` gives the same back, whole or not at all.

    Each line is a token, a tab and a tag (BIO); sentences end in a blank line. The category stands
    before its sentence as `# key = value`. A sentence that is not annotated has `_` for every tag.

    Args:
        sentences: The sentences, at least one.
        path: The file, packed if it ends in `.gz`. A missing folder is made.
        tag_type: The label type of the entities.
        class_type: The label type of the category; None writes no category.
        class_key: The comment key of the category; `class_type` if None.
        encoding: The file's encoding.

    Raises:
        ValueError: If there is no sentence, or one that would not be read back the same: entities
            that overlap, a token with a tab or a line end, one of nothing but spaces, or one that
            begins like a comment ("# ") or a document ("-DOCSTART-"); or if the encoding has not
            all the characters.
    """
    key = class_key or class_type
    blocks = [_block(sentence, tag_type, class_type, key) for sentence in sentences]
    if not blocks:
        raise ValueError(f"There is no sentence to write to {path}: pass at least one.")
    text = "\n".join(blocks)
    if text.startswith("\ufeff"):
        text = "\n" + text  # at the very start of a file, it would be read as a byte order mark
    path = Path(path)
    data = _encode(text, path, encoding)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        # Without a time in it, the same sentences give the same file.
        temporary.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _block(sentence: Sentence, tag_type: str, class_type: str | None, key: str | None) -> str:
    if len(sentence) == 0:
        raise ValueError("A sentence without tokens cannot be written: leave it out.")
    lines = []
    categories = [] if class_type is None else sentence.get_labels(class_type)
    if categories:
        lines.append(_comment(str(key), categories[0].value))
    tags = _tags(sentence, tag_type)
    lines += [_token_line(token.text, tag) for token, tag in zip(sentence, tags, strict=True)]
    return "".join(f"{line}\n" for line in lines)


def _comment(key: str, category: str) -> str:
    comment = f"# {key} = {category}"
    read = KEY_VALUE.fullmatch(comment)
    if read is None or (read["key"], read["value"].strip(" \t\r")) != (key, category):
        raise ValueError(
            f"The category {category!r} with the key {key!r} cannot be written as a comment: a key "
            "has no space, '=' or ':', a category is one line without spaces around it."
        )
    return comment


def _tags(sentence: Sentence, tag_type: str) -> list[str]:
    if not is_annotated(sentence, tag_type):
        return [UNANNOTATED] * len(sentence)
    tags = ["O"] * len(sentence)
    for span in sentence.get_spans(tag_type):
        start, end = span[0].idx - 1, span[-1].idx
        if any(tag != "O" for tag in tags[start:end]):
            raise ValueError(
                f"The entity '{span.text}' overlaps another one in the sentence "
                f"'{sentence.to_plain_string()}': a token has one tag in a column file."
            )
        entity_type = span.get_label(tag_type).value
        tags[start:end] = [f"I-{entity_type}"] * (end - start)
        tags[start] = f"B-{entity_type}"
    return tags


def _token_line(token: str, tag: str) -> str:
    line = f"{token}\t{tag}"
    if (
        line.count("\t") != 1
        or "\n" in line
        or line.endswith("\r")
        or not token.strip(" ")
        or token.startswith(("# ", "-DOCSTART-"))
    ):
        raise ValueError(
            f"The token {token!r} with the tag {tag!r} would not be read back the same from a "
            "column file. Take the sentence out, or cut the text in another way (--tokenizer)."
        )
    return line


def _encode(text: str, path: Path, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{encoding} has no {text[error.start]!r}, which is to be written to {path}: pass "
            "encoding='utf-8', or take the sentence out."
        ) from error
