"""Lines of a text file, plain or gzipped, with an error for bytes that are not in its encoding."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from flair_jointner.data.errors import DataError


def known_encoding(name: str) -> str:
    """Refuses an encoding that there is not.

    Args:
        name: The encoding.

    Returns:
        The same; for UTF-8 the one that drops a byte order mark.

    Raises:
        ValueError: If there is no such encoding.
    """
    try:
        "".encode(name)  # fails for what encodes bytes, such as rot13
        return "utf-8-sig" if codecs.lookup(name).name == "utf-8" else name
    except LookupError as error:
        raise ValueError(
            f"{error}: name one that Python knows, such as utf-8, latin-1 or tis-620."
        ) from error


@contextmanager
def open_text(path: str | Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    r"""Opens a text file; one that ends in `.gz` is unpacked on the way.

    Only "\n" ends a line, and line ends are kept as they are. Bytes that cannot be decoded become
    lone surrogates, so that one bad line does not hide the others; see `check_decoded`.

    Args:
        path: The file.
        encoding: Its encoding; with UTF-8 a byte order mark is dropped.

    Yields:
        The open file.

    Raises:
        DataError: If the encoding cannot go on after bad bytes (UTF-16 and other codecs of several
            bytes), or gzipped data are damaged.
        ValueError: If there is no such encoding.
    """
    encoding = known_encoding(encoding)
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding=encoding, errors="surrogateescape", newline="\n") as file:
        try:
            yield file
        except UnicodeDecodeError as error:
            found = error.object[error.start : error.end]
            raise _wrong_encoding(path, None, found, encoding) from error
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(path, None, f"damaged data ({error})", "a whole gzip file") from error


def read_raw_lines(path: str | Path, encoding: str = "utf-8") -> list[str]:
    """Reads the lines of a file with their line ends.

    Args:
        path: The file, plain or `.gz`.
        encoding: Its encoding.

    Returns:
        The lines.
    """
    with open_text(path, encoding) as file:
        return list(file)


def read_lines(path: str | Path, encoding: str = "utf-8") -> list[str]:
    r"""Reads the lines of a file without their line ends ("\n" or "\r\n").

    Args:
        path: The file, plain or `.gz`.
        encoding: Its encoding.

    Returns:
        The lines.

    Raises:
        DataError: If its line ends are carriage returns alone.
    """
    lines = read_raw_lines(path, encoding)
    if len(lines) == 1 and not lines[0].endswith("\n") and "\r" in lines[0].rstrip("\r"):
        found = f"carriage returns and no line end, as in {lines[0][:40]!r}"
        raise DataError(path, 1, found, 'lines that end in "\\n" or "\\r\\n"')
    return [line.rstrip("\r\n") for line in lines]


def check_decoded(path: str | Path, line: int, text: str, encoding: str) -> None:
    """Refuses text that holds bytes which its encoding could not read.

    Args:
        path: The file.
        line: The line number, from 1.
        text: The text.
        encoding: The encoding that was tried.

    Raises:
        DataError: If there are such bytes.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = text[error.start : error.end].encode("utf-8", errors="surrogateescape")
        raise _wrong_encoding(path, line, found, encoding) from None


def _wrong_encoding(path: str | Path, line: int | None, found: bytes, encoding: str) -> DataError:
    return DataError(
        path,
        line,
        f"the byte(s) {found[:8].hex(' ').upper()}, which are not {encoding}",
        f"text in {encoding}; pass the file's own encoding, for example encoding='latin-1' "
        "(--encoding latin-1)",
    )
