"""What a tagger says about a sentence, and how it is written on one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flair.data import Label, Sentence
from torch import Tensor

from flair_jointner.layers.crf import ChainPosterior, ChainScores, viterbi
from flair_jointner.models.evaluation import Fact
from flair_jointner.models.tagset import SpanPrediction, TagSet


@dataclass
class Prediction:
    """What a tagger says about one sentence.

    Attributes:
        tags: The tag of each token and its probability.
        spans: The entities from left to right; None if the tags do not encode spans.
        probabilities: Of each tag at each token, ``[tokens, tags]``.
        classes: Probabilities of the classes of the sentence, the best first; empty without a
            sentence head.
    """

    tags: list[tuple[str, float]]
    spans: list[SpanPrediction] | None
    probabilities: Tensor
    classes: list[tuple[str, float]] = field(default_factory=list)

    def facts(self, index: int) -> set[Fact]:
        """What the prediction claims about the sentence with this index."""
        if self.spans is not None:
            return {Fact(index, span.start, span.end, span.type) for span in self.spans}
        return {
            Fact(index, place, place + 1, tag)
            for place, (tag, _) in enumerate(self.tags)
            if tag not in ("O", "_")
        }


def decode_batch(
    emissions: Tensor, mask: Tensor, chain: ChainScores, tagset: TagSet
) -> list[Prediction]:
    """Finds the best path of each sentence and the probabilities of what it says.

    Args:
        emissions: ``[batch, tokens, tags]``.
        mask: ``[batch, tokens]`` bool, True for real tokens.
        chain: The chain scores of the distribution that is decoded.
        tagset: The tags.

    Returns:
        A prediction per sentence, without classes.
    """
    paths, _ = viterbi(emissions, mask, chain)
    posterior = ChainPosterior(emissions, mask, chain)
    marginals = posterior.marginals().cpu()
    scores = marginals.gather(2, paths.cpu().unsqueeze(2)).squeeze(2).tolist()
    lengths = mask.sum(1).tolist()
    tags = [path[:length] for path, length in zip(paths.tolist(), lengths, strict=True)]
    spans = tagset.spans(posterior, tags) if tagset.has_spans else [None] * len(tags)
    return [
        Prediction(
            [
                (tagset.tags[tag], score)
                for tag, score in zip(tags[i], scores[i][: lengths[i]], strict=True)
            ],
            spans[i],
            marginals[i, : lengths[i]],
        )
        for i in range(len(tags))
    ]


def write_labels(
    sentence: Sentence,
    prediction: Prediction,
    label_name: str,
    class_label_name: str,
    as_tokens: bool = False,
    all_tags: Sequence[str] | None = None,
) -> None:
    """Writes a prediction on its sentence, in the place of older labels of the same type.

    Args:
        sentence: The sentence.
        prediction: What the tagger says about it.
        label_name: Label type for spans or token tags.
        class_label_name: Label type for the class of the sentence.
        as_tokens: Whether to label tokens with tags instead of spans.
        all_tags: The tags by index, if tokens get the probabilities of all tags, and the sentence
            those of all classes; else None.
    """
    for name in (label_name, class_label_name):
        if name in sentence.annotation_layers:
            sentence.remove_labels(name)
    if as_tokens:
        for token, (tag, score) in zip(sentence, prediction.tags, strict=True):
            if tag not in ("O", "_"):
                token.add_label(label_name, tag, score)
    else:
        for span in prediction.spans or []:
            sentence[span.start : span.end].add_label(label_name, span.type, span.score)
    for value, score in prediction.classes[: None if all_tags is not None else 1]:
        sentence.add_label(class_label_name, value, score)
    if all_tags is not None:
        for token, row in zip(sentence, prediction.probabilities.tolist(), strict=True):
            labels = [Label(token, tag, score) for tag, score in zip(all_tags, row, strict=True)]
            token.add_tags_proba_dist(label_name, labels)
