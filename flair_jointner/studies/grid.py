"""The runs of a study, and what tells one from another."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from flair_jointner.data.slots import SLOT_FILES
from flair_jointner.studies.config import Study
from flair_jointner.studies.data_sections import AnnotatedFiles, Data, Vectors
from flair_jointner.studies.sections import Size

RESULTS_VERSION = 1
"""Is raised when a change of this package changes results, so that studies do not mix them."""


class Run(NamedTuple):
    """One cell of the grid.

    Attributes:
        data: Name of the data set.
        size: Number of training sentences, or ``"all"``.
        configuration: Name of the configuration.
        seed: The seed.
    """

    data: str
    size: Size
    configuration: str
    seed: int

    def __str__(self) -> str:
        """What a user reads."""
        return f"{self.data}, {self.size} sentences, {self.configuration}, seed {self.seed}"


def plan(study: Study) -> list[Run]:
    """All runs of a study.

    Args:
        study: The study.

    Returns:
        The runs: seed by seed, so that an interrupted study has something to compare.
    """
    return [
        Run(data, size, name, seed)
        for seed in study.seeds
        for data in study.data
        for size in study.sizes_of(data)
        for name, configuration in study.configurations.items()
        if _within(data, configuration.only.data)
        and _within(size, configuration.only.sizes)
        and _within(seed, configuration.only.seeds)
    ]


def _within(value: Any, wanted: list[Any] | None) -> bool:
    return wanted is None or value in wanted


def run_key(study: Study, run: Run) -> str:
    """Identifies a run by all that decides its result.

    Args:
        study: The study.
        run: The run.

    Returns:
        16 hexadecimal digits; others once the data, the configuration or its training change. What
        is left at its default does not count, so that a new option leaves old results valid.
    """
    configuration = study.configurations[run.configuration]
    data = study.data[run.data]
    parts: dict[str, Any] = {
        "version": RESULTS_VERSION,
        "size": run.size,
        "seed": run.seed,
        "subset_seed": study.subset_seed,
        "tagger": configuration.model_dump(
            mode="json", exclude={"only", "classifier", "training"}, exclude_defaults=True
        ),
        "training": study.training_of(run.configuration).model_dump(exclude_defaults=True),
        "vectors": words_of(study, run.data).key,
        "splits": [content(files) for files in (data.train, data.dev, data.test)],
        "extra": [extra_key(data.extra[name]) for name in configuration.all_added],
        "labels": [data.tag_type, data.class_type, _reading_key(data), data.without_seen],
    }
    if configuration.classifier == "pretrain":
        parts["classifier"] = classifier_key(study, run.data, run.configuration)
    if configuration.learns_from_source:
        parts["source"] = _source_key(data)
    return digest(parts)


class Words(NamedTuple):
    """What word vectors are made from.

    Attributes:
        vectors: A file, or how they are trained.
        texts: What knows how to read them, and the files whose words they are trained on.
    """

    vectors: Vectors
    texts: list[tuple[AnnotatedFiles, list[Path]]]

    @property
    def reader(self) -> AnnotatedFiles:
        """What says how plain text is read: whose vectors they are."""
        return self.texts[0][0]

    @property
    def key(self) -> str:
        """16 hexadecimal digits, which identify the vectors."""
        if self.vectors.file is not None:
            return content([self.vectors.file])
        parts: list[Any] = [RESULTS_VERSION, self.vectors.settings]
        for reader, files in self.texts:
            parts += [_reading_key(reader), [content([file]) for file in files]]
        if self.vectors.raw:
            parts.append({"raw": content(self.vectors.raw)})
        return digest(parts)


def words_of(study: Study, data: str) -> Words:
    """What the word vectors of a data set are made from: the words of no test data.

    Args:
        study: The study.
        data: Name of the data set.

    Returns:
        Its vectors, or the study's, with training and dev data, class files, extra files, the texts
        that the study names, and those of a source without vectors of its own.
    """
    found, vectors = study.data[data], study.vectors_of(data)
    files = [file for file in found.files if file not in found.test]
    texts: list[tuple[AnnotatedFiles, list[Path]]] = [(found, _distinct(files, vectors.texts))]
    if found.source is not None and found.source.vectors is None:
        texts.append((found.source, found.source.train))
    return Words(vectors, texts)


def source_words(data: Data) -> Words | None:
    """What the word vectors of a data set's source are made from.

    Args:
        data: The data set.

    Returns:
        Them; None where there is no source, or it has the vectors of the data set.
    """
    source = data.source
    if source is None or source.vectors is None:
        return None
    return Words(source.vectors, [(source, _distinct(source.train, source.vectors.texts))])


def _distinct(files: list[Path], more: list[Path] | None) -> list[Path]:
    return list(dict.fromkeys([*files, *(more or [])]))


def classifier_key(study: Study, data: str, configuration: str) -> str:
    """Identifies the classifier that a configuration starts from.

    Args:
        study: The study.
        data: Name of the data set.
        configuration: Name of the configuration; its encoder's size decides, and whether there are
            vectors from characters.

    Returns:
        16 hexadecimal digits.
    """
    found = study.data[data]
    train, dev = class_files(found)
    parts: list[Any] = [
        RESULTS_VERSION,
        study.pretraining.model_dump(exclude_defaults=True),
        hidden_size(study, configuration),
        words_of(study, data).key,
        [found.class_type, _reading_key(found)],
        [content(train), content(dev)],
    ]
    if study.configurations[configuration].with_characters:
        parts.append("characters")
    return digest(parts)


def class_files(data: Data) -> tuple[list[Path], list[Path]]:
    """The files that a classifier is pre-trained on.

    Args:
        data: The data set.

    Returns:
        Files to train on, and to choose the best epoch on, which may be none.
    """
    if data.classes is None:
        return data.train, data.dev
    return data.classes.train, data.classes.dev or []


def hidden_size(study: Study, configuration: str) -> int:
    """Hidden units per direction of a configuration's encoder.

    Args:
        study: The study.
        configuration: Name of the configuration.

    Returns:
        The number; Flair's default of 256 if it is not given.
    """
    return study.configurations[configuration].tagger.get("hidden_size", 256)


def _source_key(data: Data) -> list[Any]:
    """Identifies a source: its sentences, how they are read, and its word vectors."""
    assert data.source is not None  # for the type checker; the study was checked
    own = source_words(data)
    return [content(data.source.train), _reading_key(data.source), own.key if own else None]


def _reading_key(reader: AnnotatedFiles) -> dict[str, Any]:
    """How files are read, with what a segmenter's file holds in the place of its name."""
    segmenter = reader.segmenter
    if segmenter is None:
        return reader.reading
    return {**reader.reading, "tokenizer": content([segmenter])}


def extra_key(extra: list[Path] | Literal["rest"]) -> str:
    """Identifies extra sentences.

    Args:
        extra: Files, or the rest of the training data.

    Returns:
        16 hexadecimal digits, or ``"rest"``.
    """
    return extra if extra == "rest" else content(extra)


def digest(value: Any) -> str:
    """A short name for a value.

    Args:
        value: What JSON can hold.

    Returns:
        16 hexadecimal digits.
    """
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def content(files: list[Path]) -> str:
    """A short name for what files hold.

    Args:
        files: Files, or folders of files.

    Returns:
        16 hexadecimal digits.
    """
    return digest([_content(file) for file in files])


@cache
def _content(file: Path) -> str:
    # What else lies in a folder of slots is not read.
    inner = [file / name for name in sorted(SLOT_FILES)] if file.is_dir() else [file]
    total = hashlib.sha256()
    for path in filter(Path.exists, inner):
        with path.open("rb") as lines:
            while block := lines.read(1 << 20):
                total.update(block)
    return total.hexdigest()
