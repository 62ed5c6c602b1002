"""Word vectors as a Flair embedding that is restricted to the words of a corpus."""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from flair.data import Sentence
from flair.embeddings import WordEmbeddings
from gensim.models import KeyedVectors
from gensim.models.fasttext import FastTextKeyedVectors

log = logging.getLogger("flair_jointner")


def corpus_vocabulary(sentences: Iterable[Sentence]) -> list[str]:
    """Lists the words of a corpus.

    Args:
        sentences: The sentences, e.g. ``corpus.get_all_sentences()``.

    Returns:
        The distinct token texts, most frequent first; ties are in order of first occurrence.
    """
    counts = Counter(token.text for sentence in sentences for token in sentence)
    return [word for word, _ in counts.most_common()]


def word_embeddings(
    vectors: KeyedVectors,
    vocabulary: Iterable[str] | None = None,
    *,
    extra_words: int = 50_000,
    name: str = "word-vectors",
) -> WordEmbeddings:
    """Makes a compact, frozen Flair embedding of a vocabulary and the most frequent other words.

    Flair looks up a word as it is, then lower-cased, then with each digit as ``#``, then as ``0``.
    A word of the vocabulary that is found in none of these forms gets a vector from fastText's
    subwords; if the vectors have no subwords, its embedding is zero.

    Args:
        vectors: The vectors, most frequent word first.
        vocabulary: The words, see ``corpus_vocabulary``; None keeps every word of the vectors.
        extra_words: How many of the most frequent other words to keep, for text that is seen only
            at prediction time.
        name: Name of the embedding.

    Returns:
        The embedding; its float32 table is ``[words + 1, dimension]``, the last row zeros.

    Raises:
        ValueError: If ``extra_words`` is negative, or if no word is left.
    """
    if extra_words < 0:
        raise ValueError(f"extra_words is {extra_words}; it can be 0 or more")
    kept: list[str] = vectors.index_to_key
    generated: dict[str, np.ndarray] = {}
    if vocabulary is not None:
        keys = {word: _key_of(word, vectors) for word in dict.fromkeys(vocabulary)}
        _log_lookup(keys, _has_subwords(vectors))
        kept = _with_frequent_words(keys.values(), vectors, extra_words)
        generated = _subword_vectors([word for word in keys if keys[word] is None], vectors)
    if not kept and not generated:
        raise ValueError("no word is left: the vectors have none of the vocabulary")
    rows = {word: row for row, word in enumerate([*kept, *generated])}
    embeddings = WordEmbeddings(
        embeddings=None, vocab=rows, embedding_length=vectors.vector_size, name=name
    )
    table = embeddings.embedding.weight.data  # [words + 1, dimension] of zeros
    table[: len(kept)] = torch.from_numpy(vectors.vectors[[vectors.key_to_index[w] for w in kept]])
    if generated:
        table[len(kept) : -1] = torch.from_numpy(np.stack(list(generated.values())))
    return embeddings


def unknown_words(embeddings: WordEmbeddings, vocabulary: Iterable[str]) -> list[str]:
    """Lists the out-of-vocabulary words of embeddings, those whose embedding is zero.

    Args:
        embeddings: The embeddings.
        vocabulary: The words to look up.

    Returns:
        Those that the embeddings have in none of the forms that Flair looks up, in their order.
    """
    unknown = len(embeddings.vocab)  # the row of zeros
    return [word for word in vocabulary if embeddings.get_cached_token_index(word) == unknown]


def _lookup_forms(word: str) -> Iterator[str]:
    """The forms of a word that Flair looks up, in its order."""
    lower = word.lower()
    yield word
    yield lower
    yield re.sub(r"\d", "#", lower)
    yield re.sub(r"\d", "0", lower)


def _key_of(word: str, vectors: KeyedVectors) -> str | None:
    """The key of the vector that Flair would use for a word; None if there is none."""
    return next((form for form in _lookup_forms(word) if form in vectors.key_to_index), None)


def _with_frequent_words(
    keys: Iterable[str | None], vectors: KeyedVectors, extra_words: int
) -> list[str]:
    """The distinct keys that are not None, then the most frequent other words of the vectors."""
    found = dict.fromkeys(key for key in keys if key is not None)
    others = (word for word in vectors.index_to_key if word not in found)
    return [*found, *islice(others, extra_words)]


def _has_subwords(vectors: KeyedVectors) -> bool:
    return isinstance(vectors, FastTextKeyedVectors) and vectors.bucket > 0


def _subword_vectors(words: Iterable[str], vectors: KeyedVectors) -> dict[str, np.ndarray]:
    """Vectors that fastText's subwords give to unseen words; none from vectors without subwords."""
    if not _has_subwords(vectors):
        return {}
    # A model of lower-cased text has never trained an n-gram with a capital.
    uncased = all(word == word.lower() for word in vectors.index_to_key)
    keys = dict.fromkeys(word.lower() if uncased else word for word in words)
    return {key: vectors.get_vector(key) for key in keys}


def _log_lookup(keys: dict[str, str | None], has_subwords: bool) -> None:
    """Logs how many words were found in which form; ``keys`` are those of `_key_of`."""
    exact = sum(key == word for word, key in keys.items())
    lower_cased = sum(key == word.lower() != word for word, key in keys.items())
    missing = sum(key is None for key in keys.values())
    ways = {
        "exact": exact,
        "lower-cased": lower_cased,
        "digits": len(keys) - exact - lower_cased - missing,
        "from subwords": missing if has_subwords else 0,
        "without vector": 0 if has_subwords else missing,
    }
    counts = ", ".join(f"{count:,} {way}" for way, count in ways.items())
    log.info("word vectors for %s words: %s", f"{len(keys):,}", counts)
