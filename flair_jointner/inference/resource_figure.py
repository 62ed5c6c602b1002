"""How alike a DATNet makes source and target: a map of its shared features (Fig. 3)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from flair.data import Sentence
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from flair_jointner.models import DATNet
from flair_jointner.models.embedding import sentence_context

Numbers = np.ndarray[Any, np.dtype[Any]]
_COLOURS = {"source": "tab:red", "target": "tab:blue"}  # as in the paper


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
    was_training = tagger.training
    tagger.eval()
    vectors, marks = [], []
    try:
        with torch.no_grad(), sentence_context(tagger, filled):
            for start in range(0, len(filled), batch_size):
                output = tagger.forward(*tagger.embed(filled[start : start + batch_size]))
                states = tagger.shared_states(output)
                real = output.mask.unsqueeze(-1)
                sums = states.masked_fill(~real, 0.0).sum(1)
                vectors.append((sums / real.sum(1)).float().cpu().numpy())
                marks.append(output.is_source.cpu().numpy())
    finally:
        tagger.train(was_training)
    if not filled:
        return np.zeros((0, 0), np.float32), np.zeros(0, bool)
    return np.concatenate(vectors), np.concatenate(marks)


def resource_figure(
    tagger: DATNet, sentences: Sequence[Sentence], perplexity: float = 30.0, seed: int = 0
) -> Figure:
    """A map of the shared features by t-SNE (van der Maaten and Hinton, 2008).

    Where the discriminator has done its work, the points of both resources lie among each other.

    Args:
        tagger: The tagger.
        sentences: Sentences of both resources.
        perplexity: How many neighbours a sentence has, about.
        seed: Of the map: t-SNE begins at random.

    Returns:
        The figure: a point for each sentence, red for the source and blue for the target.

    Raises:
        ValueError: If a resource has no sentence, or there are not more than the perplexity.
    """
    features, is_source = shared_features(tagger, sentences)
    counts = {"source": int(is_source.sum()), "target": int((~is_source).sum())}
    if not all(counts.values()):
        raise ValueError(
            f"There are {counts['source']} sentences from the source and {counts['target']} from "
            "the target: give some of both. mark_source(sentence) marks those of the source."
        )
    if not 0 < perplexity < len(features):
        raise ValueError(
            f"The perplexity is {perplexity} for {len(features)} sentences: it has to be above 0 "
            "and below their number."
        )
    places = TSNE(perplexity=perplexity, random_state=seed, init="pca").fit_transform(features)
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    for name, rows in (("source", is_source), ("target", ~is_source)):
        label = f"{name} ({counts[name]} sentences)"
        x, y = places[rows].T
        axes.scatter(x, y, s=8, alpha=0.6, color=_COLOURS[name], label=label)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.legend()
    return figure


def draw_resources(
    tagger: DATNet, sentences: Sequence[Sentence], file: str | Path, **options: Any
) -> Path:
    """Draws :func:`resource_figure` into a file.

    Args:
        tagger: The tagger.
        sentences: Sentences of both resources.
        file: The picture to write; its ending, such as ``.png``, gives the format.
        **options: Further arguments of :func:`resource_figure`.

    Returns:
        The file.

    Raises:
        ValueError: If the sentences are too few, or matplotlib does not know the ending.
    """
    file = Path(file)
    resource_figure(tagger, sentences, **options).savefig(file, dpi=150)
    return file
