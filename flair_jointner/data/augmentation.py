"""More training sentences: a dictionary of entities from annotated ones labels unannotated ones.

The "+10k" and "+50k" rows in Table 1 of Kruengkrai et al. (2020, Section 3.4) add sentences that
were labelled with a dictionary made from the training set. The paper does not say how such a
dictionary is made and used; the rules of `entity_dictionary` and of this module are the package's.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence

from flair.data import Sentence

from flair_jointner.data.annotation import add_gold_labels, is_annotated
from flair_jointner.data.dictionary import EntityDictionary, token_texts


def new_sentences(
    sentences: Iterable[Sentence], known: Iterable[Sentence], tag_type: str = "ner"
) -> list[Sentence]:
    """Leaves out the sentences that somebody has annotated elsewhere.

    Args:
        sentences: The sentences.
        known: Other sentences; those that are marked as not annotated do not count.
        tag_type: The label type of the annotation.

    Returns:
        The sentences whose tokens are not those of a known one, in order.
    """
    annotated = {token_texts(sentence) for sentence in known if is_annotated(sentence, tag_type)}
    return [sentence for sentence in sentences if token_texts(sentence) not in annotated]


def label_with_dictionary(
    sentences: Iterable[Sentence],
    dictionary: EntityDictionary,
    tag_type: str = "ner",
    class_type: str | None = "category",
) -> list[Sentence]:
    """Labels sentences with the entities that a dictionary finds in them.

    Args:
        sentences: Sentences without entities; they stay as they are.
        dictionary: The dictionary.
        tag_type: The label type of the entities.
        class_type: The label type of the category, which is kept; None drops it.

    Returns:
        A new sentence for each, which counts as annotated; where nothing was found, with no entity.

    Raises:
        ValueError: If a sentence has entities already.
    """
    labelled = []
    for sentence in sentences:
        if sentence.get_labels(tag_type):
            raise ValueError(
                f"The sentence '{sentence.to_plain_string()}' has entities of type '{tag_type}' "
                "already; only sentences without annotation can be labelled with a dictionary. "
                "Train on annotated sentences as they are."
            )
        tokens = token_texts(sentence)
        copy = Sentence(list(tokens))
        add_gold_labels(
            copy,
            tag_type=tag_type,
            spans=dictionary.find(tokens),
            class_type=class_type,
            category=_category(sentence, class_type),
        )
        labelled.append(copy)
    return labelled


def draw(sentences: Sequence[Sentence], limit: int, seed: int = 1) -> list[Sentence]:
    """Draws sentences at random, and leaves them in their order.

    Args:
        sentences: The sentences.
        limit: How many at most.
        seed: The same seed draws the same sentences.

    Returns:
        `limit` of them, or all where there are no more.

    Raises:
        ValueError: If the limit is below 1.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit}; it can be 1 or more")
    count = min(limit, len(sentences))
    drawn = random.Random(seed).sample(range(len(sentences)), count)
    return [sentences[index] for index in sorted(drawn)]


def count_entities(sentences: Iterable[Sentence], tag_type: str = "ner") -> Counter[str]:
    """Counts the entities of each type.

    Args:
        sentences: The sentences.
        tag_type: The label type of the entities.

    Returns:
        How many there are of each type.
    """
    return Counter(label.value for sentence in sentences for label in sentence.get_labels(tag_type))


def _category(sentence: Sentence, class_type: str | None) -> str | None:
    labels = [] if class_type is None else sentence.get_labels(class_type)
    return labels[0].value if labels else None
