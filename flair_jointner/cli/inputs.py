"""What the commands read: sentences as the options say, and word vectors for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flair.data import Corpus, Sentence
from flair.embeddings import WordEmbeddings
from flair.models import TextClassifier
from tqdm import tqdm

from flair_jointner.data import (
    corpus_vocabulary,
    load_vectors,
    read_corpus,
    word_embeddings,
)
from flair_jointner.data.raw_text import read_raw_text

Paths = tuple[Path, ...]


def read_splits(
    train_files: Paths,
    dev_files: Paths,
    test_files: Paths,
    labels: dict[str, Any],
    reading: dict[str, Any],
) -> Corpus:
    """A corpus of these files; a split without files stays empty."""
    return read_corpus(
        train_files,
        dev_files or None,
        test_files or None,
        **labels,
        **_reader_options(reading),
    )


def read_all(files: Paths, labels: dict[str, Any], reading: dict[str, Any]) -> list[Sentence]:
    """The sentences of all files; an option is for those files whose format has it."""
    if not files:
        return []
    return split_sentences(read_splits(files, (), (), labels, reading).train)


def read_raw(files: Paths, reading: dict[str, Any]) -> Iterator[list[str]]:
    """Gives the tokens of each line of plain text; lines without a token are left out."""
    for path in files:
        lines = read_raw_text(path, reading["tokenizer"], reading["encoding"] or "utf-8")
        yield from tqdm(lines, f"Reading {path.name}", unit=" lines")


def split_sentences(split: Any) -> list[Sentence]:
    """The sentences of a split; none where the corpus does not have it."""
    return [split[index] for index in range(len(split))] if split is not None else []


def make_embeddings(
    corpus: Corpus, words: dict[str, Any], labels: dict[str, Any], reading: dict[str, Any]
) -> WordEmbeddings:
    """The vectors of the corpus's words, of the vocabulary files, and of other frequent words."""
    if not words["vectors"]:
        raise ValueError(
            "There are no word vectors: pass --vectors FILE. `jointner vectors` makes one from "
            "your texts."
        )
    splits = (corpus.train, corpus.dev, corpus.test)
    sentences = [sentence for split in splits for sentence in split_sentences(split)]
    sentences += read_all(words["vocabulary"], labels, reading)
    return word_embeddings(
        load_vectors(words["vectors"]),
        corpus_vocabulary(sentences),
        extra_words=words["extra_words"],
        name=words["vectors"].stem,
    )


def embeddings_of(classifier: TextClassifier) -> Any:
    """The token embeddings that a classifier stands on."""
    return classifier.embeddings.embeddings


def _reader_options(reading: dict[str, Any]) -> dict[str, Any]:
    """The reading options that were given, in the readers' own types."""
    given = {name: value for name, value in reading.items() if value not in (None, False)}
    if given.get("text_column", "").isdigit():
        given["text_column"] = int(given["text_column"])
    return given


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
