"""What the commands read: sentences as the options say, and word vectors for them."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from flair.data import Corpus, Sentence
from flair.embeddings import TokenEmbeddings, WordEmbeddings
from tqdm import tqdm

from flair_jointner.data import (
    corpus_vocabulary,
    load_vectors,
    read_corpus,
    read_sentences,
    unknown_words,
    word_embeddings,
)
from flair_jointner.data.corpus import (
    CLASS_ONLY,
    UNUSED_CLASS_TYPE,
    check_options,
    fitting_options,
    format_of,
)
from flair_jointner.data.errors import DataError
from flair_jointner.data.raw_text import read_raw_text
from flair_jointner.data.splits import split_sentences

Paths = tuple[Path, ...]
WORDS_ALONE = {"tag_type": "ner", "class_type": None}
"""Labels of sentences the words of which are all that is looked at."""


def read_splits(
    train_files: Paths,
    dev_files: Paths,
    test_files: Paths,
    labels: dict[str, Any],
    reading: dict[str, Any],
    others: Paths = (),
) -> Corpus:
    """A corpus of these files; a split without files stays empty.

    An option is for those files whose format has it. It may be for none of these, if it is for one
    of the ``others``, which the command reads as well.
    """
    given = (*train_files, *dev_files, *test_files)
    options, file_format = _reader_options(reading)
    check_options((*given, *others), options, file_format)
    formats = [format_of(path, file_format, options) for path in given]
    fitting = [fitting_options(one, options) for one in formats]
    return read_corpus(
        train_files,
        dev_files or None,
        test_files or None,
        file_format=file_format,
        **labels,
        **{name: value for known in fitting for name, value in known.items()},
    )


def read_all(
    files: Paths, labels: dict[str, Any], reading: dict[str, Any], others: Paths = ()
) -> list[Sentence]:
    """The sentences of all files, for what they have; options as for :func:`read_splits`.

    Without a class type, files that hold nothing but classes are read all the same.
    """
    options, file_format = _reader_options(reading)
    check_options((*files, *others), options, file_format)
    sentences: list[Sentence] = []
    for path in files:
        found = format_of(path, file_format, options)
        class_type = labels["class_type"] or (UNUSED_CLASS_TYPE if found in CLASS_ONLY else None)
        types = {**labels, "class_type": class_type}
        known = fitting_options(found, options)
        sentences += read_sentences(path, **types, file_format=found, **known)
    return sentences


def read_raw(files: Paths, reading: dict[str, Any]) -> Iterator[list[str]]:
    """Gives the tokens of each line of plain text; lines without a token are left out."""
    for path in files:
        lines = read_raw_text(path, reading["tokenizer"], reading["encoding"] or "utf-8")
        yield from tqdm(lines, f"Reading {path.name}", unit=" lines")


def _all_sentences(corpus: Corpus) -> list[Sentence]:
    splits = (corpus.train, corpus.dev, corpus.test)
    return [sentence for split in splits for sentence in split_sentences(split)]


def make_embeddings(
    corpus: Corpus, words: dict[str, Any], reading: dict[str, Any], others: Paths
) -> WordEmbeddings:
    """The vectors of the corpus's words, of the vocabulary files, and of other frequent words."""
    if not words["vectors"]:
        raise ValueError(
            "There are no word vectors: pass --vectors FILE. `jointner vectors` makes one from "
            "your texts."
        )
    sentences = _all_sentences(corpus)
    sentences += read_all(words["vocabulary"], WORDS_ALONE, reading, others)
    return word_embeddings(
        load_vectors(words["vectors"]),
        corpus_vocabulary(sentences),
        extra_words=words["extra_words"],
        name=words["vectors"].stem,
    )


def report_unknown(embeddings: TokenEmbeddings, corpus: Corpus) -> None:
    """Says how many words of a corpus the vectors of a classifier lack."""
    if not isinstance(embeddings, WordEmbeddings):
        return
    vocabulary = corpus_vocabulary(_all_sentences(corpus))
    missing = unknown_words(embeddings, vocabulary)
    if missing:
        click.echo(
            f"{len(missing):,} of the data's {len(vocabulary):,} words have no vector in the "
            f"classifier ({', '.join(missing[:5])} …). --vectors gives the tagger theirs; so does "
            "`pretrain --vocabulary` with the same files.",
            err=True,
        )


def _reader_options(reading: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The reading options that were given, in the readers' own types, and the files' format."""
    given = {name: value for name, value in reading.items() if value not in (None, "auto")}
    for flag in ("skip_malformed", "plain_quotes"):
        if given[flag] is False:
            del given[flag]
    if given.pop("plain_quotes", False):
        given["quoting"] = csv.QUOTE_NONE
    with suppress(KeyError, ValueError):  # a name is no number
        given["text_column"] = int(given["text_column"])
    return given, given.pop("file_format", "auto")


def check_output(run: dict[str, Any]) -> None:
    """Flair deletes the models that it finds in the folder it trains to."""
    output = run["output"]
    found = [*output.glob("*-model*.pt"), *output.glob("round-*/*-model*.pt")]
    models = sorted(str(path.relative_to(output)) for path in found)
    if models and not run["overwrite"]:
        raise ValueError(
            f"{output} holds {', '.join(models)}: choose another --output, or pass "
            "--overwrite to lose what is there."
        )


def check_not_read(output: Path, inputs: Paths, option: str = "--output") -> None:
    """A file cannot be read and written at once."""
    for path in inputs:
        if output.exists() and output.samefile(path):
            raise ValueError(f"{path} is read, so it cannot be the {option}: name another file.")


def check_plain_text(option: str, reading: dict[str, Any], *known: str) -> None:
    """Refuses options of annotated files where an option says that the files are plain text."""
    given = [name for name, value in reading.items() if value not in (None, "auto", False)]
    typed = [
        f"--{name.removeprefix('file_').replace('_', '-')}" for name in given if name not in known
    ]
    if typed:
        raise ValueError(
            f"{option} reads plain text, and {', '.join(typed)} is for annotated files: leave one "
            "of them out."
        )


@contextmanager
def reading_annotated() -> Iterator[None]:
    """Says of what is wrong with the files of a command that they may be plain text."""
    try:
        yield
    except DataError as error:
        raise ValueError(f"{error}\nIf the files are plain text, pass --raw.") from error


@contextmanager
def reading_source() -> Iterator[None]:
    """Says of what is wrong with a source's files that they have options of their own."""
    try:
        yield
    except DataError as error:
        raise ValueError(
            f"{error}\nFor the source alone there are --source-encoding, --source-scheme and "
            "--source-tag-column."
        ) from error


def of_source(reading: dict[str, Any], source_reading: dict[str, Any]) -> dict[str, Any]:
    """The reading options of a source: its own where they are given, else those of the target."""
    own = {name.removeprefix("source_"): value for name, value in source_reading.items()}
    return {**reading, **{name: value for name, value in own.items() if value is not None}}
