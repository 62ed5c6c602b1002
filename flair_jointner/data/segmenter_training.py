"""Trains the word segmenter, with CRFsuite."""

from __future__ import annotations

import logging
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import Any

from tqdm import tqdm

from flair_jointner.data.cluster_features import cluster_features
from flair_jointner.data.errors import MissingPackage
from flair_jointner.data.segmented_text import word_groups
from flair_jointner.data.segmenter import BEGIN, INSIDE, TRANSITIONS, CRFSegmenter, save_segmenter
from flair_jointner.data.thai import character_clusters

log = logging.getLogger("flair_jointner")


def train_segmenter(
    sentences: Iterable[Sequence[str]],
    file: str | Path,
    *,
    l1: float = 0.1,
    l2: float = 0.01,
    max_iterations: int = 200,
    show_progress: bool | None = None,
) -> CRFSegmenter:
    """Trains a word segmenter; the same sentences always give the same one.

    Args:
        sentences: The words of each, which make up its text: a word of whitespace is a space in it.
            See `read_words` and `words_of`.
        file: Where the model goes, whole or not at all. A missing folder is made.
        l1: Weight of the L1 penalty; more of it makes a smaller model.
        l2: Weight of the L2 penalty.
        max_iterations: Iterations of L-BFGS at most.
        show_progress: Show bars on standard error; None: only in a terminal.

    Returns:
        The segmenter.

    Raises:
        MissingPackage: If PyThaiNLP or python-crfsuite is not installed.
        ValueError: If there is no word to learn from, or a number is out of its range.
    """
    if l1 < 0 or l2 < 0 or max_iterations < 1:
        raise ValueError(
            f"l1 is {l1}, l2 {l2} and max_iterations {max_iterations}; possible are penalties from "
            "0 and iterations from 1."
        )
    hidden = None if show_progress is None else not show_progress
    trainer = _make_trainer()
    _add_sentences(trainer, tqdm(sentences, "Reading", unit=" sentences", disable=hidden))
    trainer.set_params({"c1": l1, "c2": l2, "max_iterations": max_iterations})
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/model"
        with tqdm(desc="Training", unit=" iterations", disable=hidden) as bar:
            trainer.on_iteration_start = bar.update
            trainer.train(model)
        save_segmenter(file, *_weights_of(model))
    return CRFSegmenter(file)


def _add_sentences(trainer: Any, sentences: Iterable[Sequence[str]]) -> None:
    boundaries = lost = 0
    for sentence in sentences:
        for words in word_groups(sentence):
            starts = set(accumulate(map(len, words[:-1]), initial=0))
            clusters = character_clusters("".join(words))
            places = list(accumulate(map(len, clusters[:-1]), initial=0))
            labels = [BEGIN if place in starts else INSIDE for place in places]
            trainer.append(cluster_features(clusters), labels)
            boundaries += len(starts)
            lost += len(starts.difference(places))
    if not boundaries:
        raise ValueError("There is no word to learn from: pass sentences as lists of words.")
    log.info("%d words, %d of which begin inside a character cluster", boundaries, lost)


def _weights_of(model: str) -> tuple[dict[str, float], dict[str, float]]:
    """The weights in a model of CRFsuite, those of two labels as one difference."""
    tagger = _pycrfsuite().Tagger()
    with tagger.open(model):
        found = tagger.info()
    weights: dict[str, float] = defaultdict(float)
    for (feature, label), weight in found.state_features.items():
        weights[feature] += weight if label == BEGIN else -weight
    transitions = {pair: found.transitions.get((pair[0], pair[1]), 0.0) for pair in TRANSITIONS}
    return {feature: round(weight, 6) for feature, weight in weights.items()}, transitions


def _pycrfsuite() -> ModuleType:
    try:
        import pycrfsuite
    except ModuleNotFoundError as error:
        raise MissingPackage("python-crfsuite", "to train a segmenter", extra="thai") from error
    module: ModuleType = pycrfsuite
    return module


def _make_trainer() -> Any:
    """A trainer that calls its ``on_iteration_start`` instead of printing."""

    class Trainer(_pycrfsuite().Trainer):  # type: ignore[misc]
        on_iteration_start: Callable[[], object]

        def message(self, message: str) -> None:
            if message.startswith("***** Iteration"):
                self.on_iteration_start()

    return Trainer("lbfgs")
