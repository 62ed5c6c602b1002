"""How the lines of a column file are cut, and which of them are comments."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from flair_jointner.data.errors import DataError
from flair_jointner.data.tags import is_tag

UNANNOTATED = "_"
KEY_VALUE = re.compile(r"#[ \t]*(?P<key>[^\s=:]+)[ \t]*[=:][ \t]*(?P<value>.*)")


@dataclass(frozen=True)
class ColumnLayout:
    """How the lines of one file are cut.

    Args:
        delimiter: What separates columns.
        columns: The number of columns.
        text: The column of the token, from 0.
        tag: The column of the tag, from 0.
        class_key: The comment key of the category; None if none is read.
    """

    delimiter: str
    columns: int
    text: int
    tag: int
    class_key: str | None

    def split(self, line: str) -> list[str]:
        """Cuts a line into columns.

        Args:
            line: The line.

        Returns:
            Its columns, which may be more or fewer than `columns`.
        """
        return _split(line, self.delimiter)

    def is_comment(self, line: str) -> bool:
        """Tells whether a line is a comment, by the rule in the docstring of `read_columns`.

        Args:
            line: The line.

        Returns:
            False for token lines and for lines that are neither.
        """
        if not line.startswith("#"):
            return False
        spaced = line.startswith("# ")
        key_value = KEY_VALUE.fullmatch(line)
        if spaced and key_value and key_value["key"] == self.class_key:
            return True
        cells = self.split(line)
        if len(cells) == self.columns:
            return spaced and not (is_tag(cells[self.tag]) or cells[self.tag] == UNANNOTATED)
        return spaced or key_value is not None or not line.strip("#")


def is_blank(line: str) -> bool:
    """Tells whether a line separates sentences.

    Args:
        line: The line.

    Returns:
        True for a `-DOCSTART-` line and a line of nothing but spaces and tabs.
    """
    return not line.strip(" \t") or line.startswith("-DOCSTART-")


def find_layout(
    path: str | Path,
    lines: list[str],
    text_column: int,
    tag_column: int,
    delimiter: str | None,
    class_key: str | None,
) -> ColumnLayout:
    """Finds the delimiter and the number of columns of a file, and checks the columns asked for.

    Args:
        path: The file, for errors.
        lines: Its lines.
        text_column: The column of the token; negative numbers count from the end.
        tag_column: The column of the tag.
        delimiter: The delimiter; None finds out.
        class_key: The comment key of the category.

    Returns:
        The layout.

    Raises:
        DataError: If the file has no lines, or no such columns.
        ValueError: If a column is not a number.
    """
    for name, column in (("text_column", text_column), ("tag_column", tag_column)):
        if not isinstance(column, int):
            raise ValueError(
                f"{name} is the number of a column here, not {column!r}; only tables name columns."
            )
    filled = [line for line in lines if not is_blank(line)]
    # A '#' line may be a comment, so it decides only in a file that has nothing else.
    token_lines = (
        [line for line in filled if not line.startswith("#")]
        or [line for line in filled if not line.startswith("# ")]
        or filled
    )
    if not token_lines:
        raise DataError(path, None, "no sentence", "at least one sentence")
    if delimiter is None:
        delimiter = "\t" if "\t" in token_lines[0] else " "
    widths = Counter(len(_split(line, delimiter)) for line in token_lines)
    columns = widths.most_common(1)[0][0]
    for name, column in (("text_column", text_column), ("tag_column", tag_column)):
        if not -columns <= column < columns:
            raise DataError(
                path, None, f"{columns} column(s)", f"enough columns for {name}={column}"
            )
    text, tag = text_column % columns, tag_column % columns
    if text == tag:
        raise DataError(
            path,
            None,
            f"{columns} column(s) with the delimiter {delimiter!r}; token and tag are the same",
            "two columns or more; pass delimiter, text_column (--text-column) or tag_column "
            "(--tag-column)",
        )
    return ColumnLayout(delimiter, columns, text, tag, class_key)


def _split(line: str, delimiter: str) -> list[str]:
    return re.split(" +", line.rstrip(" ")) if delimiter == " " else line.split(delimiter)
