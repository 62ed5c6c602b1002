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
from flair_jointner.data.corpus import UNUSED_CLASS_TYPE
from flair_jointner.data.splits import corpus_of
from flair_jointner.data.vector_files import check_words
from flair_jointner.studies.config import Study
from flair_jointner.studies.corpora import read_files, read_raw, read_words
from flair_jointner.studies.epochs import EpochReporter, Report
from flair_jointner.studies.grid import (
    Words,
    class_files,
    classifier_key,
    hidden_size,
    words_of,
)
from flair_jointner.training import pretrain_classifier


def vectors_file(study: Study, words: Words) -> Path:
    """Where word vectors lie.

    Args:
        study: The study.
        words: What they are made from.

    Returns:
        The file, which may not exist yet.
    """
    return words.vectors.file or study.output / "vectors" / f"{words.key}.bin"


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


def make_vectors(study: Study, words: Words) -> None:
    """Trains word vectors and writes their file.

    Args:
        study: The study.
        words: What they are made from.
    """
    texts = [text for reader, files in words.texts for text in read_words(reader, files)]
    texts += read_raw(words.reader, words.vectors.raw or [])
    check_words(word for text in texts for word in text)
    save_vectors(train_vectors(texts, **words.vectors.settings), vectors_file(study, words))


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
        corpus_of(train_part, dev_part),
        study_embeddings(study, words_of(study, data), [*train_part, *dev_part]),
        folder,
        class_type=found.class_type or UNUSED_CLASS_TYPE,
        with_characters=study.configurations[configuration].with_characters,
        hidden_size=hidden_size(study, configuration),
        epochs=settings.epochs,
        mini_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        plugins=[EpochReporter(report)],
        save_final_model=not dev_part,
    )
    Path(result["model_file"]).replace(file)


def study_embeddings(study: Study, words: Words, sentences: list[Sentence]) -> WordEmbeddings:
    """Word vectors, cut down to the words of sentences.

    Args:
        study: The study.
        words: What they are made from.
        sentences: All sentences that will be met.

    Returns:
        The embeddings.
    """
    return word_embeddings(
        load_vectors(vectors_file(study, words)),
        corpus_vocabulary(sentences),
        extra_words=0,
        name="words",  # whatever the data: stacks are in the order of their members' names
    )
