"""From files to a Flair corpus, whatever their format."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from flair.data import Corpus, Sentence
from flair.datasets import FlairDatapointDataset

from flair_jointner.data.categories import read_fasttext, read_table
from flair_jointner.data.columns import read_columns
from flair_jointner.data.pytext import read_pytext_tsv
from flair_jointner.data.slots import read_slot_folder
from flair_jointner.data.text_files import open_text

_READERS: dict[str, Callable[..., list[Sentence]]] = {
    "columns": read_columns,
    "slots": read_slot_folder,
    "pytext": read_pytext_tsv,
    "fasttext": read_fasttext,
    "table": read_table,
}
CLASS_ONLY = ("fasttext", "table")
"""The formats that hold categories and nothing else."""
UNUSED_CLASS_TYPE = "class"
"""Label type of their categories, where only their words are wanted."""

_TEXT_COLUMNS: dict[str, type] = {"columns": int, "table": str}
_COMMON = ("path", "folder", "tag_type", "class_type")
_PYTEXT_COLUMNS = 5

FilePath = str | Path


def read_sentences(
    path: FilePath,
    tag_type: str = "ner",
    class_type: str | None = "category",
    *,
    file_format: str = "auto",
    **options: Any,
) -> list[Sentence]:
    """Reads one file or folder, in any format that the package knows.

    With "auto", a folder is "slots"; a file whose first line that is not blank begins with
    `__label__` (or the option `label_prefix`) is "fasttext"; a `.csv` file, or a `.tsv` file whose
    first line names `text_column` or `class_column`, is "table"; a file whose first line has five
    columns and a tokenisation in JSON in the last is "pytext"; any other file is "columns".

    Args:
        path: The file or folder.
        tag_type: The label type of the entities.
        class_type: The label type of the category; None reads none, where the format has entities
            as well.
        file_format: "auto", "columns", "slots", "pytext", "fasttext" or "table".
        options: More arguments of the format's reader, such as `encoding` or `skip_malformed`.

    Returns:
        The sentences.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If the file is malformed.
        ValueError: If the format or an option is unknown.
    """
    file_format = format_of(path, file_format, options)
    _check_options([file_format], options)
    _check_required(path, file_format, class_type, options)
    if class_type is None:
        options.pop("class_key", None)  # of a comment that is not looked at
    return _READERS[file_format](path, tag_type=tag_type, class_type=class_type, **options)


def read_corpus(
    train: FilePath | Sequence[FilePath],
    dev: FilePath | Sequence[FilePath] | None = None,
    test: FilePath | Sequence[FilePath] | None = None,
    tag_type: str = "ner",
    class_type: str | None = "category",
    *,
    name: str = "corpus",
    file_format: str = "auto",
    **options: Any,
) -> Corpus[Sentence]:
    """Reads files into a corpus; a split without a file stays empty.

    Each split is one path, or a list of paths whose sentences are put together. A list may mix
    formats and mix fully with partly annotated files. An option is passed to those files whose
    format has it.

    Args:
        train: The files for training.
        dev: The files for development.
        test: The files for testing.
        tag_type: The label type of the entities.
        class_type: The label type of the category; None reads none.
        name: The name of the corpus.
        file_format: The format of all files; see `read_sentences`.
        options: More arguments of the readers, such as `encoding` or `skip_malformed`.

    Returns:
        The corpus.

    Raises:
        FileNotFoundError: If a file is missing.
        DataError: If a file is malformed.
        ValueError: If the format is unknown, no file's format has an option, or a split is an empty
            list.
    """
    paths = {
        split: _as_paths(split, given)
        for split, given in (("train", train), ("dev", dev), ("test", test))
    }
    formats = {
        path: format_of(path, file_format, options) for group in paths.values() for path in group
    }
    _check_options(formats.values(), options)
    splits: dict[str, Any] = {}
    for split, group in paths.items():
        sentences: list[Sentence] = []
        for path in group:
            known = fitting_options(formats[path], options)
            sentences += read_sentences(
                path, tag_type, class_type, file_format=formats[path], **known
            )
        splits[split] = FlairDatapointDataset(sentences) if group else None
    return Corpus(**splits, name=name, sample_missing_splits=False)


def format_of(path: FilePath, file_format: str, options: dict[str, Any]) -> str:
    """Finds the format of a file; see `read_sentences`.

    Args:
        path: The file or folder.
        file_format: Its format; "auto" to look at it.
        options: Arguments of any readers.

    Returns:
        The format, not "auto".

    Raises:
        FileNotFoundError: If there is no such file, and the format has to be found.
        ValueError: If the format is unknown.
    """
    if file_format == "auto":
        return _detect_format(Path(path), options)
    if file_format not in _READERS:
        raise ValueError(
            f"Unknown file_format '{file_format}'. Possible: auto, {', '.join(_READERS)}."
        )
    return file_format


def fitting_options(file_format: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options that a format has.

    Args:
        file_format: The format, not "auto".
        options: Arguments of any readers.

    Returns:
        Those of them that the format's reader takes.
    """
    return {name: value for name, value in options.items() if _takes(file_format, name, value)}


