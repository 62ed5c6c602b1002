"""Texts from plain text, JSON Lines and tables, read as they are needed."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO

from flair_jointner.data import DataError
from flair_jointner.data.text_files import check_decoded, open_text

InputFormat = Literal["text", "jsonl", "csv", "tsv"]
_SUFFIXES: dict[str, InputFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
}


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
    path: str | Path, column: str = "text", file_format: InputFormat | None = None
) -> Iterator[TextInput]:
    """Reads the texts of a file.

    Args:
        path: The file, in UTF-8; it may end in ``.gz``.
        column: Where the text stands in JSON Lines and tables.
        file_format: The format; by the file's name when None.

    Yields:
        The texts in order.

    Raises:
        DataError: If a line has no text in that column, or is no JSON.
        FileNotFoundError: If there is no such file.
    """
    with open_text(path) as file:
        yield from read_stream(file, str(path), column, file_format or input_format(str(path)))


def read_stream(
    file: TextIO, name: str, column: str, file_format: InputFormat
) -> Iterator[TextInput]:
    """Reads the texts of an open file or of standard input.

    Args:
        file: The lines.
        name: What to call it in errors.
        column: Where the text stands in JSON Lines and tables.
        file_format: The format.

    Yields:
        The texts in order.

    Raises:
        DataError: If a line has no text in that column, or is no JSON.
    """
    lines = _decoded(file, name)
    if file_format == "text":
        for line in lines:
            yield TextInput(line.rstrip("\r\n"), {})
    elif file_format == "jsonl":
        yield from _read_json_lines(lines, name, column)
    else:
        yield from _read_table(lines, name, column, "," if file_format == "csv" else "\t")


def _decoded(lines: Iterable[str], name: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        check_decoded(name, number, line, "utf-8")
        yield line


def _read_json_lines(lines: Iterable[str], name: str, column: str) -> Iterator[TextInput]:
    for number, line in enumerate(lines, start=1):
        try:
            fields = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(name, number, line.strip()[:80], f"a JSON object ({error})") from error
        if not isinstance(fields, dict) or not isinstance(fields.get(column), str):
            raise DataError(
                name, number, line.strip()[:80], f"a JSON object with a text under {column!r}"
            )
        yield TextInput(fields.pop(column), fields)


def _read_table(
    lines: Iterable[str], name: str, column: str, delimiter: str
) -> Iterator[TextInput]:
    reader = csv.DictReader(lines, delimiter=delimiter)
    if column not in (reader.fieldnames or []):
        found = f"columns {', '.join(reader.fieldnames or []) or '(none)'}"
        raise DataError(name, 1, found, f"a column {column!r}")
    for fields in reader:
        text = fields.pop(column)
        if text is None:
            raise DataError(name, reader.line_num, "a line that is too short", f"a {column!r}")
        yield TextInput(text, fields)
