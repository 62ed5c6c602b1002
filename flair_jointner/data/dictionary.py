"""A dictionary of the entities in annotated sentences, which finds them in other sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from flair.data import Sentence

from flair_jointner.data.annotation import Span, is_annotated
from flair_jointner.data.matching import TokenMatcher

Tokens = tuple[str, ...]


class EntityDictionary:
    """Strings of whole tokens, each with the one type of entity that it stands for.

    Attributes:
        entries: The type of each string of tokens; case-folded if the case is ignored.
        ignore_case: Whether upper and lower case are the same.
        left_out: How many strings `entity_dictionary` left out: "ambiguous", "outside", "rare".
    """

    def __init__(
        self,
        entries: Mapping[Tokens, str],
        *,
        ignore_case: bool = False,
        left_out: Mapping[str, int] | None = None,
    ) -> None:
        """Makes a dictionary of given entries.

        Args:
            entries: The type of each string of tokens.
            ignore_case: Match upper and lower case alike.
            left_out: What was left out, for a summary.

        Raises:
            ValueError: If there is no entry, an empty one, or one with two types when the case is
                ignored.
        """
        self.entries: dict[Tokens, str] = {}
        for words, entity_type in entries.items():
            other = self.entries.setdefault(_fold(words, ignore_case), entity_type)
            if other != entity_type:
                raise ValueError(
                    f"{' '.join(words)!r} has the types '{other}' and '{entity_type}' when the "
                    "case is ignored: leave one of them out."
                )
        self.ignore_case = ignore_case
        self.left_out = Counter(left_out or {})
        self._matcher = TokenMatcher(self.entries)

    def find(self, tokens: Sequence[str]) -> list[Span]:
        """Finds entities that do not overlap: from the left, the longest at each place.

        Args:
            tokens: The tokens of a sentence.

        Returns:
            (start, end, type) of each entity, end exclusive, in order.
        """
        words = _fold(tokens, self.ignore_case)
        return [
            (start, end, self.entries[words[start:end]])
            for start, end in self._matcher.find_longest(words)
        ]


def entity_dictionary(
    sentences: Iterable[Sentence],
    tag_type: str = "ner",
    *,
    min_count: int = 1,
    min_share: float = 0.8,
    ignore_case: bool = False,
) -> EntityDictionary:
    """Makes a dictionary of the entities in annotated sentences.

    A string counts once for each entity that it is, under the entity's type, and once for each
    place where all its tokens are outside entities; places inside or across other entities say
    nothing. It gets its most frequent type (on a tie, the first seen) if that has at least
    `min_share` of all these counts, and is left out otherwise: as "ambiguous" if the type's share
    among the types is too low, else as "outside".

    Args:
        sentences: The sentences; those that are marked as not annotated are passed over.
        tag_type: The label type of the entities.
        min_count: Strings that are entities less often are left out, as "rare".
        min_share: The least share of the most frequent type, from 0 to 1.
        ignore_case: Whether upper and lower case are the same, when counting and when matching.

    Returns:
        The dictionary.

    Raises:
        ValueError: If an argument is not possible, there is no entity, or no string is left.
    """
    if min_count < 1 or not 0 <= min_share <= 1:
        raise ValueError(
            f"min_count is {min_count} and min_share {min_share}: the count can be 1 or more, the "
            "share 0 to 1."
        )
    annotated = [sentence for sentence in sentences if is_annotated(sentence, tag_type)]
    types = _count_types(annotated, tag_type, ignore_case)
    if not types:
        raise ValueError(
            f"There is no entity of type '{tag_type}' in the {len(annotated)} annotated "
            "sentence(s): a dictionary needs sentences with entities."
        )
    outside = _count_outside(annotated, tag_type, ignore_case, types)
    entries: dict[Tokens, str] = {}
    left_out: Counter[str] = Counter()
    for words, counts in types.items():
        entity_type, count = counts.most_common(1)[0]
        if counts.total() < min_count:
            left_out["rare"] += 1
        elif count / counts.total() < min_share:
            left_out["ambiguous"] += 1
        elif count / (counts.total() + outside[words]) < min_share:
            left_out["outside"] += 1
        else:
            entries[words] = entity_type
    if not entries:
        raise ValueError(
            f"None of the {len(types)} strings that are entities is left for the dictionary: with "
            f"min_count={min_count} and min_share={min_share}, {left_out['rare']} are too rare, "
            f"{left_out['ambiguous']} have several types and {left_out['outside']} stand outside "
            "entities too often. Lower --min-count or --min-share."
        )
    return EntityDictionary(entries, ignore_case=ignore_case, left_out=left_out)


def token_texts(sentence: Sentence) -> Tokens:
    """Gives the texts of a sentence's tokens.

    Args:
        sentence: The sentence.

    Returns:
        The texts in order.
    """
    return tuple(token.text for token in sentence)


def _count_types(
    sentences: Iterable[Sentence], tag_type: str, ignore_case: bool
) -> dict[Tokens, Counter[str]]:
    """Counts, for each string that is an entity, its types."""
    types: dict[Tokens, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for span in sentence.get_spans(tag_type):
            words = _fold([token.text for token in span], ignore_case)
            types[words][span.get_label(tag_type).value] += 1
    return types


def _count_outside(
    sentences: Iterable[Sentence], tag_type: str, ignore_case: bool, strings: Iterable[Tokens]
) -> Counter[Tokens]:
    """Counts, for each string, the places where none of its tokens is in an entity."""
    matcher = TokenMatcher(strings)
    outside: Counter[Tokens] = Counter()
    for sentence in sentences:
        words = _fold(token_texts(sentence), ignore_case)
        inside = {token.idx - 1 for span in sentence.get_spans(tag_type) for token in span}
        for start, end in matcher.find_all(words):
            if inside.isdisjoint(range(start, end)):
                outside[words[start:end]] += 1
    return outside


def _fold(tokens: Sequence[str], ignore_case: bool) -> Tokens:
    return tuple(token.casefold() for token in tokens) if ignore_case else tuple(tokens)