def check_options(
    paths: Sequence[FilePath], options: dict[str, Any], file_format: str = "auto"
) -> None:
    """Refuses options that no format of the files has.

    Args:
        paths: The files.
        options: Arguments of the readers.
        file_format: The format of all files; see `read_sentences`.

    Raises:
        ValueError: If the format is unknown, or no file's format has an option.
    """
    _check_options([format_of(path, file_format, options) for path in paths], options)


def _as_paths(split: str, given: FilePath | Sequence[FilePath] | None) -> list[Path]:
    if given is None:
        return []
    paths = [Path(given)] if isinstance(given, str | Path) else [Path(path) for path in given]
    if not paths:
        raise ValueError(
            f"{split}=[] names no file. Pass at least one, or leave it out for no {split} split."
        )
    return paths


def _detect_format(path: Path, options: dict[str, Any]) -> str:
    if path.is_dir():
        return "slots"
    if path.exists() and not path.is_file():
        raise ValueError(
            f"{path} is a pipe, which can be read only once, and the format is told from its "
            f"beginning: pass file_format (--format), one of {', '.join(_READERS)}."
        )
    line = _first_line(path, options.get("encoding", "utf-8"))
    if line.lstrip(" \t").startswith(options.get("label_prefix", "__label__")):
        return "fasttext"
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    cells = line.rstrip("\r\n").split("\t")
    named = {options.get("text_column"), options.get("class_column")}
    if suffix == ".csv" or (suffix == ".tsv" and not named.isdisjoint(cells)):
        return "table"
    if len(cells) == _PYTEXT_COLUMNS and _is_tokenization(cells[-1]):
        return "pytext"
    return "columns"


def _first_line(path: Path, encoding: str) -> str:
    """Gives the first line that is not blank; empty if there is none, which the reader reports."""
    with open_text(path, encoding) as file:
        return next((line for line in file if line.strip()), "")


def _is_tokenization(text: str) -> bool:
    try:
        return "tokenizations" in json.loads(text)
    except (ValueError, TypeError):
        return False


def _options_of(file_format: str) -> list[str]:
    return [
        name for name in inspect.signature(_READERS[file_format]).parameters if name not in _COMMON
    ]


def _takes(file_format: str, option: str, value: Any) -> bool:
    if option == "text_column" and isinstance(value, int | str) and file_format in _TEXT_COLUMNS:
        return isinstance(value, _TEXT_COLUMNS[file_format])
    return option in _options_of(file_format)


def _check_options(formats: Iterable[str], options: dict[str, Any]) -> None:
    possible = {file_format: _options_of(file_format) for file_format in formats}
    for option, value in options.items():
        if any(_takes(file_format, option, value) for file_format in possible):
            continue
        if any(option in names for names in possible.values()):
            raise ValueError(
                f"{option} is {value!r}, and no file has such: column files have the number of a "
                f"column, tables its name. The files are of the format {', '.join(possible)}."
            )
        lists = "; ".join(
            f"{file_format}: {', '.join(names)}" for file_format, names in possible.items()
        )
        raise ValueError(f"Unknown option '{option}'. Possible for {lists}.")


def _check_required(
    path: FilePath, file_format: str, class_type: str | None, options: dict[str, Any]
) -> None:
    """Refuses what the table and fastText readers cannot do without."""
    if file_format in CLASS_ONLY and class_type is None:
        raise ValueError(
            f"{path} has nothing but categories (format {file_format}): pass a class_type, or "
            "leave the file out where categories are not learnt (--ner-only, --system datnet)."
        )
    if file_format == "table" and not {"text_column", "class_column"} <= options.keys():
        lacking = [name for name in ("text_column", "class_column") if name not in options]
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in lacking)
        raise ValueError(
            f"{path} is read as a table; pass {' and '.join(lacking)} ({flags}): the names of its "
            "columns."
        )
