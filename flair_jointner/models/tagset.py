"""Tags as the CRF sees them: which may follow which, and which entities a path of them spells."""

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from flair.data import Dictionary, get_spans_from_bio
from torch import Tensor

from flair_jointner.layers.chain import ChainScores

_SPECIAL = ("<unk>", "<START>", "<STOP>")
_PREFIXES = ("B-", "I-", "E-", "S-")


class SpanPlaces(NamedTuple):
    """The entities of a batch, sentence by sentence and from left to right.

    Attributes:
        sentences: Index of each one's sentence, ``[spans]``.
        starts: Index of its first token, ``[spans]``.
        ends: Index after its last token, ``[spans]``.
        types: Index of its type, ``[spans]``.
    """

    sentences: Tensor
    starts: Tensor
    ends: Tensor
    types: Tensor


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


def tag_dictionary(
    types: Dictionary, tag_format: str, with_crf: bool, add_unk: bool = False
) -> Dictionary:
    """The tags of a decoder, as Flair's ``SequenceTagger`` makes them from entity types.

    Args:
        types: Entity types, or token tags; it is not changed.
        tag_format: ``"BIOES"`` or ``"BIO"``.
        with_crf: Whether the special tags of a CRF are wanted.
        add_unk: Whether spans may be of an unknown type.

    Returns:
        The tags.
    """
    if types.span_labels:
        tags = Dictionary(add_unk=add_unk)
        prefixes = ("S-", "B-", "E-", "I-") if tag_format == "BIOES" else ("B-", "I-")
        for type_ in types.get_items():
            if type_ != "<unk>":
                tags.add_item("O")
                for prefix in prefixes:
                    tags.add_item(prefix + type_)
    else:
        tags = copy.deepcopy(types)
    if with_crf and not tags.start_stop_tags_are_set():
        tags.set_start_stop_tags()
    return tags


class TagSet:
    """The tags of a model, in the order of its output layer.

    Attributes:
        tags: The tags by index.
        types: The entity types of the tags, sorted; none if they encode no spans.
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
        spelled = [tag if has_spans and tag.startswith(_PREFIXES) else "" for tag in tags]
        self.types = sorted({tag[2:] for tag in spelled if tag})
        self._spelled = [tag or "O" for tag in spelled]  # <unk> spells no entity
        self._forward = torch.tensor([ord(tag[0]) if tag else 0 for tag in spelled])
        self._types = torch.tensor([self.types.index(tag[2:]) if tag else -1 for tag in spelled])
        self._closed_by_next = has_spans and tag_format == "BIO"
        self._constraints: dict[bool, ChainScores] = {}

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
        if predict_unknown not in self._constraints:
            self._constraints[predict_unknown] = self._make_constraint(predict_unknown)
        return self._constraints[predict_unknown]

    def _make_constraint(self, predict_unknown: bool) -> ChainScores:
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

    def spans(self, paths: Tensor, mask: Tensor) -> SpanPlaces:
        """The entities that valid paths spell.

        Args:
            paths: Tag indices, ``[batch, tokens]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            The entities.
        """
        prefixes = self._forward[paths].masked_fill(~mask, 0)  # [batch, tokens]
        begins = (prefixes == ord("B")) | (prefixes == ord("S"))
        if self._closed_by_next:
            after = torch.nn.functional.pad(prefixes[:, 1:], (0, 1))
            stops = (prefixes != 0) & (after != ord("I"))
        else:
            stops = (prefixes == ord("E")) | (prefixes == ord("S"))
        sentences, starts = begins.nonzero(as_tuple=True)
        ends = stops.nonzero(as_tuple=True)[1] + 1
        return SpanPlaces(sentences, starts, ends, self._types[paths[sentences, starts]])

    def lenient_spans(self, paths: Tensor, mask: Tensor) -> SpanPlaces:
        """The entities that any paths spell, if invalid ones are read as Flair reads them.

        Args:
            paths: Tag indices, ``[batch, tokens]``.
            mask: ``[batch, tokens]`` bool, True for real tokens.

        Returns:
            The entities.
        """
        lengths = mask.sum(1).tolist()
        found = [
            (sentence, places[0], places[-1] + 1, self.types.index(value))
            for sentence, path in enumerate(paths.tolist())
            for places, _, value in get_spans_from_bio(
                [self._spelled[tag] for tag in path[: lengths[sentence]]]
            )
        ]
        return SpanPlaces(*torch.tensor(found, dtype=torch.long).view(-1, 4).t())

    @cached_property
    def closing(self) -> Tensor | None:
        """Which tags do not prolong a span of a type, ``[types, tags]`` bool; None for any tag."""
        if not self._closed_by_next:
            return None
        rows = [[tag != f"I-{type_}" for tag in self.tags] for type_ in self.types]
        return torch.tensor(rows)

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
