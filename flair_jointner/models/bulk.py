"""Tagging in bulk: texts in, plain rows out, without Flair's sentences where that is possible."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, count, islice
from operator import add, sub
from typing import Any, NamedTuple, Protocol

from flair.data import Sentence
from flair.tokenization import Tokenizer

from flair_jointner.models.garbage import collections_later
from flair_jointner.models.prediction import Prediction, SpanPrediction
from flair_jointner.models.tagset import TagSet

Text = str | Sequence[str]
"""A text, or the tokens of one."""


class Tokenized(NamedTuple):
    """A text and where its tokens stand.

    Attributes:
        text: The text as it came; tokens joined by spaces.
        tokens: The tokens.
        starts: Index of the first character of each token in the text.
        ends: Index after the last one.
    """

    text: str
    tokens: list[str]
    starts: list[int]
    ends: list[int]


class TokenTagger(Protocol):
    """What :func:`tag_rows` needs of a tagger.

    Attributes:
        tagset: Its tags.
    """

    tagset: TagSet

    def predict_tokens(
        self, sentences: list[list[str]], batch_size: int, bfloat16: bool
    ) -> list[Prediction | None]:
        """Predicts tokenised sentences; None for an empty one."""


def tag_rows(
    tagger: TokenTagger,
    texts: Iterable[Text],
    tokenizer: Tokenizer,
    batch_size: int,
    chunk_size: int,
    bfloat16: bool,
) -> Iterator[dict[str, Any]]:
    """Tags texts lazily and in order; see ``BaseTagger.tag``."""
    for chunk in chunked(texts, chunk_size):
        with collections_later():  # the many objects of a chunk go with it
            found = [tokenize(text, tokenizer) for text in chunk]
            tokens = [one.tokens for one in found]
            predictions = tagger.predict_tokens(tokens, batch_size, bfloat16)
        for one, prediction in zip(found, predictions, strict=True):
            yield make_row(one, prediction, tagger.tagset)


def chunked(texts: Iterable[Text], size: int) -> Iterator[list[Text]]:
    """Cuts texts into lists.

    Args:
        texts: The texts.
        size: Number of texts of a list; the last one may have fewer.

    Yields:
        The lists. Where the texts end in an error, those before it come first.
    """
    remaining, failed = iter(texts), None
    while failed is None:
        chunk = []
        try:
            for text in islice(remaining, size):
                chunk.append(text)
        except Exception as error:
            failed = error
        if not chunk:
            break
        yield chunk
    if failed is not None:
        raise failed


def tokenize(text: Text, tokenizer: Tokenizer) -> Tokenized:
    """Cuts a text as ``flair.data.Sentence`` does.

    Args:
        text: A text, or its tokens.
        tokenizer: Cuts a text.

    Returns:
        The tokens and their places.

    Raises:
        TypeError: If it is neither.
    """
    if not isinstance(text, str):
        try:
            return _join(list(text))
        except TypeError:
            raise TypeError(
                f"tag takes texts, or lists of tokens, and was given {text!r:.80}; Sentence "
                "objects go to predict."
            ) from None
    cleaned = Sentence._handle_problem_characters(text)
    # Flair's default tokenizer joins "T-\rshirt" to a word that the text does not hold.
    cleaned = cleaned.replace("\r", " ")
    tokens = [token for token in tokenizer.tokenize(cleaned) if token]
    starts, offset = [], 0
    for token in tokens:
        starts.append(cleaned.index(token, offset))
        offset = starts[-1] + len(token)
    ends = [start + len(token) for start, token in zip(starts, tokens, strict=True)]
    if len(cleaned) != len(text):
        # Flair drops zero-width characters, which would shift every offset after them.
        places = [i for i, char in enumerate(text) if Sentence._handle_problem_characters(char)]
        starts = [places[start] for start in starts]
        ends = [places[end - 1] + 1 for end in ends]
    return Tokenized(text, tokens, starts, ends)


def _join(tokens: list[str]) -> Tokenized:
    """The text that tokens make with a space between each two."""
    text = " ".join(tokens)
    lengths = list(map(len, tokens))
    ends = list(map(add, accumulate(lengths), count()))  # a space before all but the first
    starts = list(map(sub, ends, lengths))
    if 0 in lengths:  # Flair's sentences leave them out
        real = [place for place, token in enumerate(tokens) if token]
        tokens, starts, ends = ([each[i] for i in real] for each in (tokens, starts, ends))
    return Tokenized(text, tokens, starts, ends)


def make_row(found: Tokenized, prediction: Prediction | None, tagset: TagSet) -> dict[str, Any]:
    """A text and what a tagger says about it, in plain data.

    Args:
        found: The text.
        prediction: The prediction; None for a text without tokens.
        tagset: The tagger's tags. Where they do not encode spans, each tagged token is an entity.

    Returns:
        The row.
    """
    category, score, entities = None, None, []
    if prediction is not None:
        if prediction.classes:
            category, score = prediction.classes[0]
        spans = prediction.spans
        if spans is None:
            facts = prediction.scored_facts(0, tagset)
            spans = [SpanPrediction(*fact[1:], score) for fact, score in facts]
        for span in spans:
            start, end = found.starts[span.start], found.ends[span.end - 1]
            entities.append(
                {
                    "type": span.type,
                    "text": found.text[start:end],
                    "start": start,
                    "end": end,
                    "score": span.score,
                }
            )
    return {"text": found.text, "category": category, "score": score, "entities": entities}
