"""One run of a study."""

import platform
import shutil
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import flair
import torch
from flair.data import Corpus, Sentence
from flair.embeddings import WordEmbeddings
from flair.trainers.plugins import TrainerPlugin

from flair_jointner.data import TransferCorpus
from flair_jointner.data.splits import corpus_of
from flair_jointner.models import DATNet, JointTagger, load_classifier, load_tagger
from flair_jointner.studies.config import Study
from flair_jointner.studies.corpora import Splits, read_run
from flair_jointner.studies.epochs import EpochReporter, Report
from flair_jointner.studies.grid import Run, source_words, words_of
from flair_jointner.studies.pieces import classifier_file, study_embeddings
from flair_jointner.studies.records import run_folder
from flair_jointner.studies.scores import score
from flair_jointner.training import (
    InverseDecayPlugin,
    build_tagger,
    build_transfer_tagger,
    self_train,
    train,
)


def execute(study: Study, run: Run, key: str, report: Report) -> dict[str, Any]:
    """Trains and scores one tagger.

    Args:
        study: The study.
        run: Which one.
        key: Its key.
        report: Is called after every epoch.

    Returns:
        The run's record, which JSON can hold: what was run, with which versions, and the scores of
        dev and test data (see :func:`~flair_jointner.studies.scores.score`). Epochs, curve and
        training time of self-training are those of the best round.
    """
    started = time.monotonic()
    data, configuration = study.data[run.data], study.configurations[run.configuration]
    settings = study.training_of(run.configuration)
    splits = read_run(data, run.size, configuration, study.subset_seed)
    folder = run_folder(study, key)
    result = _train(study, run, splits, folder, report)
    best = load_tagger(result["model_file"])
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
        "diverged": result["diverged"],
        "kept": study.keep_models,
    }
    if not study.keep_models:
        shutil.rmtree(folder)
    return {**record, "seconds": time.monotonic() - started}


def _train(study: Study, run: Run, splits: Splits, folder: Path, report: Report) -> dict[str, Any]:
    configuration = study.configurations[run.configuration]
    settings = study.training_of(run.configuration)
    plugins: list[TrainerPlugin] = [EpochReporter(report)]
    if settings.decay is not None:
        plugins.append(InverseDecayPlugin(settings.decay))
    options = {**settings.trainer_arguments(), "plugins": plugins, "save_final_model": False}
    if configuration.learns_from_source:
        return train(*_make_transfer(study, run, splits), folder, **options)
    make_tagger, corpus = _make_joint(study, run, splits)
    learning = configuration.self_training
    if learning is None:
        return train(make_tagger(corpus), corpus, folder, **options)
    how = learning.model_dump(exclude={"add"})
    return self_train(make_tagger, corpus, splits.unlabelled, folder, **how, **options)


def _make_joint(
    study: Study, run: Run, splits: Splits
) -> tuple[Callable[[Corpus], JointTagger], Corpus]:
    """What makes a tagger for a corpus, and the corpus of the run."""
    data, configuration = study.data[run.data], study.configurations[run.configuration]
    classifier = None
    if configuration.classifier == "pretrain":
        classifier = load_classifier(classifier_file(study, run.data, run.configuration))
    flair.set_seed(run.seed)
    corpus = corpus_of(splits.train, splits.dev)
    embeddings = _embeddings(study, run, [s for split in splits for s in split])

    def make_tagger(corpus: Corpus) -> JointTagger:
        return build_tagger(
            corpus,
            embeddings,
            data.tag_type,
            data.class_type if configuration.learns_classes else None,
            classifier,
            with_characters=configuration.with_characters,
            **configuration.tagger,
        )

    return make_tagger, corpus


def _make_transfer(study: Study, run: Run, splits: Splits) -> tuple[DATNet, TransferCorpus]:
    """A DATNet, and the corpus of the run."""
    data, configuration = study.data[run.data], study.configurations[run.configuration]
    flair.set_seed(run.seed)
    source, target = corpus_of(splits.source), corpus_of(splits.train, splits.dev)
    of_target = [*splits.train, *splits.dev, *splits.test]
    own = source_words(data)
    if own is None:
        embeddings = _embeddings(study, run, [*of_target, *splits.source])
        source_embeddings = None
    else:
        embeddings = _embeddings(study, run, of_target)
        source_embeddings = study_embeddings(study, own, splits.source)
    tagger = build_transfer_tagger(
        source,
        target,
        embeddings,
        data.tag_type,
        source_embeddings,
        with_characters=configuration.with_characters,
        **configuration.tagger,
    )
    return tagger, TransferCorpus(source, target, configuration.mixing_rate)


def _embeddings(study: Study, run: Run, sentences: list[Sentence]) -> WordEmbeddings:
    """The word vectors of a run's data set, for the words of sentences."""
    return study_embeddings(study, words_of(study, run.data), sentences)


def versions() -> dict[str, str]:
    """What a result depends on beside the study: versions, and the device.

    Returns:
        Versions by name; the device's is that of a GPU, or ``"cpu"``.
    """
    names = ("flair-jointner", "flair", "torch", "numpy", "gensim")
    on_gpu = torch.device(flair.device).type == "cuda"
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in names},
        "device": torch.cuda.get_device_name(flair.device) if on_gpu else "cpu",
    }
