"""What is annotated in a sentence, and what is not.

A sentence with no entity is not a sentence without annotation: the first teaches a tagger that
nothing is there, the second teaches it nothing. Flair keeps no such difference, so it stands in the
sentence's metadata. Only what is *marked* counts as not annotated; sentences from Flair's own
readers behave as they do in Flair.
"""

from __future__ import annotations

from collections.abc import Iterable

from flair.data import Sentence

Span = tuple[int, int, str]
"""An entity as (first token, token after the last, type)."""


def _metadata_key(label_type: str) -> str:
    return f"unannotated:{label_type}"


def mark_unannotated(sentence: Sentence, label_type: str) -> None:
    """Records that nobody has annotated this sentence for a label type.

    Args:
        sentence: The sentence to mark.
        label_type: The label type that is missing, such as "ner".

    Raises:
        ValueError: If the sentence carries a label of that type.
    """
    labels = sentence.get_labels(label_type)
    if labels:
        raise ValueError(
            f"The sentence '{sentence.to_plain_string()}' carries {len(labels)} label(s) of type "
            f"'{label_type}', the first is '{labels[0].value}'; only a sentence without such "
            f"labels can be marked as not annotated. Call "
            f"sentence.remove_labels('{label_type}') first if they are not gold."
        )
    sentence.add_metadata(_metadata_key(label_type), True)


def is_annotated(sentence: Sentence, label_type: str) -> bool:
    """Tells whether a sentence counts as annotated for a label type.

    Args:
        sentence: The sentence.
        label_type: The label type, such as "ner".

    Returns:
        False if the sentence was marked with `mark_unannotated`, else True.
    """
    return not sentence.has_metadata(_metadata_key(label_type))


def add_gold_labels(
    sentence: Sentence,
    *,
    tag_type: str,
    spans: Iterable[Span],
    class_type: str | None = None,
    category: str | None = None,
) -> None:
    """Adds entities, and a category where there is one, to a sentence.

    Args:
        sentence: The sentence to label.
        tag_type: The label type of the entities.
        spans: The entities.
        class_type: The label type of the category; None adds no category.
        category: The category; None where the sentence has none.
    """
    for start, end, entity_type in spans:
        sentence[start:end].add_label(tag_type, entity_type)
    if class_type is not None and category is not None:
        sentence.add_label(class_type, category)
