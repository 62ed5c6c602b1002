"""The tokenizers that have a name on the command line."""

from __future__ import annotations

from collections.abc import Callable

from flair.tokenization import SpaceTokenizer, Tokenizer

from flair_jointner.data.segmenter import CRFSegmenter
from flair_jointner.data.segtok import default_tokenizer
from flair_jointner.data.thai import ThaiTokenizer

_TOKENIZERS: dict[str, Callable[[], Tokenizer]] = {
    "segtok": default_tokenizer,
    "space": SpaceTokenizer,
    "thai": lambda: ThaiTokenizer("newmm"),
    "thai-cluster": lambda: ThaiTokenizer("tcc"),
}
SEGMENTER = "segmenter:"
"""What stands before the file of a segmenter."""
TOKENIZERS = (*_TOKENIZERS, f"{SEGMENTER}FILE")
"""What :func:`make_tokenizer` takes."""


def make_tokenizer(name: str) -> Tokenizer:
    """Makes a tokenizer by its name.

    Args:
        name: "segtok", Flair's default; "space", for text that is cut already; "thai", words by
            PyThaiNLP's dictionary; "thai-cluster", Thai character clusters; or "segmenter:FILE",
            a model of `train_segmenter`.

    Returns:
        The tokenizer.

    Raises:
        FileNotFoundError: If there is no such segmenter.
        MissingPackage: If the package behind it is not installed.
        ValueError: If there is no such name, or the segmenter's file is none.
    """
    if name == SEGMENTER:
        raise ValueError(f"'{name}' names no file; it has to be {SEGMENTER}FILE.")
    if name.startswith(SEGMENTER):
        return CRFSegmenter(name.removeprefix(SEGMENTER))
    if name not in _TOKENIZERS:
        raise ValueError(f"There is no tokenizer '{name}'; possible: {', '.join(TOKENIZERS)}.")
    return _TOKENIZERS[name]()
