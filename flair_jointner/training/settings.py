"""The paper's training settings (§3.2), and one call that trains with them."""

import gc
import inspect
import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import flair
import torch
from flair.data import Corpus
from flair.models import SequenceTagger
from flair.samplers import FlairSampler
from flair.trainers import ModelTrainer
from flair.trainers.plugins import TrainerPlugin
from torch.utils.data import Dataset

from flair_jointner.data.annotation import is_annotated
from flair_jointner.data.sampling import length_bucketed
from flair_jointner.data.splits import split_sentences
from flair_jointner.data.transfer_corpus import TransferCorpus, alternating_resources
from flair_jointner.models import BaseTagger
from flair_jointner.training.averaging import AveragingPlugin
from flair_jointner.training.best_model import BestModelPlugin
from flair_jointner.training.mean_gradient import MeanGradientPlugin
from flair_jointner.training.progress import ProgressPlugin, quiet_console

log = logging.getLogger("flair_jointner")

PAPER_SETTINGS: dict[str, Any] = {
    "optimizer": torch.optim.Adam,
    "learning_rate": 1e-3,
    "mini_batch_size": 32,
    "max_grad_norm": 5.0,
    "anneal_factor": 0.5,
    # Flair anneals when the bad epochs are *more* than its patience: the third is one more than 2.
    "patience": 2,
    "min_learning_rate": 1e-5,
    "max_epochs": 100,
    "embeddings_storage_mode": "none",
}
"""Arguments of ``ModelTrainer.train``: Adam, batches of 32, gradients clipped at 5, learning rate
1e-3 halved when dev F1 has not risen for 3 epochs, until it is below 1e-5 or 100 epochs."""

LEAST_UPDATES = 32
"""The batches of the paper's 1,000 sentences: what its schedule, which counts epochs, is made for.
With 200 sentences an epoch would have seven, and the learning rate would fall to nothing before
self-attention had learnt anything."""


def train(
    model: flair.nn.Model,
    corpus: Corpus,
    base_path: str | Path,
    *,
    plugins: list[TrainerPlugin] | None = None,
    show_progress: bool = False,
    bfloat16: bool = False,
    average_weights: float | None = None,
    least_updates: int = LEAST_UPDATES,
    **overrides: Any,
) -> dict[str, Any]:
    """Trains with the settings of the paper and Flair's own ``ModelTrainer.train``.

    Batches hold sentences of similar length (:func:`~flair_jointner.data.length_bucketed`) and the
    optimizer is torch's fused one, if it has one; ``sampler=None`` and ``fused=False`` switch that
    off. Those of a :class:`~flair_jointner.data.TransferCorpus` are of one resource each
    (:func:`~flair_jointner.data.alternating_resources`), at the corpus's mixing rate.

    Ctrl-C ends training early: the best model so far is kept, evaluated and named in the log.

    Args:
        model: A tagger, or a sentence classifier.
        corpus: The data; its dev split decides what is best and when the learning rate falls.
        base_path: Folder for ``best-model.pt``, ``final-model.pt``, logs and predictions.
        plugins: Further trainer plugins.
        show_progress: Whether to show one bar in the place of Flair's log lines, which then go to
            ``training.log`` only.
        bfloat16: Whether matrix products and the LSTM are computed in bfloat16 (automatic mixed
            precision), which is faster on processors and GPUs that have it. The CRF is not.
        average_weights: Decay of the moving average of the weights that is scored and saved in
            their place; see :class:`~flair_jointner.training.averaging.AveragingPlugin`.
        least_updates: Batches of an epoch at least: smaller training sets are gone through several
            times an epoch (:func:`~flair_jointner.data.length_bucketed`). 1 switches that off, as
            does a sampler of your own.
        **overrides: Arguments of ``ModelTrainer.train`` that replace those of the paper.

    Returns:
        What the trainer returns, the test score among it, with ``model_file`` (the file to use),
        ``dev_scores`` (of each epoch), ``interrupted`` (by Ctrl-C), ``diverged`` (after the best
        model) and ``seconds`` added.

    Raises:
        ValueError: If the corpus cannot train this model, two settings contradict each other, or
            training diverged before it had a best model.
    """
    settings = _trainer_settings(corpus, overrides, bfloat16, least_updates)
    _check(model, corpus, settings, average_weights)
    best = BestModelPlugin(base_path)
    attached = _all_plugins(
        [*(plugins or []), best], model, settings, average_weights, show_progress
    )
    started = time.monotonic()
    with _surroundings(show_progress, bfloat16):
        result = ModelTrainer(model, corpus).train(Path(base_path), plugins=attached, **settings)
    for plugin in plugins or []:
        plugin.detach()  # so that it can be used again
    if best.diverged:
        _report_divergence(best, settings["learning_rate"])
    result.update(_findings(best), seconds=time.monotonic() - started)
    log.info("Trained in %.0f s. The model is %s.", result["seconds"], result["model_file"])
    return result


def _trainer_settings(
    corpus: Corpus, overrides: dict[str, Any], bfloat16: bool, least_updates: int
) -> dict[str, Any]:
    """The arguments of Flair's trainer, but for the plugins."""
    settings = _with_fast_paths({**PAPER_SETTINGS, **overrides}, corpus, least_updates)
    if not corpus.dev and not settings.get("train_with_dev", False):
        # Flair goes by the training loss then, but takes a fall of it for the worse.
        settings["patience"] = settings["max_epochs"]
    if bfloat16:
        settings["use_amp"] = True
    return settings


