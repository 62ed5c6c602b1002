"""Texts to rows: the category and the entities of each, with offsets into the text as it came."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from flair.data import Sentence
from flair.tokenization import SegtokTokenizer, Tokenizer

from flair_jointner.models import BaseTagger


def tag_texts(
    tagger: BaseTagger,
    texts: Iterable[str],
    *,
    tokenizer: Tokenizer | None = None,
    batch_size: int = 32,
    chunk_size: int = 1024,
) -> Iterator[dict[str, Any]]:
    """Tags texts lazily and in order.

    Args:
        tagger: A trained tagger.
        texts: The texts; an empty one gets an empty row.
        tokenizer: Cuts a text into tokens; ``SegtokTokenizer``, Flair's default, when None.
        batch_size: Number of texts that go through the network at once.
        chunk_size: Number of texts that are held and sorted by length at once.

    Yields:
        ``{"text": …, "category": …, "score": …, "entities": [{"type": …, "text": …, "start": …,
        "end": …, "score": …}, …]}``. Category and score are None where the tagger has no sentence
        head or the text no token. Offsets count characters of the given text, ``end`` exclusive.
    """
    tokenizer = tokenizer or SegtokTokenizer()
    remaining = iter(texts)
    while chunk := list(islice(remaining, chunk_size)):
        cleaned = [_clean(text) for text in chunk]
        sentences = [Sentence(text, use_tokenizer=tokenizer) for text, _ in cleaned]
        tagger.predict(sentences, mini_batch_size=batch_size)
        for text, sentence, (_, places) in zip(chunk, sentences, cleaned, strict=True):
            yield _row(tagger, text, sentence, places)


def _row(
    tagger: BaseTagger, text: str, sentence: Sentence, places: list[int] | None
) -> dict[str, Any]:
    entities = []
    for span in sentence.get_spans(tagger.tag_type):
        label = span.get_label(tagger.tag_type)
        start, end = span.start_position, span.end_position
        if places is not None:
            start, end = places[start], places[end - 1] + 1
        entities.append(
            {
                "type": label.value,
                "text": text[start:end],
                "start": start,
                "end": end,
                "score": round(label.score, 4),
            }
        )
    class_type = getattr(tagger, "class_type", None)
    labels = sentence.get_labels(class_type) if class_type else []
    return {
        "text": text,
        "category": labels[0].value if labels else None,
        "score": round(labels[0].score, 4) if labels else None,
        "entities": entities,
    }


def _clean(text: str) -> tuple[str, list[int] | None]:
    """The text as Flair reads it, and where its characters stood if Flair drops some.

    Flair drops zero-width characters, which would shift every offset after them.
    """
    cleaned = Sentence._handle_problem_characters(text)
    if len(cleaned) == len(text):
        return cleaned, None
    places = [i for i, char in enumerate(text) if Sentence._handle_problem_characters(char)]
    return cleaned, places
