"""A study that takes seconds, for the tests of studies."""

import multiprocessing
from pathlib import Path
from typing import Any

import flair
import tiny
import torch
import yaml

from flair_jointner.studies.config import Study, read_study
from flair_jointner.studies.records import append_record
from flair_jointner.studies.results import Results

SMALL = {"hidden_size": 8, "attention_heads": 2}
GOOD, BAD = [[2, 0, 0], [1, 0, 1]], [[1, 1, 1], [0, 1, 2]]


def settings(**changes: Any) -> dict[str, Any]:
    """The content of a study's file."""
    return {
        "output": "out",
        "seeds": [1, 2],
        "sizes": [40],
        "data": {
            "titles": {
                "train": "train.conll",
                "dev": "dev.conll",
                "test": "test.conll",
                "extra": {"more": "categories.txt", "rest": "rest"},
            }
        },
        "vectors": {"settings": {"dimension": 8, "epochs": 2, "workers": 1}},
        "training": {"epochs": 2, "learning_rate": 0.02},
        "pretraining": {"epochs": 1},
        "configurations": {
            "plain": {"ner_only": True, **SMALL},
            "joint": {"classifier": "pretrain", "attention": "learned", **SMALL},
        },
        **changes,
    }


def write_study(folder: Path, **changes: Any) -> Path:
    """Writes the study's file, and the data beside it."""
    if not (folder / "train.conll").exists():
        tiny.write_titles(folder)
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(settings(**changes), sort_keys=False), encoding="utf-8")
    return file


def make_study(folder: Path, **changes: Any) -> Study:
    """Writes and reads it."""
    return read_study(write_study(folder, **changes))


def record(study: Study, data="titles", size=40, configuration="plain", seed=1, **fields: Any):
    """A made-up result of a run."""
    from flair_jointner.studies.grid import Run, run_key

    run = Run(data, size, configuration, seed)
    counts = fields.pop("counts", [[2, 1, 0], [1, 0, 1]])
    right, wrong, missed = (sum(column) for column in zip(*counts, strict=True))
    f1 = 2 * right / (2 * right + wrong + missed)
    types = {"COLOUR": {"precision": f1, "recall": f1, "f1": f1, "support": right + missed}}
    scores = {
        "precision": f1,
        "recall": f1,
        "f1": f1,
        "types": types,
        "accuracy": fields.pop("accuracy", None),
        "counts": counts,
        "confusion": {"COLOUR": {"COLOUR": right, "missed": missed}, "spurious": {"COLOUR": wrong}},
    }
    made = {
        "key": run_key(study, run),
        **run._asdict(),
        "epochs": 2,
        "dev_curve": [0.1, f1],
        "training_seconds": 1.0,
        "seconds": 2.0,
        "sentences": {"train": 40, "dev": 30, "test": len(counts)},
        "dev": {**scores, "f1": fields.pop("dev_f1", f1)},
        "test": scores,
        "versions": {"python": "3", "flair": "0.15.1"},
    }
    return {**made, **fields}


def made_up_results(folder: Path) -> Results:
    """Two seeds of both configurations on the titles, and one of the plain one on other data."""
    data = settings()["data"]
    data["other"] = {**data["titles"], "sizes": ["all"]}
    study = make_study(folder, data=data, seeds=[1, 2, 3])
    for seed in (1, 2):
        append_record(study, record(study, seed=seed, counts=BAD, dev_f1=0.9))
        append_record(
            study,
            record(study, configuration="joint", seed=seed, counts=GOOD, dev_f1=0.8, accuracy=0.75),
        )
    append_record(study, record(study, data="other", size="all", counts=GOOD))
    append_record(study, record(study, data="other", size="all", seed=2, error="Boom: no"))
    return Results(study)


def whereabouts(_report: Any) -> dict[str, str]:
    """The work of a task: says how its process was started, and on what it computes."""
    kind = type(multiprocessing.current_process()).__name__
    return {"process": kind, "device": torch.ones(1, device=flair.device).device.type}
