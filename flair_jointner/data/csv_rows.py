"""Rows of CSV and TSV, in which a quotation mark may be one too many."""

from __future__ import annotations

import csv
import logging
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from flair_jointner.data.errors import DataError, MalformedData

log = logging.getLogger("flair_jointner")

Quoting = Literal[0, 1, 2, 3]
"""The constants `csv.QUOTE_...`."""
LONGEST_FIELD = 10_000_000
"""More than any text has, where Python's own limit is 131,072."""
MOST_LINES = 100
"""Of a row: what goes on longer was opened by an inch sign at the beginning of a field."""

_REMEDY = "closed quotes; or pass --plain-quotes (quoting=csv.QUOTE_NONE, plain_quotes=True)"


def csv_rows(
    path: str | Path,
    lines: Iterable[str],
    delimiter: str,
    quoting: Quoting,
    malformed: MalformedData,
) -> Iterator[tuple[int, list[str]]]:
    """Reads rows one by one; after one that is malformed, goes on in the line after its first.

    A warning says how many rows go over several lines: where a quotation mark means inches, what
    lies between two of them would be one row, and nobody would notice.

    Args:
        path: The file, for errors.
        lines: Its lines, with their ends.
        delimiter: What separates fields.
        quoting: `csv.QUOTE_MINIMAL`, or `csv.QUOTE_NONE` for a file in which '"' is a character
            like any other.
        malformed: Stops at a malformed row, or counts it.

    Yields:
        Each row that is not blank, with the number of its first line, from 1.

    Raises:
        DataError: If a row that is not skipped is malformed.
    """
    csv.field_size_limit(LONGEST_FIELD)
    source = iter(lines)
    again: deque[str] = deque()
    begins = 1
    several: list[tuple[int, int]] = []  # rows that go over several lines: where, how many
    while True:
        read: list[str] = []
        row: list[str] | None = None
        with malformed.catch():
            row = _next_row(path, begins, again, source, read, delimiter, quoting)
        if not read:
            break
        if row is None:
            again.extendleft(reversed(read[1:]))
            begins += 1
            continue
        if len(read) > 1:
            several.append((begins, len(read)))
        if row:
            yield begins, row
        begins += len(read)
    if several:
        log.warning(
            "%s: %d row(s) in quotes go over several lines, %d in all, the first from line %d on. "
            "If '\"' is a character like any other there, pass --plain-quotes "
            "(quoting=csv.QUOTE_NONE, plain_quotes=True).",
            path,
            len(several),
            sum(count for _, count in several),
            several[0][0],
        )


def _next_row(
    path: str | Path,
    begins: int,
    again: deque[str],
    source: Iterator[str],
    read: list[str],
    delimiter: str,
    quoting: Quoting,
) -> list[str] | None:
    """The next row, the lines of which are added to `read`; None at the end."""

    def its_lines() -> Iterator[str]:
        while (line := again.popleft() if again else next(source, None)) is not None:
            read.append(line)
            if len(read) > MOST_LINES:
                found = f"a row in quotes that goes on for more than {MOST_LINES} lines"
                raise DataError(path, begins, found, _REMEDY)
            yield line

    try:
        reader = csv.reader(its_lines(), delimiter=delimiter, quoting=quoting, strict=True)
        return next(reader, None)
    except csv.Error as error:
        raise DataError(path, begins, f"a row that is not CSV ({error})", _REMEDY) from error
