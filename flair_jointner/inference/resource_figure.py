"""How alike a DATNet makes source and target: a map of its shared features (Fig. 3)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from flair.data import Sentence
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flair_jointner.inference.labels import printable
from flair_jointner.inference.pictures import picture_format
from flair_jointner.models import DATNet
from flair_jointner.models.embedding import sentence_context
from flair_jointner.models.evaluation_mode import evaluation_mode

Numbers = np.ndarray[Any, np.dtype[Any]]
MAP_FORMATS = (".png", ".svg", ".pdf")

_COLOURS = {"source": "tab:red", "target": "tab:blue"}  # as in the paper
_PARTS = 5


def shared_features(
    tagger: DATNet, sentences: Sequence[Sentence], batch_size: int = 64
) -> tuple[Numbers, Numbers]:
    """What the shared BiLSTM makes of sentences, as one vector of each.

    The paper does not say how it makes one of the tokens' vectors. Here it is their mean, which
    does not hang on a discriminator, so that taggers with and without one compare.

    Args:
        tagger: The tagger.
        sentences: Sentences of both resources; empty ones are left out.
        batch_size: Number of sentences that go through the network at once.

    Returns:
        The vectors, ``[sentences, hidden]``, and whether each sentence is from the source,
        ``[sentences]`` bool.

    Raises:
        ValueError: If the batch size is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"The batch size is {batch_size}: it has to be 1 or more.")
    filled = [sentence for sentence in sentences if len(sentence)]
    vectors, marks = [], []
    with evaluation_mode(tagger), torch.no_grad(), sentence_context(tagger, filled):
        for start in range(0, len(filled), batch_size):
            output = tagger.forward(*tagger.embed(filled[start : start + batch_size]))
            states = tagger.shared_states(output)
            real = output.mask.unsqueeze(-1)
            sums = states.masked_fill(~real, 0.0).sum(1)
            vectors.append((sums / real.sum(1)).float().cpu().numpy())
            marks.append(output.is_source.cpu().numpy())
    if not filled:
        return np.zeros((0, 0), np.float32), np.zeros(0, bool)
    return np.concatenate(vectors), np.concatenate(marks)


def told_apart(features: Numbers, is_source: Numbers) -> float:
    """How well a linear classifier tells the resources by their features.

    Args:
        features: ``[sentences, hidden]``.
        is_source: ``[sentences]`` bool.

    Returns:
        The mean of both recalls of a logistic regression, cross-validated on five parts: 1 if they
        can be told perfectly, about 0.5 if not at all.

    Raises:
        ValueError: If a resource has fewer than five sentences.
    """
    if min(is_source.sum(), (~is_source).sum()) < _PARTS:
        raise ValueError(f"Each resource needs {_PARTS} sentences or more, to be told apart.")
    model = make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
    )
    parts = StratifiedKFold(_PARTS, shuffle=True, random_state=0)
    scores = cross_val_score(model, features, is_source, cv=parts, scoring="balanced_accuracy")
    return float(scores.mean())


def resource_figure(
    taggers: Mapping[str, DATNet],
    sentences: Sequence[Sentence],
    perplexity: float | None = None,
    seed: int = 0,
) -> Figure:
    """Maps of the shared features of taggers by t-SNE (van der Maaten and Hinton, 2008).

    Where the discriminator has done its work, the points of both resources lie among each other,
    and :func:`told_apart`, which stands above each map, is low.

    Args:
        taggers: The taggers, by the name that stands above the map of each.
        sentences: Sentences of both resources.
        perplexity: How many neighbours a sentence has, about; 30 if None, or a third of the
            sentences where that is less.
        seed: Of the maps: t-SNE begins at random.

    Returns:
        The figure: a map for each tagger, with a point for each sentence, red for the source and
        blue for the target.

    Raises:
        ValueError: If a resource has fewer than five sentences, or there are not more than the
            perplexity.
    """
    figure = Figure(figsize=(4.5 * len(taggers), 5), layout="constrained")
    for axes, (name, tagger) in zip(
        np.atleast_1d(figure.subplots(1, len(taggers))), taggers.items(), strict=True
    ):
        features, is_source = shared_features(tagger, sentences)
        wanted = min(30.0, len(features) / 3) if perplexity is None else perplexity
        _check_sentences(is_source, wanted)
        places = TSNE(perplexity=wanted, random_state=seed, init="pca").fit_transform(features)
        for resource, rows in (("source", is_source), ("target", ~is_source)):
            label = f"{resource} ({rows.sum()} sentences)"
            x, y = places[rows].T
            axes.scatter(x, y, s=8, alpha=0.6, color=_COLOURS[resource], label=label)
        share = told_apart(features, is_source)
        axes.set_title(f"{printable(name)}\ntold apart: {share:.0%}", fontsize="medium")
        axes.set_xticks([])
        axes.set_yticks([])
    figure.axes[0].legend(fontsize="small")
    return figure


def _check_sentences(is_source: Numbers, perplexity: float) -> None:
    source, target = int(is_source.sum()), int((~is_source).sum())
    if min(source, target) < _PARTS:
        raise ValueError(
            f"There are {source} sentences from the source and {target} from the target: give "
            f"{_PARTS} or more of both. mark_source(sentence) marks those of the source."
        )
    if not 0 < perplexity < source + target:
        raise ValueError(
            f"The perplexity is {perplexity} for {source + target} sentences: it has to be above 0 "
            "and below their number."
        )


def draw_resources(
    taggers: Mapping[str, DATNet], sentences: Sequence[Sentence], file: str | Path, **options: Any
) -> Path:
    """Draws :func:`resource_figure` into a file.

    Args:
        taggers: The taggers, by the name that stands above the map of each.
        sentences: Sentences of both resources.
        file: The picture to write; its ending, such as ``.png``, gives the format.
        **options: Further arguments of :func:`resource_figure`.

    Returns:
        The file.

    Raises:
        ValueError: If the sentences are too few, or the ending is unknown.
    """
    file = Path(file)
    picture_format(file, MAP_FORMATS)
    file.parent.mkdir(parents=True, exist_ok=True)
    resource_figure(taggers, sentences, **options).savefig(file, dpi=150)
    return file
