"""The sentences of a run: nested training sets of a data set."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from flair.data import Sentence

from flair_jointner.data import (
    entity_dictionary,
    label_with_dictionary,
    mark_unannotated,
    new_sentences,
    read_sentences,
)
from flair_jointner.data.augmentation import draw as draw_some
from flair_jointner.data.corpus import CLASS_ONLY, UNUSED_CLASS_TYPE
from flair_jointner.data.dictionary import token_texts
from flair_jointner.data.raw_text import read_raw_text
from flair_jointner.studies.configuration import Augmentation, Configuration
from flair_jointner.studies.data_sections import AnnotatedFiles, Data
from flair_jointner.studies.sections import Size


class Splits(NamedTuple):
    """The sentences of a run.

    Attributes:
        train: For training.
        dev: To choose the best epoch.
        test: For the final scores.
        unlabelled: What self-training annotates.
        source: What DATNet is trained on as well.
    """

    train: list[Sentence]
    dev: list[Sentence]
    test: list[Sentence]
    unlabelled: list[Sentence]
    source: list[Sentence]


def read_run(data: Data, size: Size, configuration: Configuration, subset_seed: int) -> Splits:
    """Reads what a configuration is trained and scored on.

    Args:
        data: The data set.
        size: Number of annotated training sentences.
        configuration: What is added to them, and whether classes are read.
        subset_seed: Draws the training sets: with one seed, the smaller lie within the larger.

    Returns:
        The sentences.

    Raises:
        ValueError: If the data set has fewer training sentences.
    """
    class_type = data.class_type if configuration.learns_classes else None
    everything = read_files(data, data.train, class_type)
    train, rest = draw(everything, size, subset_seed)
    for sentence in rest:
        sentence.remove_labels(data.tag_type)
        mark_unannotated(sentence, data.tag_type)

    def extra(names: list[str]) -> list[Sentence]:
        found = [data.extra[name] for name in names]
        parts = [
            rest if files == "rest" else read_files(data, files, class_type) for files in found
        ]
        return [sentence for part in parts for sentence in part]

    added = extra(configuration.add)
    if configuration.augmentation is not None:
        raw = extra(configuration.augmentation.add)
        added += label(raw, train, configuration.augmentation, data.tag_type, class_type)
    learning = configuration.self_training
    return Splits(
        train + added,
        read_files(data, data.dev, class_type),
        read_test(data, everything, class_type),
        extra(learning.add) if learning else [],
        read_source(data) if configuration.learns_from_source else [],
    )


def label(
    raw: list[Sentence],
    train: list[Sentence],
    how: Augmentation,
    tag_type: str,
    class_type: str | None,
) -> list[Sentence]:
    """Labels sentences with a dictionary of the entities in others.

    Args:
        raw: The sentences; those that are among the annotated ones are left out.
        train: The annotated sentences.
        how: What is taken.
        tag_type: Label type of the entities.
        class_type: Label type of the class, which is kept; None drops it.

    Returns:
        New sentences, in the old order.
    """
    dictionary = entity_dictionary(
        train, tag_type, min_share=how.min_share, ignore_case=how.ignore_case
    )
    matched = [s for s in new_sentences(raw, train, tag_type) if dictionary.find(token_texts(s))]
    if how.limit is not None:
        matched = draw_some(matched, how.limit)
    return label_with_dictionary(matched, dictionary, tag_type, class_type)


def draw(sentences: list[Sentence], size: Size, seed: int) -> tuple[list[Sentence], list[Sentence]]:
    """Draws a training set.

    Args:
        sentences: What is drawn from.
        size: How many.
        seed: With one seed, the smaller sets lie within the larger ones.

    Returns:
        The drawn sentences and the others, both in their old order.

    Raises:
        ValueError: If there are fewer sentences.
    """
    if size == "all":
        return list(sentences), []
    if size > len(sentences):
        raise ValueError(
            f"size {size} is wanted, and there are {len(sentences)} training sentences: take a "
            "smaller size, or all"
        )
    order = list(range(len(sentences)))
    random.Random(seed).shuffle(order)
    drawn = set(order[:size])
    parts: tuple[list[Sentence], list[Sentence]] = ([], [])
    for index, sentence in enumerate(sentences):
        parts[index not in drawn].append(sentence)
    return parts


def read_files(data: Data, files: Iterable[Path], class_type: str | None) -> list[Sentence]:
    """Reads files of a data set as it says.

    Args:
        data: The data set.
        files: The files, of any format that the readers know.
        class_type: Label type of the class; None where it is not read. Files that hold nothing but
            classes need one: theirs is then :data:`~flair_jointner.data.corpus.UNUSED_CLASS_TYPE`.

    Returns:
        Their sentences.
    """
    return _read(data, files, data.tag_type, class_type)


def read_test(data: Data, train: list[Sentence], class_type: str | None) -> list[Sentence]:
    """Reads the test sentences of a data set.

    Args:
        data: The data set.
        train: All its training sentences.
        class_type: Label type of the class; None where it is not read.

    Returns:
        The sentences; where the data set says so, without those that occur in the training data.
    """
    test = read_files(data, data.test, class_type)
    if not data.without_seen:
        return test
    seen = {token_texts(sentence) for sentence in train}
    return [sentence for sentence in test if token_texts(sentence) not in seen]


def read_source(data: Data) -> list[Sentence]:
    """Reads the source of a data set, whose entities get the label type of the data set's.

    Args:
        data: The data set.

    Returns:
        Its sentences; none where there is no source.
    """
    return _read(data.source, data.source.train, data.tag_type, None) if data.source else []


def read_words(reader: AnnotatedFiles, files: Iterable[Path]) -> list[list[str]]:
    """Reads the words alone.

    Args:
        reader: What knows how the files are read.
        files: The files.

    Returns:
        The words of each sentence.
    """
    sentences = _read(reader, files, "ner", None)
    return [[token.text for token in sentence] for sentence in sentences]


def read_raw(reader: AnnotatedFiles, files: Iterable[Path]) -> list[list[str]]:
    """Reads plain text, a sentence per line.

    Args:
        reader: Its options may hold the encoding and the tokenizer.
        files: The files.

    Returns:
        The words of each sentence.
    """
    options, _ = reader.reading_options()
    how = {name: options[name] for name in ("tokenizer", "encoding") if name in options}
    return [words for file in files for words in read_raw_text(file, **how)]


def _read(
    reader: AnnotatedFiles, files: Iterable[Path], tag_type: str, class_type: str | None
) -> list[Sentence]:
    sentences: list[Sentence] = []
    for file in files:
        file_format, options = reader.reader_of(file)
        kind = class_type or (UNUSED_CLASS_TYPE if file_format in CLASS_ONLY else None)
        sentences += read_sentences(file, tag_type, kind, file_format=file_format, **options)
    return sentences
