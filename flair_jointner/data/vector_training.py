"""Trains word vectors on tokenized text."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Literal

from gensim.models import FastText, KeyedVectors, Word2Vec
from gensim.models.callbacks import CallbackAny2Vec
from gensim.models.fasttext import FastTextKeyedVectors
from gensim.models.word2vec import MAX_WORDS_IN_BATCH
from tqdm import tqdm


def train_vectors(
    sentences: Iterable[Sequence[str]],
    *,
    algorithm: Literal["fasttext", "word2vec"] = "fasttext",
    dimension: int = 300,
    epochs: int = 10,
    window: int = 5,
    min_count: int = 1,
    skip_gram: bool = True,
    buckets: int = 100_000,
    seed: int = 1,
    workers: int = 1,
    lowercase: bool = False,
    standardize: bool = True,
    show_progress: bool | None = None,
) -> KeyedVectors:
    """Trains word vectors on tokenized text; with one worker, a seed always gives the same ones.

    Args:
        sentences: Lists of words. They are iterated over once more than there are epochs, so a
            generator will not do.
        algorithm: ``"fasttext"`` (Bojanowski et al., 2017) or ``"word2vec"`` (Mikolov et al.,
            2013).
        dimension: Dimension of the vectors.
        epochs: Passes over the corpus.
        window: Context words on either side.
        min_count: Words that occur less often get no vector of their own; for small corpora, 1.
        skip_gram: Whether to predict the context from the word (skip-gram) rather than the word
            from its context (CBOW).
        buckets: Hash buckets for fastText's character n-grams, each with a vector. At 300
            dimensions gensim's default of 2 million takes 2.4 GB, these 100,000 take 120 MB. Not
            used by word2vec.
        seed: Seed of the initial weights, the negative samples and the subsampling.
        workers: Threads; with more than one, training is faster but not reproducible.
        lowercase: Whether to lower-case every word first.
        standardize: Whether to subtract the mean vector from all vectors and scale their
            components to a standard deviation of 1. On a small corpus the vectors are short and
            share one dominant direction, so that a tagger can hardly tell words apart (on the mean,
            see Mu and Viswanath, 2018).
        show_progress: Whether to show a progress bar over the epochs on standard error; None: only
            in a terminal.

    Returns:
        The vectors, most frequent word first; those of fastText also give vectors to unseen words.

    Raises:
        TypeError: If ``sentences`` can be iterated over only once, or a sentence is not a list of
            words.
        ValueError: If no word of the corpus occurs ``min_count`` times, or the algorithm is
            unknown.
    """
    if algorithm not in ("fasttext", "word2vec"):
        raise ValueError(f"algorithm is {algorithm!r}; it can be 'fasttext' or 'word2vec'")
    corpus = _Corpus(sentences, lowercase)
    counts = _word_counts(corpus, min_count)
    shared = {
        "vector_size": dimension,
        "window": window,
        "min_count": min_count,
        "sg": int(skip_gram),
        "seed": seed,
        "workers": workers,
    }
    model = FastText(bucket=buckets, **shared) if algorithm == "fasttext" else Word2Vec(**shared)
    model.build_vocab_from_freq(counts)
    hidden = None if show_progress is None else not show_progress
    with tqdm(total=epochs, desc=algorithm, unit="epoch", disable=hidden) as bar:
        model.train(corpus, total_words=counts.total(), epochs=epochs, callbacks=[_Progress(bar)])
    if standardize:
        _standardize(model.wv)
    return model.wv


def _word_counts(corpus: Iterable[list[str]], min_count: int) -> Counter[str]:
    """Counts the words of a corpus, and refuses one from which no vector can be trained."""
    counts = Counter(chain.from_iterable(corpus))
    if not counts:
        raise ValueError("no vectors can be trained: the corpus is empty")
    if max(counts.values()) < min_count:
        raise ValueError(f"no word of the corpus occurs min_count={min_count} times: lower it")
    return counts


def _standardize(vectors: KeyedVectors) -> None:
    """Standardizes vectors in place; for fastText also the parts that they are averaged from."""
    mean = vectors.vectors.mean(axis=0)
    scale = (vectors.vectors - mean).std() or 1.0  # a single word has no deviation
    names = ["vectors"]
    if isinstance(vectors, FastTextKeyedVectors):
        names += ["vectors_vocab", "vectors_ngrams"]
    for name in names:
        setattr(vectors, name, (getattr(vectors, name) - mean) / scale)


class _Corpus:
    """Tokenized sentences as gensim iterates over them: for the vocabulary, then per epoch."""

    def __init__(self, sentences: Iterable[Sequence[str]], lowercase: bool) -> None:
        if isinstance(sentences, Iterator):
            raise TypeError("sentences is read many times, an iterator once: pass list(sentences)")
        self._sentences = sentences
        self._lowercase = lowercase

    def __iter__(self) -> Iterator[list[str]]:
        for sentence in self._sentences:
            if isinstance(sentence, str) or not all(isinstance(word, str) for word in sentence):
                raise TypeError(
                    f"a sentence must be a list of words (str), got {str(sentence)[:60]!r}; for "
                    "Flair sentences pass [[token.text for token in s] for s in sentences]"
                )
            words = [word.lower() for word in sentence] if self._lowercase else list(sentence)
            # gensim truncates a sentence to its batch size, so a longer one is yielded in pieces.
            for start in range(0, len(words), MAX_WORDS_IN_BATCH):
                yield words[start : start + MAX_WORDS_IN_BATCH]


class _Progress(CallbackAny2Vec):
    """Advances a progress bar after each epoch."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar

    def on_epoch_end(self, model: Word2Vec) -> None:
        self._bar.update()
