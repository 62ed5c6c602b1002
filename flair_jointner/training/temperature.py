"""Temperature scaling (Guo et al., 2017): scores that are as sure as they are right.

A temperature divides what a softmax is taken of. It changes no tag and no class, since it moves
the best of them nowhere, but only how probable they are said to be.

The paper minimises the negative log-likelihood of classes. For a sequence of tags there are two: of
the whole gold path, and of whether each entity that was found is right. It is the second that is
minimised here, because the score of an entity is what a user reads; entities that were missed have
none, and would make the others look less sure than they may be.
"""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from flair.data import Sentence
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from flair_jointner.layers.chain import ChainScores, at_least_float32
from flair_jointner.layers.crf import negative_log_likelihood
from flair_jointner.models import BaseTagger, JointTagger
from flair_jointner.models.evaluation import Fact, gold_facts
from flair_jointner.models.evaluation_mode import evaluation_mode
from flair_jointner.models.prediction import Decoder
from flair_jointner.models.tagset import TagSet

log = logging.getLogger("flair_jointner")

_BOUNDS = (-3.0, 3.0)  # of the logarithm
_AT_BOUND = 0.01
_LEAST = 1e-6
"""Probability below which rounding decides."""


class Temperatures(NamedTuple):
    """What was fitted.

    Attributes:
        tags: Temperature of the tags.
        classes: Temperature of the classes; None without a sentence head or gold classes.
    """

    tags: float
    classes: float | None


class _Tagged(NamedTuple):
    """The sentences of a batch that have gold tags which the tagger can predict.

    Attributes:
        emissions: ``[batch, tokens, tags]``.
        mask: ``[batch, tokens]`` bool, True for real tokens.
        tags: The gold ones, ``[batch, tokens]``, 0 on padding.
        facts: The same as entities, or tagged tokens, of each sentence.
    """

    emissions: Tensor
    mask: Tensor
    tags: Tensor
    facts: list[set[Fact]]


class _Classified(NamedTuple):
    """The sentences of a batch that have a gold class.

    Attributes:
        logits: ``[batch, classes]``.
        classes: The gold ones, ``[batch]``.
    """

    logits: Tensor
    classes: Tensor


def fit_temperatures(
    tagger: BaseTagger, sentences: Sequence[Sentence], batch_size: int = 64
) -> Temperatures:
    """Chooses the temperatures whose scores say best what is right, and sets them.

    The log loss of the entities that the tagger finds, right or wrong, is least, and so is that of
    the classes. Where it finds no entity, the temperature of the tags stays.

    Args:
        tagger: The tagger; its temperatures are replaced, and saved with it from then on.
        sentences: Annotated sentences that it was not trained on: the dev set. Those that have a
            decoder of their own, as a DATNet may have for its source, do not count.
        batch_size: Number of sentences that go through the network at once.

    Returns:
        The temperatures.

    Raises:
        ValueError: If no sentence has entities that the tagger knows, unless none has any and
            there are classes.
    """
    tagged, classified = _score(tagger, sentences, batch_size)
    if _have_entities(tagger, tagged):
        tagger.tag_temperature = _fit_tags(tagger, tagged)
    else:
        _pass_over_tags(tagger, sentences, bool(classified))
    if not isinstance(tagger, JointTagger) or not classified:
        return Temperatures(tagger.tag_temperature, None)
    tagger.class_temperature = _fit_classes(classified)
    return Temperatures(tagger.tag_temperature, tagger.class_temperature)


def _score(
    tagger: BaseTagger, sentences: Sequence[Sentence], batch_size: int
) -> tuple[list[_Tagged], list[_Classified]]:
    """Sends sentences through the network; the scores of those with gold annotation are kept."""
    tagged: list[_Tagged] = []
    classified: list[_Classified] = []
    own = (s for s in sentences if len(s) and tagger.tagset_of(s) is tagger.tagset)
    ordered = sorted(own, key=len)
    chain = _whole_chain(tagger)
    with evaluation_mode(tagger), torch.no_grad():
        for start in range(0, len(ordered), batch_size):
            batch = ordered[start : start + batch_size]
            output = tagger.forward(*tagger.embed(batch))
            tags, known = tagger.gold_tags(batch)
            if known:
                longest = tags.size(1)
                scores, mask = (x[known, :longest] for x in (output.emissions, output.mask))
                facts = [gold_facts(batch[index], 0, tagger.tag_type) for index in known]
                tagged.append(
                    _possible(_Tagged(at_least_float32(scores), mask, tags, facts), chain)
                )
            if isinstance(tagger, JointTagger) and tagger.class_head is not None:
                classes, labelled = tagger.gold_classes(batch)
                if labelled:
                    logits = tagger.class_logits(output)[labelled].double()
                    classified.append(_Classified(logits, classes))
    return tagged, classified


