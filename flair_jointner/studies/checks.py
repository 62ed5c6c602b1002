"""Whether the data hold what a study asks of them, before it starts."""

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path

from flair.data import Sentence
from tqdm import tqdm

from flair_jointner.data import load_vectors, train_vectors
from flair_jointner.data.annotation import is_annotated
from flair_jointner.data.corpus import UNUSED_CLASS_TYPE
from flair_jointner.data.errors import DataError
from flair_jointner.studies.config import Study
from flair_jointner.studies.configuration import Configuration
from flair_jointner.studies.corpora import (
    draw,
    read_files,
    read_raw,
    read_source,
    read_test,
    read_words,
)
from flair_jointner.studies.data_sections import Data, Vectors
from flair_jointner.studies.grid import Words, class_files, source_words, words_of


def check_data(study: Study) -> None:
    """Reads every data set once.

    Args:
        study: The study.

    Raises:
        ValueError: If something is missing: every data set is named with what it lacks.
    """
    problems: list[str] = []
    if study.output.exists() and not study.output.is_dir():
        problems.append(f"  output: {study.output} is a file: name a folder")
    for name, data in tqdm(study.data.items(), "Reading the data", leave=False):
        configurations = [
            configuration
            for configuration in study.configurations.values()
            if configuration.only.data is None or name in configuration.only.data
        ]
        try:
            found = list(_problems(study, name, data, configurations))
        except (ValueError, OSError) as error:
            found = [str(error)]
        problems += [f"  data.{name}: {problem}" for problem in found]
    if problems:
        raise ValueError("\n".join(["The study cannot be run:", *problems]))


def _problems(
    study: Study, name: str, data: Data, configurations: list[Configuration]
) -> Iterator[str]:
    learns_classes = any(configuration.learns_classes for configuration in configurations)
    train = read_files(data, data.train, data.class_type)
    yield from _no_entities("train", train, data.tag_type)
    if learns_classes:
        yield from _few_classes("train", train, data.class_type)
    yield from _wrong_sizes(study, name, train, learns_classes)
    yield from _no_entities("dev", read_files(data, data.dev, data.class_type), data.tag_type)
    unseen = " without the sentences that occur in train" if data.without_seen else ""
    test = read_test(data, train, data.class_type)
    yield from _no_entities(f"test{unseen}", test, data.tag_type)
    if any(configuration.learns_from_source for configuration in configurations):
        yield from _no_entities("source", read_source(data), data.tag_type)
        yield from _other_dimensions(study, name)
    yield from _wrong_extra(data, configurations)
    for words in (words_of(study, name), source_words(data)):
        if words is not None:
            yield from _wrong_words(words)
    if any(configuration.classifier == "pretrain" for configuration in configurations):
        kind = data.class_type or UNUSED_CLASS_TYPE
        for files in filter(None, class_files(data)):
            sentences = read_files(data, files, data.class_type)
            yield from _few_classes(_named(files), sentences, kind)


def _wrong_sizes(
    study: Study, name: str, train: list[Sentence], learns_classes: bool
) -> Iterator[str]:
    """The largest may be too large, and the smallest, which lies in the others, too small."""
    sizes = [size for size in study.sizes_of(name) if size != "all"]
    if not sizes:
        return
    if max(sizes) > len(train):
        yield (
            f"size {max(sizes)} is wanted, and train has {len(train)} sentences; take fewer, or all"
        )
        return
    data = study.data[name]
    drawn, _ = draw(train, min(sizes), study.subset_seed)
    where = f"train drawn at size {min(sizes)}"
    yield from _no_entities(where, drawn, data.tag_type)
    if learns_classes:
        yield from _few_classes(where, drawn, data.class_type)


def _wrong_extra(data: Data, configurations: list[Configuration]) -> Iterator[str]:
    of_ner_only = {name for one in configurations if one.ner_only for name in one.add}
    annotating = [part for one in configurations for part in (one.self_training, one.augmentation)]
    to_annotate = {name for part in annotating if part is not None for name in part.add}
    for name, files in data.extra.items():
        sentences = [] if files == "rest" else read_files(data, files, data.class_type)
        if name in to_annotate and any(is_annotated(s, data.tag_type) for s in sentences):
            yield (
                f"extra.{name}, which a configuration shall annotate, is annotated: name it under "
                "add, or take files without entities"
            )
        if name in of_ner_only:
            where = f"extra.{name}, from which a configuration with ner_only shall learn,"
            yield from _no_entities(where, sentences, data.tag_type)


def _wrong_words(words: Words) -> Iterator[str]:
    if words.vectors.file is not None:
        load_vectors(words.vectors.file)
        return
    try:
        read_words(words.reader, words.vectors.texts or [])
    except DataError as error:
        yield f"{error}; plain text goes under raw"
    read_raw(words.reader, words.vectors.raw or [])


def _no_entities(where: str, sentences: Sequence[Sentence], tag_type: str) -> Iterator[str]:
    if not any(is_annotated(s, tag_type) and s.get_labels(tag_type) for s in sentences):
        yield f"{where} has no entity of type {tag_type!r}; {_types_in(sentences)}"


def _other_dimensions(study: Study, name: str) -> Iterator[str]:
    """One BiLSTM reads the vectors of both resources."""
    own = source_words(study.data[name])
    if own is None:
        return
    found = [_dimension(words.vectors) for words in (words_of(study, name), own)]
    if found[0] != found[1]:
        yield (
            f"its word vectors have {found[0]} dimensions and those of source.vectors {found[1]}: "
            "give both the same"
        )


def _dimension(vectors: Vectors) -> int:
    if vectors.file is not None:
        return load_vectors(vectors.file).vector_size
    default = inspect.signature(train_vectors).parameters["dimension"].default
    return int(vectors.settings.get("dimension", default))


def _few_classes(
    where: str, sentences: Sequence[Sentence], class_type: str | None
) -> Iterator[str]:
    classes = {label.value for sentence in sentences for label in sentence.get_labels(class_type)}
    if len(classes) < 2:
        yield (
            f"{where} has {len(classes)} classes of type {class_type!r}, and two are needed; "
            f"{_types_in(sentences)}"
        )


def _types_in(sentences: Sequence[Sentence]) -> str:
    names = sorted({name for sentence in sentences for name in sentence.annotation_layers})
    return f"label types found: {', '.join(names) or 'none'}"


def _named(files: Sequence[Path]) -> str:
    return ", ".join(str(file) for file in files)
