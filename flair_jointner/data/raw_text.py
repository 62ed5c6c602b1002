"""Plain text, a sentence per line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from flair.tokenization import Tokenizer

from flair_jointner.data.segtok import default_tokenizer
from flair_jointner.data.text_files import check_decoded, read_lines


def read_raw_text(
    path: str | Path, tokenizer: Tokenizer | None = None, encoding: str = "utf-8"
) -> Iterator[list[str]]:
    """Reads the tokens of each line; lines without a token are left out.

    Args:
        path: The file, plain or `.gz`.
        tokenizer: Cuts a line into tokens, between which tabs count as spaces; Flair's
            `SegtokTokenizer` if not given.
        encoding: Its encoding.

    Yields:
        The tokens of a line.

    Raises:
        DataError: If a line cannot be decoded.
    """
    tokenizer = tokenizer or default_tokenizer()
    for number, line in enumerate(read_lines(path, encoding), start=1):
        check_decoded(path, number, line, encoding)
        # As in class-only files, tabs separate words too, whatever the tokenizer.
        if tokens := tokenizer.tokenize(re.sub("[ \t]+", " ", line)):
            yield tokens
