"""Texts from plain text, JSON Lines and tables, read as they are needed."""

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO

from flair_jointner.data import DataError
from flair_jointner.data.csv_rows import Quoting, csv_rows
from flair_jointner.data.errors import MalformedData
from flair_jointner.data.text_files import check_decoded, open_text

InputFormat = Literal["text", "jsonl", "csv", "tsv"]
_SUFFIXES: dict[str, InputFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
}

_HALF = re.compile("[\ud800-\udfff]")


class TextInput(NamedTuple):
    """A text to tag.

    Attributes:
        text: The text.
        fields: The other fields of its line, if the input has fields.
    """

    text: str
    fields: dict[str, Any]


def input_format(name: str) -> InputFormat:
    """The format that a file name stands for; plain text where it tells nothing.

    Args:
        name: File name; a ``.gz`` at its end is passed over.

    Returns:
        The format.
    """
    return _SUFFIXES.get(Path(name.removesuffix(".gz")).suffix.lower(), "text")


def read_inputs(
    path: str | Path,
    column: str = "text",
    file_format: InputFormat | None = None,
    plain_quotes: bool = False,
    encoding: str = "utf-8",
) -> Iterator[TextInput]:
    """Reads the texts of a file.

    Args:
        path: The file; it may end in ``.gz``.
        column: Where the text stands in JSON Lines and tables.
        file_format: The format; by the file's name when None.
        plain_quotes: Whether '"' is a character like any other in a table.
        encoding: The file's encoding.

    Yields:
        The texts in order.

    Raises:
        DataError: If a line has no text in that column, is no JSON, or its quotes are not closed.
        FileNotFoundError: If there is no such file.
        ValueError: If there is no such encoding.
    """
    file_format = file_format or input_format(str(path))
    with open_text(path, encoding) as file:
        yield from read_stream(file, str(path), column, file_format, plain_quotes, encoding)


def read_stream(
    file: TextIO,
    name: str,
    column: str,
    file_format: InputFormat,
    plain_quotes: bool = False,
    encoding: str = "utf-8",
) -> Iterator[TextInput]:
    """Reads the texts of an open file or of standard input.

    Args:
        file: The lines.
        name: What to call it in errors.
        column: Where the text stands in JSON Lines and tables.
        file_format: The format.
        plain_quotes: Whether '"' is a character like any other in a table.
        encoding: What the lines were decoded from, for errors.

    Yields:
        The texts in order. Blank lines are texts in plain text and nothing elsewhere.

    Raises:
        DataError: If a line has no text in that column, is no JSON, or its quotes are not closed.
    """
    lines = _decoded(file, name, encoding)
    if file_format == "text":
        for line in lines:
            yield TextInput(line.rstrip("\r\n"), {})
    elif file_format == "jsonl":
        yield from _read_json_lines(lines, name, column)
    else:
        delimiter = "," if file_format == "csv" else "\t"
        quoting: Quoting = csv.QUOTE_NONE if plain_quotes else csv.QUOTE_MINIMAL
        stop = MalformedData(skip=False)
        yield from _read_table(csv_rows(name, lines, delimiter, quoting, stop), name, column)


def _decoded(lines: Iterable[str], name: str, encoding: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        check_decoded(name, number, line, encoding)
        yield line.removeprefix("\ufeff") if number == 1 else line  # standard input keeps the mark


def _read_json_lines(lines: Iterable[str], name: str, column: str) -> Iterator[TextInput]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line, parse_constant=_no_json, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise DataError(name, number, line.strip()[:80], f"a JSON object ({error})") from error
        if not isinstance(fields, dict) or not isinstance(fields.get(column), str):
            raise DataError(
                name, number, line.strip()[:80], f"a JSON object with a text under {column!r}"
            )
        if "\\ud" in line.lower() and _HALF.search(json.dumps(fields, ensure_ascii=False)):
            raise DataError(
                name,
                number,
                "one half of an escaped character (\\ud800 to \\udfff)",
                "both halves: was a text cut between them?",
            )
        yield TextInput(fields.pop(column), fields)


def _no_json(constant: str) -> None:
    """Python reads and writes these, and nobody else does."""
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    found = float(number)
    if math.isinf(found):
        raise ValueError(f"{number} is more than a number can be")
    return found


def _read_table(
    rows: Iterator[tuple[int, list[str]]], name: str, column: str
) -> Iterator[TextInput]:
    begins, heads = next(rows, (1, []))
    if column not in heads:
        found = f"columns {', '.join(heads) or '(none)'}"
        raise DataError(name, begins, found, f"a column {column!r}")
    twice = [head for head, count in Counter(heads).items() if count > 1]
    if twice:
        found = f"{', '.join(twice)} twice"
        raise DataError(name, begins, found, "a name of its own for a column")
    for number, row in rows:
        if len(row) != len(heads):
            raise DataError(
                name,
                number,
                f"{len(row)} field(s)",
                f"{len(heads)}, as in the first line; a text with a separator has to be in quotes",
            )
        fields = dict(zip(heads, row, strict=True))
        yield TextInput(fields.pop(column), fields)
