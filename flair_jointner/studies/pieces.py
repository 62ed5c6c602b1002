"""What runs share: word vectors and classifiers, each made once."""

from pathlib import Path

import flair
from flair.data import Sentence
from flair.embeddings import WordEmbeddings

from flair_jointner.data import (
    corpus_vocabulary,
    load_vectors,
    save_vectors,
    train_vectors,
    word_embeddings,
)
from flair_jointner.studies.config import Study
from flair_jointner.studies.corpora import UNUSED_CLASS_TYPE, as_corpus, read_files
from flair_jointner.studies.epochs import EpochReporter, Report
from flair_jointner.studies.grid import (
    class_files,
    classifier_key,
    hidden_size,
    text_files,
    vectors_key,
)
from flair_jointner.training import pretrain_classifier


def vectors_file(study: Study, data: str) -> Path:
    """Where the word vectors of a data set lie.

    Args:
        study: The study.
        data: Name of the data set.

    Returns:
        The file, which may not exist yet.
    """
    given = study.vectors_of(data).file
    return given or study.output / "vectors" / f"{vectors_key(study, data)}.bin"


def classifier_file(study: Study, data: str, configuration: str) -> Path:
    """Where the classifier that a configuration starts from lies.

    Args:
        study: The study.
        data: Name of the data set.
        configuration: Name of the configuration.

    Returns:
        The file, which may not exist yet.
    """
    key = classifier_key(study, data, configuration)
    return study.output / "classifiers" / f"{key}.pt"


def make_vectors(study: Study, data: str) -> None:
    """Trains the word vectors of a data set and writes their file.

    Args:
        study: The study.
        data: Name of the data set.
    """
    found = study.data[data]
    sentences = read_files(found, text_files(study, data), None)
    words = [[token.text for token in sentence] for sentence in sentences]
    settings = study.vectors_of(data).settings
    save_vectors(train_vectors(words, **settings), vectors_file(study, data))


def make_classifier(study: Study, data: str, configuration: str, report: Report) -> None:
    """Pre-trains the classifier that a configuration starts from, and writes its file.

    Args:
        study: The study.
        data: Name of the data set.
        configuration: Name of the configuration.
        report: Is called after every epoch.
    """
    found, settings = study.data[data], study.pretraining
    file = classifier_file(study, data, configuration)
    train_files, dev_files = class_files(found)
    train_part = read_files(found, train_files, found.class_type)
    dev_part = read_files(found, dev_files, found.class_type)
    flair.set_seed(settings.seed)
    folder = file.with_suffix("")
    _, result = pretrain_classifier(
        as_corpus(train_part, dev_part),
        study_embeddings(study, data, [*train_part, *dev_part]),
        folder,
        class_type=found.class_type or UNUSED_CLASS_TYPE,
        hidden_size=hidden_size(study, configuration),
        epochs=settings.epochs,
        mini_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        plugins=[EpochReporter(report)],
        save_final_model=not dev_part,
    )
    Path(result["model_file"]).replace(file)


def study_embeddings(study: Study, data: str, sentences: list[Sentence]) -> WordEmbeddings:
    """The word vectors of a data set, cut down to the words of sentences.

    Args:
        study: The study.
        data: Name of the data set.
        sentences: All sentences that will be met.

    Returns:
        The embeddings.
    """
    return word_embeddings(
        load_vectors(vectors_file(study, data)),
        corpus_vocabulary(sentences),
        extra_words=0,
        name=data,
    )
