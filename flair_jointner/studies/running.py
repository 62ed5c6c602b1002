"""One run of a study, and what runs share."""

import platform
import shutil
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import flair
from flair.data import Corpus
from flair.embeddings import WordEmbeddings
from flair.trainers.plugins import TrainerPlugin

from flair_jointner.data import (
    corpus_vocabulary,
    load_vectors,
    save_vectors,
    train_vectors,
    word_embeddings,
)
from flair_jointner.models import JointTagger, load_classifier
from flair_jointner.studies.config import Study
from flair_jointner.studies.corpora import as_corpus, read_files, read_run
from flair_jointner.studies.grid import (
    Run,
    class_files,
    classifier_key,
    hidden_size,
    text_files,
    vectors_key,
)
from flair_jointner.studies.scores import score
from flair_jointner.training import build_tagger, pretrain_classifier, self_train, train

Report = Callable[[int, float], None]
"""Is called after every epoch with its number and the dev score."""


class EpochReporter(TrainerPlugin):
    """Hands the dev score of every epoch on."""

    def __init__(self, report: Report) -> None:
        """Makes the plugin.

        Args:
            report: Is called after every epoch.
        """
        super().__init__()
        self.report = report

    @TrainerPlugin.hook
    def after_evaluation(self, epoch: int, validation_scores: tuple[float, ...], **_: Any) -> None:
        """Reports an epoch."""
        self.report(epoch, float(validation_scores[0]))

    def get_state(self) -> dict[str, Any]:
        """What the model card says of the plugin."""
        return {"__cls__": "EpochReporter"}


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
    class_type = found.class_type or "class"  # files with nothing but classes are read for texts
    sentences = read_files(found, text_files(study, data), class_type)
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
    class_type = found.class_type or "class"
    train_part = read_files(found, train_files, class_type)
    dev_part = read_files(found, dev_files, class_type)
    flair.set_seed(settings.seed)
    folder = file.with_suffix("")
    _, result = pretrain_classifier(
        as_corpus(train_part, dev_part),
        _embeddings(study, data, [*train_part, *dev_part]),
        folder,
        class_type=class_type,
        hidden_size=hidden_size(study, configuration),
        epochs=settings.epochs,
        mini_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        plugins=[EpochReporter(report)],
        save_final_model=not dev_part,
    )
    Path(result["model_file"]).replace(file)


def execute(study: Study, run: Run, key: str, report: Report) -> dict[str, Any]:
    """Trains and scores one tagger.

    Args:
        study: The study.
        run: Which one.
        key: Its key.
        report: Is called after every epoch.

    Returns:
        The run's record, which JSON can hold: what was run, with which versions, and the scores of
        dev and test data (see :func:`~flair_jointner.studies.scores.score`).
    """
    started = time.monotonic()
    data, configuration = study.data[run.data], study.configurations[run.configuration]
    settings = study.training_of(run.configuration)
    splits = read_run(data, run.size, configuration, study.subset_seed)
    classifier = None
    if configuration.classifier == "pretrain":
        classifier = load_classifier(classifier_file(study, run.data, run.configuration))
    flair.set_seed(run.seed)
    corpus = as_corpus(splits.train, splits.dev)
    embeddings = _embeddings(study, run.data, [s for split in splits for s in split])

    def make_tagger(corpus: Corpus) -> JointTagger:
        class_type = None if configuration.ner_only else data.class_type
        return build_tagger(
            corpus, embeddings, data.tag_type, class_type, classifier, **configuration.tagger
        )

    folder = study.output / "runs" / key
    options: dict[str, Any] = settings.trainer_arguments()
    options |= {"plugins": [EpochReporter(report)], "save_final_model": False}
    learning = configuration.self_training
    if learning is None:
        result = train(make_tagger(corpus), corpus, folder, **options)
    else:
        how = learning.model_dump(exclude={"add"})
        result = self_train(make_tagger, corpus, splits.unlabelled, folder, **how, **options)
    best = JointTagger.load(result["model_file"])
    record = {
        "epochs": len(result["dev_scores"]),
        "dev_curve": result["dev_scores"],
        "training_seconds": result["seconds"],
        "sentences": {name: len(part) for name, part in splits._asdict().items()},
        "parameters": sum(p.numel() for p in best.parameters() if p.requires_grad),
        "dev": score(best, splits.dev),
        "test": score(best, splits.test),
        "settings": {
            "configuration": configuration.model_dump(mode="json", exclude={"only"}),
            "training": settings.model_dump(),
        },
        "versions": versions(),
    }
    if not study.keep_models:
        shutil.rmtree(folder)
    return {**record, "seconds": time.monotonic() - started}


def versions() -> dict[str, str]:
    """Versions of what decides a result.

    Returns:
        Versions by name.
    """
    names = ("flair-jointner", "flair", "torch", "numpy", "gensim")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _embeddings(study: Study, data: str, sentences: list[Any]) -> WordEmbeddings:
    return word_embeddings(
        load_vectors(vectors_file(study, data)),
        corpus_vocabulary(sentences),
        extra_words=0,
        name=data,
    )
