"""Temperature scaling (Guo et al., 2017): scores that are as sure as they are right.

A temperature divides what a softmax is taken of. It changes no tag and no class, since it moves
the best of them nowhere, but only how probable they are said to be.
"""

import logging
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from flair.data import Sentence
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from flair_jointner.layers.chain import ChainScores
from flair_jointner.layers.crf import negative_log_likelihood
from flair_jointner.models import BaseTagger, JointTagger

log = logging.getLogger("flair_jointner")

_BOUNDS = (-3.0, 3.0)  # of the logarithm
_AT_BOUND = 0.01


class Temperatures(NamedTuple):
    """What was fitted.

    Attributes:
        tags: Temperature of the tags.
        classes: Temperature of the classes; None without a sentence head or gold classes.
    """

    tags: float
    classes: float | None


def fit_temperatures(
    tagger: BaseTagger, sentences: Sequence[Sentence], batch_size: int = 64
) -> Temperatures:
    """Chooses the temperatures that make gold annotation most probable, and sets them.

    Args:
        tagger: The tagger; its temperatures are replaced, and saved with it from then on.
        sentences: Annotated sentences that it was not trained on: the dev set. Those that have a
            decoder of their own, as a DATNet may have for its source, do not count.
        batch_size: Number of sentences that go through the network at once.

    Returns:
        The temperatures.

    Raises:
        ValueError: If no sentence has annotation that the tagger knows.
    """
    was_training = tagger.training
    tagger.eval()
    tagged: list[tuple[Tensor, Tensor, Tensor]] = []
    logits: list[Tensor] = []
    targets: list[Tensor] = []
    ordered = sorted(
        (s for s in sentences if len(s) and tagger.tagset_of(s) is tagger.tagset), key=len
    )
    with torch.no_grad():
        for start in range(0, len(ordered), batch_size):
            batch = ordered[start : start + batch_size]
            output = tagger.forward(*tagger.embed(batch))
            tags, known = tagger.gold_tags(batch)
            if known:
                mask = output.mask[known][:, : tags.size(1)]
                tagged.append((output.emissions[known][:, : tags.size(1)].double(), tags, mask))
            if isinstance(tagger, JointTagger) and tagger.class_head is not None:
                classes, labelled = tagger.gold_classes(batch)
                logits.append(tagger.class_logits(output)[labelled].double())
                targets.append(classes)
    tagger.train(was_training)
    chain, constraint = tagger.decoding_chain()
    chain = chain if constraint is None else chain.plus(constraint)
    tagged = [_allowed(chain, *batch) for batch in tagged]
    outside = tagger.tagset.indices(["O"])
    if not any(_has_entities(tags[mask], outside) for _, tags, mask in tagged):
        found = {label.value for s in sentences for label in s.get_labels(tagger.tag_type)}
        raise ValueError(
            f"No sentence has labels of type {tagger.tag_type!r} all of which the tagger knows. It "
            f"knows {', '.join(_types(tagger))}; found: "
            f"{', '.join(sorted(found)) or 'none'}. Give annotated sentences, such as the dev set."
        )
    chain = chain.to(tagged[0][0])

    def tag_loss(temperature: float) -> float:
        scaled = ChainScores(*(part / temperature for part in chain))
        return sum(
            float(negative_log_likelihood(emissions / temperature, tags, mask, scaled).sum())
            for emissions, tags, mask in tagged
        )

    tagger.tag_temperature = _minimize(tag_loss)
    if not isinstance(tagger, JointTagger) or not sum(map(len, targets)):
        return Temperatures(tagger.tag_temperature, None)

    def class_loss(temperature: float) -> float:
        return float(
            nn.functional.cross_entropy(torch.cat(logits) / temperature, torch.cat(targets))
        )

    tagger.class_temperature = _minimize(class_loss)
    return Temperatures(tagger.tag_temperature, tagger.class_temperature)


def _allowed(chain: ChainScores, *batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Emissions, tags and mask of the sentences whose gold tags are possible; ``<unk>`` is not."""
    emissions, tags, mask = batch
    kept = negative_log_likelihood(emissions, tags, mask, chain.to(emissions)).isfinite()
    return emissions[kept], tags[kept], mask[kept]


def _types(tagger: BaseTagger) -> list[str]:
    """Entity types, or tags of tokens, that a tagger can predict."""
    tags = [tag for tag in tagger.tagset.tags if tag != "O" and not tag.startswith("<")]
    return list(dict.fromkeys(tag[2:] if tagger.tagset.has_spans else tag for tag in tags))


def _has_entities(tags: Tensor, outside: list[int] | None) -> bool:
    """Whether a tag is not ``O``; of a tag set without ``O``, any tag says something."""
    return len(tags) > 0 if outside is None else bool((tags != outside[0]).any())


def _minimize(loss: Callable[[float], float]) -> float:
    found = minimize_scalar(
        lambda log: loss(math.exp(log)),
        bounds=_BOUNDS,
        method="bounded",
    )
    if min(abs(found.x - bound) for bound in _BOUNDS) < _AT_BOUND:
        log.warning(
            "The temperature that fits best is %.2f or beyond: the sentences are too few, or all "
            "tagged rightly, to tell how sure the tagger may be. Give more.",
            math.exp(found.x),
        )
    return math.exp(found.x)
