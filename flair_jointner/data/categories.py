"""Files that give each text a category and no entities."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from flair.data import Sentence
from flair.tokenization import Tokenizer

from flair_jointner.data.annotation import mark_unannotated
from flair_jointner.data.csv_rows import Quoting, csv_rows
from flair_jointner.data.errors import DataError, MalformedData
from flair_jointner.data.segtok import default_tokenizer
from flair_jointner.data.text_files import check_decoded, read_lines, read_raw_lines

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def read_fasttext(
    path: str | Path,
    tag_type: str = "ner",
    class_type: str = "category",
    *,
    tokenizer: Tokenizer | None = None,
    label_prefix: str = "__label__",
    encoding: str = "utf-8",
    skip_malformed: bool = False,
) -> list[Sentence]:
    """Reads a file in fastText's form: `__label__X` and a text on each line.

    Every sentence is marked as not annotated for `tag_type`. Blank lines are left out.

    Args:
        path: The file, plain or `.gz`.
        tag_type: The label type of the entities that the file does not have.
        class_type: The label type of the category.
        tokenizer: What splits the text; None splits at spaces and tabs, fastText's own convention.
        label_prefix: What a label begins with.
        encoding: The file's encoding.
        skip_malformed: Skip malformed lines and log their number, instead of stopping at the first.

    Returns:
        The sentences.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If a line that is not skipped is malformed, or there is no sentence.
    """
    sentences = []
    with MalformedData(skip_malformed) as malformed:
        for number, line in enumerate(read_lines(path, encoding), start=1):
            if not line.strip(" \t"):
                continue
            with malformed.catch():
                check_decoded(path, number, line, encoding)
                category, words = _read_label(path, number, line, label_prefix)
                text = words if tokenizer is None else " ".join(words)
                sentence = _classified(path, number, text, tokenizer, category, class_type)
                mark_unannotated(sentence, tag_type)
                sentences.append(sentence)
        malformed.require_sentences(path, len(sentences))
    return sentences


def _read_label(
    path: str | Path, number: int, line: str, label_prefix: str
) -> tuple[str, list[str]]:
    first, *words = re.split("[ \t]+", line.strip(" \t"))
    if not first.startswith(label_prefix) or first == label_prefix:
        raise DataError(
            path, number, f"'{first}' at the start of the line", f"a label, {label_prefix}NAME"
        )
    more = [word for word in words if word.startswith(label_prefix)]
    if more:
        raise DataError(
            path,
            number,
            f"{len(more) + 1} labels ('{first}', '{more[0]}')",
            "one label for each text",
        )
    if not words:
        raise DataError(
            path, number, f"the label '{first}' without a text", "a text after the label"
        )
    return first.removeprefix(label_prefix), words


def read_table(
    path: str | Path,
    text_column: str,
    class_column: str,
    tag_type: str = "ner",
    class_type: str = "category",
    *,
    delimiter: str | None = None,
    quoting: Quoting = csv.QUOTE_MINIMAL,
    tokenizer: Tokenizer | None = None,
    encoding: str = "utf-8",
    skip_malformed: bool = False,
) -> list[Sentence]:
    """Reads a CSV or TSV file with a header.

    Every sentence is marked as not annotated for `tag_type`. A quoted field may hold line breaks;
    an error in such a row names the row's first line.

    Args:
        path: The file, plain or `.gz`.
        text_column: The name of the column with the text.
        class_column: The name of the column with the category.
        tag_type: The label type of the entities that the file does not have.
        class_type: The label type of the category.
        delimiter: What separates fields; None takes "," for `.csv` and a tab for `.tsv`.
        quoting: `csv.QUOTE_MINIMAL`, or `csv.QUOTE_NONE` for a file in which '"' is a character
            like any other.
        tokenizer: What splits the text; `flair.tokenization.SegtokTokenizer` if None.
        encoding: The file's encoding.
        skip_malformed: Skip malformed rows and log their number, instead of stopping at the first.

    Returns:
        The sentences.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If a column is missing, a row that is not skipped is malformed, or there is no
            sentence.
        ValueError: If the file's name does not tell the delimiter.
    """
    delimiter = delimiter or _delimiter_of(path)
    tokenizer = tokenizer or default_tokenizer()
    lines = read_raw_lines(path, encoding)
    sentences = []
    with MalformedData(skip_malformed) as malformed:
        rows = csv_rows(path, lines, delimiter, quoting, malformed)
        first, header = next(rows, (1, []))
        check_decoded(path, first, "".join(header), encoding)
        text_index, class_index = (
            _column_index(path, first, header, name) for name in (text_column, class_column)
        )
        for number, row in rows:
            with malformed.catch():
                check_decoded(path, number, "".join(row), encoding)
                if len(row) != len(header):
                    raise DataError(
                        path, number, f"{len(row)} field(s)", f"{len(header)}, as in the header"
                    )
                text, category = row[text_index].strip(), row[class_index].strip()
                if not text or not category:
                    empty = class_column if text else text_column
                    raise DataError(
                        path, number, f"an empty column '{empty}'", "a text and a category"
                    )
                sentence = _classified(path, number, text, tokenizer, category, class_type)
                mark_unannotated(sentence, tag_type)
                sentences.append(sentence)
        malformed.require_sentences(path, len(sentences))
    return sentences


def _delimiter_of(path: str | Path) -> str:
    suffix = Path(str(path).removesuffix(".gz")).suffix.lower()
    if suffix not in _DELIMITERS:
        raise ValueError(
            f"The name of {path} does not tell its delimiter. Name it .csv or .tsv, "
            "or pass delimiter=."
        )
    return _DELIMITERS[suffix]


def _column_index(path: str | Path, number: int, header: list[str], name: str) -> int:
    if name not in header:
        found = f"the columns {', '.join(map(repr, header))}" if header else "no header"
        raise DataError(path, number, found, f"a column '{name}'")
    return header.index(name)


def _classified(
    path: str | Path,
    number: int,
    text: str | list[str],
    tokenizer: Tokenizer | None,
    category: str,
    class_type: str,
) -> Sentence:
    if isinstance(text, str):
        text = text.replace("\r", " ")  # which Flair's default tokenizer stumbles over
    sentence = Sentence(text) if tokenizer is None else Sentence(text, use_tokenizer=tokenizer)
    if len(sentence) == 0:
        raise DataError(
            path, number, f"the text {text!r}, in which the tokenizer finds no token", "a text"
        )
    sentence.add_label(class_type, category)
    return sentence
