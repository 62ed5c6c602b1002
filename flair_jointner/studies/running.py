"""One run of a study."""

import platform
import shutil
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import flair
from flair.data import Corpus

from flair_jointner.models import JointTagger, load_classifier
from flair_jointner.studies.config import Study
from flair_jointner.studies.corpora import Splits, as_corpus, read_run
from flair_jointner.studies.epochs import EpochReporter, Report
from flair_jointner.studies.grid import Run
from flair_jointner.studies.pieces import classifier_file, study_embeddings
from flair_jointner.studies.scores import score
from flair_jointner.training import build_tagger, self_train, train


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
    folder = study.output / "runs" / key
    result = _train(study, run, splits, folder, report)
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


def _train(study: Study, run: Run, splits: Splits, folder: Path, report: Report) -> dict[str, Any]:
    data, configuration = study.data[run.data], study.configurations[run.configuration]
    classifier = None
    if configuration.classifier == "pretrain":
        classifier = load_classifier(classifier_file(study, run.data, run.configuration))
    flair.set_seed(run.seed)
    corpus = as_corpus(splits.train, splits.dev)
    embeddings = study_embeddings(study, run.data, [s for split in splits for s in split])

    def make_tagger(corpus: Corpus) -> JointTagger:
        class_type = None if configuration.ner_only else data.class_type
        return build_tagger(
            corpus, embeddings, data.tag_type, class_type, classifier, **configuration.tagger
        )

    options: dict[str, Any] = study.training_of(run.configuration).trainer_arguments()
    options |= {"plugins": [EpochReporter(report)], "save_final_model": False}
    learning = configuration.self_training
    if learning is None:
        return train(make_tagger(corpus), corpus, folder, **options)
    how = learning.model_dump(exclude={"add"})
    return self_train(make_tagger, corpus, splits.unlabelled, folder, **how, **options)


def versions() -> dict[str, str]:
    """Versions of what decides a result.

    Returns:
        Versions by name.
    """
    names = ("flair-jointner", "flair", "torch", "numpy", "gensim")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
