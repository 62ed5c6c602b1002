"""Tags as the CRF sees them: which may follow which, and which entities a path of them spells."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from flair.data import Dictionary, get_spans_from_bio
from torch import Tensor

from flair_jointner.layers.crf import ChainPosterior, ChainScores

_SPECIAL = ("<unk>", "<START>", "<STOP>")
_PREFIXES = ("B-", "I-", "E-", "S-")


class SpanPrediction(NamedTuple):
    """An entity found in a sentence.

    Attributes:
        start: Index of its first token.
        end: Index after its last token.
        type: Its entity type.
        score: Its probability, in [0, 1].
    """

    start: int
    end: int
    type: str
    score: float


def encodes_spans(dictionary: Dictionary) -> bool:
    """Whether the items of a dictionary are BIO or BIOES tags of spans.

    Flair takes any dictionary for one of span tags as soon as one item begins with ``S-``, ``B-``
    or ``I-``. Here *every* item has to be such a tag, ``O`` or a special item, so that token tags
    that happen to begin like one are not taken for spans.

    Args:
        dictionary: A tag dictionary as the tagger holds it.

    Returns:
        True when paths spell spans, False when each token has a tag of its own.
    """
    tags = [item for item in dictionary.get_items() if item not in (*_SPECIAL, "O")]
    return bool(tags) and all(tag.startswith(_PREFIXES) for tag in tags)


class TagSet:
    """The tags of a model, in the order of its output layer.

    Attributes:
        tags: The tags by index.
        has_spans: Whether the tags encode spans.
    """

    def __init__(self, tags: Sequence[str], has_spans: bool, tag_format: str) -> None:
        """Makes the set.

        Args:
            tags: The tags by index, special items included.
            has_spans: Whether the tags encode spans.
            tag_format: ``"BIOES"`` or ``"BIO"``.
        """
        self.tags = list(tags)
        self.has_spans = has_spans
        self._index = {tag: index for index, tag in enumerate(self.tags)}
        self._closed_by_next = has_spans and tag_format == "BIO"

    def __len__(self) -> int:
        """Number of tags."""
        return len(self.tags)

    def indices(self, tags: Sequence[str]) -> list[int] | None:
        """Indices of the tags of a sentence; None when one is not in the set."""
        unknown = self._index.get("<unk>")
        found = [self._index.get(tag, unknown) for tag in tags]
        return None if None in found else [index for index in found if index is not None]

    def constraint(self, predict_unknown: bool = False) -> ChainScores:
        """Chain scores that are 0 for what a valid path may do and -inf for what it may not.

        A valid path holds no special tag; if the tags encode spans, an ``I-`` or ``E-`` tag
        continues a span of its own type and a span begun by ``B-`` in BIOES is ended by ``E-``.

        Args:
            predict_unknown: Whether ``<unk>`` may be predicted.

        Returns:
            Chain scores for this number of tags.
        """
        special = [tag for tag in _SPECIAL if not (predict_unknown and tag == "<unk>")]
        usable = torch.tensor([tag not in special for tag in self.tags])
        moves = torch.tensor(
            [[self._may_follow(after, before) for before in self.tags] for after in self.tags]
        )
        begins = torch.tensor([self._may_follow(tag, "O") for tag in self.tags])
        ends = torch.tensor([self._may_follow("O", tag) for tag in self.tags])
        return ChainScores(
            _penalty(moves & usable & usable.unsqueeze(1)),
            _penalty(begins & usable),
            _penalty(ends & usable),
        )

    def spans(
        self, posterior: ChainPosterior, paths: Sequence[Sequence[int]]
    ) -> list[list[SpanPrediction]]:
        """The entities that the paths of a batch spell, each with its probability.

        The probability is that of exactly this span with this type: the share of all paths that
        hold the same tags at the same tokens and do not prolong it.

        Args:
            posterior: Forward and backward scores of the batch.
            paths: Tag indices of each sentence, without padding.

        Returns:
            The entities of each sentence, from left to right.
        """
        found = [
            (sentence, places[0], places[-1] + 1, value)
            for sentence, path in enumerate(paths)
            for places, _, value in get_spans_from_bio([self.tags[tag] for tag in path])
        ]
        spans: list[list[SpanPrediction]] = [[] for _ in paths]
        if found:
            scores = self._span_probabilities(posterior, paths, found)
            for (sentence, start, end, value), score in zip(found, scores, strict=True):
                spans[sentence].append(SpanPrediction(start, end, value, score))
        return spans

    def _span_probabilities(
        self,
        posterior: ChainPosterior,
        paths: Sequence[Sequence[int]],
        found: Sequence[tuple[int, int, int, str]],
    ) -> list[float]:
        device = posterior.log_partition.device
        tags = [torch.tensor(paths[sentence][start:end]) for sentence, start, end, _ in found]
        return posterior.segments(
            sentences=torch.tensor([span[0] for span in found], device=device),
            starts=torch.tensor([span[1] for span in found], device=device),
            tags=torch.nn.utils.rnn.pad_sequence(tags, batch_first=True).to(device),
            lengths=torch.tensor([span[2] - span[1] for span in found], device=device),
            next_tags=self._closing([span[3] for span in found], device),
        ).tolist()

    def _closing(self, types: Sequence[str], device: torch.device) -> Tensor | None:
        """Which tags do not prolong a span of these types; None where any tag ends it (BIOES)."""
        if not self._closed_by_next:
            return None
        rows = [[tag != f"I-{type_}" for tag in self.tags] for type_ in types]
        return torch.tensor(rows, device=device)

    def _may_follow(self, after: str, before: str) -> bool:
        if not self.has_spans:
            return True
        opened = before[:2] in ("B-", "I-")
        if after[:2] in ("I-", "E-"):
            return opened and before[2:] == after[2:]
        # In BIO any tag may end a span; in BIOES only its E- tag does.
        return not opened or self._closed_by_next


def _penalty(allowed: Tensor) -> Tensor:
    return torch.zeros(allowed.shape).masked_fill(~allowed, float("-inf"))
