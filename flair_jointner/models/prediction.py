"""What a tagger says about a sentence, and how it is written on one."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from flair.data import Label, Sentence
from torch import Tensor

from flair_jointner.layers.chain import ChainScores
from flair_jointner.layers.chain_weights import ChainWeights
from flair_jointner.layers.posterior import ChainPosterior
from flair_jointner.layers.viterbi import viterbi
from flair_jointner.models.evaluation import Fact
from flair_jointner.models.tagset import SpanPlaces, TagSet


class SpanPrediction(NamedTuple):
    """An entity found in a sentence.

    Attributes:
        start: Index of its first token.
        end: Index after its last token.
        type: Its entity type.
        score: Its probability, in [0, 1]; NaN if scores were not asked for.
    """

    start: int
    end: int
    type: str
    score: float


@dataclass
class Prediction:
    """What a tagger says about one sentence.

    Attributes:
        tags: The tag of each token.
        spans: The entities from left to right; None if the tags do not encode spans.
        probabilities: Of each tag at each token, ``[tokens, tags]``; None if not asked for.
        classes: Probabilities of the classes of the sentence, the best first; empty without a
            sentence head.
    """

    tags: list[int]
    spans: list[SpanPrediction] | None
    probabilities: Tensor | None = None
    classes: list[tuple[str, float]] = field(default_factory=list)

    def facts(self, index: int, tagset: TagSet) -> set[Fact]:
        """What the prediction claims about the sentence with this index."""
        if self.spans is not None:
            return {Fact(index, span.start, span.end, span.type) for span in self.spans}
        return {
            Fact(index, place, place + 1, tagset.tags[tag])
            for place, tag in enumerate(self.tags)
            if tagset.tags[tag] not in ("O", "_")
        }

    def scored_facts(self, index: int, tagset: TagSet) -> list[tuple[Fact, float]]:
        """What the prediction claims, and how probable it is; token tags need probabilities."""
        if self.spans is not None:
            return [(Fact(index, *span[:3]), span.score) for span in self.spans]
        assert self.probabilities is not None
        return [
            (fact, float(self.probabilities[fact.start, self.tags[fact.start]]))
            for fact in sorted(self.facts(index, tagset))
        ]


class Decoder:
    """Finds the best path of each sentence and the probabilities of what it says."""

    def __init__(
        self,
        tagset: TagSet,
        chain: ChainScores,
        constraint: ChainScores | None,
        temperature: float = 1.0,
    ) -> None:
        """Prepares what all batches share.

        Args:
            tagset: The tags.
            chain: Scores of the chain.
            constraint: 0 for what a valid path may do and -inf for what it may not; None if paths
                need not be valid.
            temperature: What scores are divided by before they become probabilities.
        """
        self._tagset = tagset
        self._chain = chain
        self._constraint = constraint
        self._temperature = temperature
        valid = chain if constraint is None else chain.plus(constraint)
        self._weights = ChainWeights(ChainScores(*(part / temperature for part in valid)))

    def __call__(
        self,
        emissions: Tensor,
        mask: Tensor,
        with_probabilities: bool = False,
        with_scores: bool = True,
    ) -> list[Prediction]:
        """Decodes a batch.

        Args:
            emissions: ``[batch, tokens, tags]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.
            with_probabilities: Whether the probability of each tag at each token is wanted.
            with_scores: Whether the probability of each entity is wanted.

        Returns:
            A prediction per sentence, without classes.
        """
        posterior = None
        if with_probabilities or (with_scores and self._tagset.has_spans):
            cooled = emissions if self._temperature == 1.0 else emissions / self._temperature
            posterior = ChainPosterior(cooled, mask, self._weights)
        paths = self._best_paths(emissions, mask, posterior)
        lengths = mask.sum(1).tolist()
        predictions = [
            Prediction(path[:length], [] if self._tagset.has_spans else None)
            for path, length in zip(paths.tolist(), lengths, strict=True)
        ]
        if self._tagset.has_spans:
            self._add_spans(predictions, posterior, paths, mask)
        if posterior is not None and with_probabilities:
            marginals = posterior.marginals().cpu()
            for prediction, rows, length in zip(predictions, marginals, lengths, strict=True):
                prediction.probabilities = rows[:length]
        return predictions

    def _best_paths(
        self, emissions: Tensor, mask: Tensor, posterior: ChainPosterior | None
    ) -> Tensor:
        """The tags of the best path of each sentence, ``[batch, tokens]``."""
        if posterior is None:
            return viterbi(emissions, mask, self._chain, self._constraint)[0]
        paths, found = posterior.majority_paths()
        if not bool(found.all()):
            left = ~found
            paths[left], _ = viterbi(emissions[left], mask[left], self._chain, self._constraint)
        return paths

    def _add_spans(
        self,
        predictions: list[Prediction],
        posterior: ChainPosterior | None,
        paths: Tensor,
        mask: Tensor,
    ) -> None:
        read = self._tagset.lenient_spans if self._constraint is None else self._tagset.spans
        spans = read(paths.cpu(), mask.cpu())
        scores = [math.nan] * len(spans.starts)
        if posterior is not None and scores:
            scores = self._span_scores(posterior, spans, paths)
        columns = [part.tolist() for part in spans]
        for sentence, start, end, type_, score in zip(*columns, scores, strict=True):
            found = SpanPrediction(start, end, self._tagset.types[type_], score)
            predictions[sentence].spans.append(found)

    def _span_scores(
        self, posterior: ChainPosterior, spans: SpanPlaces, paths: Tensor
    ) -> list[float]:
        """The probability of exactly this span with this type.

        That is the share of all paths that hold the same tags at the same tokens and do not
        prolong the span.
        """
        sentences, starts, ends, types = (part.to(paths.device) for part in spans)
        lengths = ends - starts
        inside = torch.arange(int(lengths.max()), device=paths.device)
        places = (starts.unsqueeze(1) + inside).clamp(max=paths.size(1) - 1)
        closing = self._tagset.closing
        return posterior.segments(
            sentences,
            starts,
            paths[sentences.unsqueeze(1), places],
            lengths,
            None if closing is None else closing.to(paths.device)[types],
        ).tolist()


def write_labels(
    sentence: Sentence,
    prediction: Prediction,
    tagset: TagSet,
    label_name: str,
    class_label_name: str,
    as_tokens: bool = False,
    all_probabilities: bool = False,
) -> None:
    """Writes a prediction on its sentence, in the place of older labels of the same type.

    Args:
        sentence: The sentence.
        prediction: What the tagger says about it; with probabilities, if they are written.
        tagset: The tags of the tagger.
        label_name: Label type for spans or token tags.
        class_label_name: Label type for the class of the sentence.
        as_tokens: Whether to label tokens with tags, and their probabilities, instead of spans.
        all_probabilities: Whether tokens get the probabilities of all tags, and the sentence those
            of all classes.
    """
    for name in (label_name, class_label_name):
        if name in sentence.annotation_layers:
            sentence.remove_labels(name)
    rows = prediction.probabilities.tolist() if prediction.probabilities is not None else []
    if as_tokens:
        for token, tag, row in zip(sentence, prediction.tags, rows, strict=True):
            if tagset.tags[tag] not in ("O", "_"):
                token.add_label(label_name, tagset.tags[tag], row[tag])
    else:
        for span in prediction.spans or []:
            sentence[span.start : span.end].add_label(label_name, span.type, span.score)
    for value, score in prediction.classes[: None if all_probabilities else 1]:
        sentence.add_label(class_label_name, value, score)
    if all_probabilities:
        for token, row in zip(sentence, rows, strict=True):
            pairs = zip(tagset.tags, row, strict=True)
            token.add_tags_proba_dist(label_name, [Label(token, *pair) for pair in pairs])