def _whole_chain(tagger: BaseTagger) -> ChainScores:
    """Scores of the chain with those of the constraint, if there is one."""
    chain, constraint = tagger.decoding_chain()
    return chain if constraint is None else chain.plus(constraint)


def _possible(batch: _Tagged, chain: ChainScores) -> _Tagged:
    """The sentences whose gold tags are possible; ``<unk>`` is not."""
    emissions, mask, tags, facts = batch
    kept = negative_log_likelihood(emissions, tags, mask, chain.to(emissions)).isfinite()
    of_kept = [found for found, keep in zip(facts, kept.tolist(), strict=True) if keep]
    return _Tagged(emissions[kept], mask[kept], tags[kept], of_kept)


def _have_entities(tagger: BaseTagger, tagged: Sequence[_Tagged]) -> bool:
    """Whether sentences say anything of the scores of entities."""
    outside = tagger.tagset.indices(["O"])
    each = (batch.tags[batch.mask] for batch in tagged)
    if outside is None:  # any tag says something
        return any(len(tags) > 0 for tags in each)
    return any(bool((tags != outside[0]).any()) for tags in each)


def _pass_over_tags(tagger: BaseTagger, sentences: Sequence[Sentence], with_classes: bool) -> None:
    """Refuses sentences without entities, unless they are for the classes alone."""
    found = {label.value for s in sentences for label in s.get_labels(tagger.tag_type)}
    if with_classes and not found:
        log.warning(
            "No sentence has labels of type %r: the temperature of the tags stays %.2f.",
            tagger.tag_type,
            tagger.tag_temperature,
        )
        return
    raise ValueError(
        f"No sentence has labels of type {tagger.tag_type!r} all of which the tagger knows. It "
        f"knows {', '.join(_types(tagger))}; found: "
        f"{', '.join(sorted(found)) or 'none'}. Give annotated sentences, such as the dev set."
    )


def _types(tagger: BaseTagger) -> list[str]:
    """Entity types, or tags of tokens, that a tagger can predict."""
    tags = [tag for tag in tagger.tagset.tags if tag != "O" and not tag.startswith("<")]
    return list(dict.fromkeys(tag[2:] if tagger.tagset.has_spans else tag for tag in tags))


def _fit_tags(tagger: BaseTagger, tagged: Sequence[_Tagged]) -> float:
    def loss(temperature: float) -> float:
        decoder = Decoder(tagger.tagset, *tagger.decoding_chain(), temperature)
        return sum(_log_losses(tagger.tagset, decoder, tagged))

    if next(_log_losses(tagger.tagset, tagger.decoder(), tagged), None) is None:
        log.warning(
            "The tagger finds nothing in the sentences: the temperature of its tags stays %.2f.",
            tagger.tag_temperature,
        )
        return tagger.tag_temperature
    return _minimize(loss)


def _log_losses(tagset: TagSet, decoder: Decoder, tagged: Sequence[_Tagged]) -> Iterator[float]:
    """Of each entity, or tagged token, that is found."""
    for emissions, mask, _, facts in tagged:
        predictions = decoder(emissions, mask, with_probabilities=not tagset.has_spans)
        for prediction, gold in zip(predictions, facts, strict=True):
            for fact, score in prediction.scored_facts(0, tagset):
                right = score if fact in gold else 1.0 - score
                yield -math.log(max(right, _LEAST))


def _fit_classes(classified: Sequence[_Classified]) -> float:
    logits = torch.cat([batch.logits for batch in classified])
    classes = torch.cat([batch.classes for batch in classified])
    return _minimize(
        lambda temperature: float(nn.functional.cross_entropy(logits / temperature, classes))
    )


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