def _all_plugins(
    plugins: list[TrainerPlugin],
    model: flair.nn.Model,
    settings: dict[str, Any],
    average_weights: float | None,
    show_progress: bool,
) -> list[TrainerPlugin]:
    """The plugins with those of this package around them, in the order in which they are called."""
    before = [] if average_weights is None else [AveragingPlugin(average_weights)]
    after: list[TrainerPlugin] = []
    if isinstance(model, BaseTagger):
        after.append(MeanGradientPlugin(settings.get("mini_batch_chunk_size")))
    if show_progress:
        after.append(ProgressPlugin())
    return [*before, *plugins, *after]


def _findings(best: BestModelPlugin) -> dict[str, Any]:
    """What is added to the trainer's result."""
    return {
        "model_file": best.model_file(),
        "dev_scores": best.dev_scores,
        "interrupted": best.interrupted,
        "diverged": best.diverged,
    }


def _report_divergence(best: BestModelPlugin, learning_rate: float) -> None:
    """Weights that are no numbers stay so: a warning if there is a model of before, else an end."""
    message = (
        f"Training diverged: the dev loss was not a number after epoch {len(best.dev_scores)}. "
        f"Lower the learning rate, which was {learning_rate}."
    )
    final = best.base_path / "final-model.pt"
    only_final = best.model_file() == final
    final.unlink(missing_ok=True)  # nobody is to tag with it
    if only_final:
        raise ValueError(message)
    log.warning("%s The best model of the epochs before: %s", message, best.model_file())


@contextmanager
def _surroundings(show_progress: bool, bfloat16: bool) -> Iterator[None]:
    """What is otherwise in Python, torch and the log while a model is trained."""
    with (
        quiet_console() if show_progress else nullcontext(),
        _autocast_to_bfloat16() if bfloat16 else nullcontext(),
        warnings.catch_warnings(),
        _frozen_garbage(),
    ):
        # Flair 0.15.1 calls torch.cuda.amp.GradScaler, which torch wants to be called otherwise.
        warnings.filterwarnings("ignore", message=".*GradScaler", category=FutureWarning)
        yield


@contextmanager
def _autocast_to_bfloat16() -> Iterator[None]:
    """Flair's trainer takes the type of mixed precision that torch has set."""
    device = torch.device(flair.device).type
    before = torch.get_autocast_dtype(device)
    torch.set_autocast_dtype(device, torch.bfloat16)
    try:
        yield
    finally:
        torch.set_autocast_dtype(device, before)


@contextmanager
def _frozen_garbage() -> Iterator[None]:
    """Keeps Python's garbage collector from walking through the whole corpus again and again."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _with_fast_paths(
    settings: dict[str, Any], corpus: Corpus, least_updates: int
) -> dict[str, Any]:
    """Chooses the sampler and the kind of optimizer, unless the user has chosen them."""
    if settings.get("shuffle", True) and not settings.get("multi_gpu", False):
        settings.setdefault("sampler", _sampler(corpus, settings["mini_batch_size"], least_updates))
    kinds = ("foreach", "differentiable")  # which torch refuses beside fused
    if "fused" in inspect.signature(settings["optimizer"]).parameters and not any(
        settings.get(kind) for kind in kinds
    ):
        settings.setdefault("fused", True)
    return settings


def _sampler(corpus: Corpus, batch_size: int, least_updates: int) -> type[FlairSampler]:
    if isinstance(corpus, TransferCorpus):
        return alternating_resources(batch_size, corpus.mixing_rate, least_updates)
    return length_bucketed(batch_size, least_batches=least_updates)


def _check(
    model: flair.nn.Model,
    corpus: Corpus,
    settings: dict[str, Any],
    average_weights: float | None,
) -> None:
    """Refuses what cannot be trained, or not so."""
    if isinstance(model, SequenceTagger):
        _check_corpus(corpus, model.label_type, settings.get("train_with_dev", False))
    if average_weights is not None and settings.get("anneal_with_restarts", False):
        raise ValueError(
            "anneal_with_restarts goes back to the best weights, which are averages here, and "
            "average_weights goes on from those that were averaged: leave one of them out."
        )


def _check_corpus(corpus: Corpus, tag_type: str, train_with_dev: bool) -> None:
    """Stops before an epoch is wasted on data that cannot tell which model is best."""
    splits = [("training", corpus.train)]
    if not train_with_dev:
        splits.append(("dev", corpus.dev))
    empty = sum(not len(sentence) for sentence in split_sentences(corpus.train))
    if empty:
        raise ValueError(
            f"{empty} training sentences are empty, at which Flair's trainer fails: call "
            "corpus.filter_empty_sentences() before."
        )
    for name, split in splits:
        if not split or not _has_labels(split, tag_type):
            raise ValueError(
                f"The {name} data hold no label of type {tag_type!r}. Check the tag type, and give "
                f"{name} sentences with annotation; labels found: {_label_types(split) or 'none'}."
            )


def _has_labels(split: Dataset, tag_type: str) -> bool:
    return any(is_annotated(s, tag_type) and s.get_labels(tag_type) for s in split_sentences(split))


def _label_types(split: Dataset | None) -> str:
    return ", ".join(sorted({name for s in split_sentences(split) for name in s.annotation_layers}))
