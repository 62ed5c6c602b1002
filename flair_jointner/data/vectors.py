"""Static word vectors: trained on text, read from files, cut down to a Flair embedding."""

import gzip
import logging
import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from flair.data import Sentence
from flair.embeddings import WordEmbeddings
from gensim.models import FastText, KeyedVectors, Word2Vec
from gensim.models.callbacks import CallbackAny2Vec
from gensim.models.fasttext import FastTextKeyedVectors, load_facebook_vectors
from gensim.models.word2vec import MAX_WORDS_IN_BATCH
from tqdm import tqdm

from flair_jointner.data.whole_files import written_whole

log = logging.getLogger("flair_jointner")

FASTTEXT_MAGIC = struct.pack("<i", 793712314)  # opens a binary of Facebook's fastText
PICKLE_START = b"\x80"  # opens pickle protocols 2 and later, and no UTF-8 text
READABLE = "word2vec text (.txt, .vec) or binary (.bin), both also with .gz, or fastText binary"


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
    """Train word vectors on tokenized text; with one worker, a seed always gives the same ones.

    Args:
        sentences: Lists of words; read once more than there are epochs, so not a generator.
        algorithm: "fasttext" (Bojanowski et al., 2017) or "word2vec" (Mikolov et al., 2013).
        dimension: Numbers per vector.
        epochs: Passes over the text.
        window: Words of context on either side.
        min_count: Words that occur less often get no vector of their own; for small corpora, 1.
        skip_gram: Predict the context from the word; otherwise the word from its context (CBOW).
        buckets: Rows of fastText's table of character n-grams. At 300 dimensions gensim's default
            of 2 million takes 2.4 GB, these 100,000 take 120 MB. Not used by word2vec.
        seed: Seed of the random start, the negative samples and the subsampling.
        workers: Threads; more than one is faster, but no two runs are the same.
        lowercase: Lower-case every word first.
        standardize: Take the mean vector off all vectors and scale the numbers to a standard
            deviation of 1. On a small corpus the vectors are small and share one direction, in
            which a tagger can hardly tell words apart (Mu and Viswanath, 2018, on the mean).
        show_progress: Show a bar over the epochs on standard error; None: only in a terminal.

    Returns:
        The vectors, most frequent word first; from fastText, they make some for unseen words too.

    Raises:
        TypeError: If `sentences` can be read only once, or a sentence is not a list of words.
        ValueError: If no word of the text occurs `min_count` times, or for an unknown algorithm.
    """
    if algorithm not in ("fasttext", "word2vec"):
        raise ValueError(f"algorithm is {algorithm!r}; it can be 'fasttext' or 'word2vec'")
    corpus = _Corpus(sentences, lowercase)
    counts = Counter(chain.from_iterable(corpus))
    if not counts:
        raise ValueError("no vectors can be trained: the corpus is empty")
    if max(counts.values()) < min_count:
        raise ValueError(f"no word of the corpus occurs min_count={min_count} times: lower it")
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


def _standardize(vectors: KeyedVectors) -> None:
    """Centre and scale in place; of fastText also the parts that its vectors are averages of."""
    mean = vectors.vectors.mean(axis=0)
    scale = (vectors.vectors - mean).std() or 1.0  # of a single word there is nothing to scale
    names = ["vectors"]
    if isinstance(vectors, FastTextKeyedVectors):
        names += ["vectors_vocab", "vectors_ngrams"]
    for name in names:
        setattr(vectors, name, (getattr(vectors, name) - mean) / scale)


class _Corpus:
    """Token lists as gensim reads them, once for the vocabulary and once per epoch."""

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
            # gensim drops what exceeds its batch, so a long document goes in pieces.
            for start in range(0, len(words), MAX_WORDS_IN_BATCH):
                yield words[start : start + MAX_WORDS_IN_BATCH]


class _Progress(CallbackAny2Vec):
    """Moves a bar on by one after each epoch."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar

    def on_epoch_end(self, model: Word2Vec) -> None:
        self._bar.update()


def load_vectors(path: str | Path, *, trust: bool = False) -> KeyedVectors:
    """Read word vectors; what the file holds is told from its first bytes and its name.

    Args:
        path: word2vec text (.txt, .vec; with or without a header) or binary (.bin), also with .gz;
            fastText binary (.bin), which keeps the subwords; or what gensim's own save() wrote.
        trust: Allow gensim's own files. They are pickles: reading one runs the code that it holds.

    Returns:
        The vectors in the file's order; `FastTextKeyedVectors` from a fastText binary.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file cannot be read, or is a pickle and `trust` is False.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file of word vectors at {path}")
    try:
        vectors = _read(path, trust)
        if not isinstance(vectors, KeyedVectors) or not vectors.vectors.size:
            raise ValueError("it holds no word vectors")
        return vectors
    # gensim's parsers have no error class of their own: a broken file raises whatever it runs into.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"cannot read {path}: {reason}. Expected: {READABLE}") from error


def _read(path: Path, trust: bool) -> KeyedVectors:
    zipped = path.suffix == ".gz"
    with gzip.open(path, "rb") if zipped else path.open("rb") as file:
        line = file.readline(1000)  # holds a header; a line of text vectors may go on
    if line.startswith(PICKLE_START):
        if not trust:
            raise ValueError(
                "it is a pickle, and reading one runs any code that it holds. If you trust whoever "
                "made it, pass trust=True; otherwise convert it to word2vec binary (.bin)"
            )
        loaded = KeyedVectors.load(str(path))
        return getattr(loaded, "wv", loaded)  # a whole model holds its vectors as wv
    if line.startswith(FASTTEXT_MAGIC):
        return _read_fasttext(path)
    suffix = path.with_suffix("").suffix if zipped else path.suffix
    if suffix == ".bin":
        return KeyedVectors.load_word2vec_format(str(path), binary=True)
    if suffix in (".txt", ".vec"):
        no_header = re.fullmatch(rb"\s*\d+\s+\d+\s*", line) is None
        return KeyedVectors.load_word2vec_format(str(path), no_header=no_header)
    raise ValueError("neither its name nor its first bytes tell the format")


def _read_fasttext(path: Path) -> KeyedVectors:
    if path.suffix == ".gz":
        raise ValueError("unpack a fastText binary first, with gunzip or gzip -d")
    with path.open("rb") as file:
        header = file.read(68)
    # int32 each, at these bytes. In a list of words that is cut off, gensim would read for ever.
    dimension, buckets, words = (struct.unpack_from("<i", header, at)[0] for at in (8, 40, 64))
    if path.stat().st_size < 4 * dimension * (words + buckets):
        raise ValueError("the fastText binary is cut off, or quantized (.ftz)")
    return load_facebook_vectors(str(path))


def save_vectors(vectors: KeyedVectors, path: str | Path) -> None:
    """Write word vectors in a word2vec format, whole or not at all.

    fastText's subwords are dropped: from the file, unseen words have no vectors. To keep those of
    a corpus, call `word_embeddings` on the vectors themselves.

    Args:
        vectors: The vectors.
        path: .bin for binary (small, fast), .txt or .vec for text. A missing folder is made.

    Raises:
        ValueError: If the suffix is another, or a word is empty or holds an ASCII space or newline.
    """
    path = Path(path)
    check_vectors_name(path)
    check_words(vectors.index_to_key)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        vectors.save_word2vec_format(str(temporary), binary=path.suffix == ".bin")


def check_vectors_name(path: Path) -> None:
    """Refuse a name from which no word2vec format is told.

    Args:
        path: The file.

    Raises:
        ValueError: If its suffix is none of .bin, .txt and .vec.
    """
    if path.suffix not in (".bin", ".txt", ".vec"):
        raise ValueError(f"cannot save vectors as {path}: name it .bin, .txt or .vec")


def check_words(words: Iterable[str]) -> None:
    """Refuse words that a file of word vectors cannot hold, which is better known before training.

    Args:
        words: Some words; they may come more than once.

    Raises:
        ValueError: If a word is empty or holds an ASCII space or newline.
    """
    unfit = [word for word in dict.fromkeys(words) if not word or " " in word or "\n" in word]
    if unfit:
        raise ValueError(
            "word2vec formats have no empty words and no ASCII space or newline in words; unfit "
            f"are {len(unfit):,} words: {', '.join(map(repr, unfit[:10]))}. Write another "
            "character in its place in all files, such as '_'."
        )


def corpus_vocabulary(sentences: Iterable[Sentence]) -> list[str]:
    """List the words of a corpus.

    Args:
        sentences: The sentences, e.g. `corpus.get_all_sentences()`.

    Returns:
        The distinct token texts, the most frequent first, then by first occurrence.
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
    """Make a compact, frozen Flair embedding: the words of a corpus, and the most frequent others.

    Flair looks for a word itself, then lower-cased, then with each digit as "#", then as "0". If
    the vectors have none of these, fastText's subwords make one; without them it embeds as zeros.

    Args:
        vectors: The vectors, the most frequent word first.
        vocabulary: The words, see `corpus_vocabulary`; None keeps every word of the vectors.
        extra_words: Further words from the top of the vectors, for text seen only when tagging.
        name: The embedding's name.

    Returns:
        The embedding; its table of 32-bit floats is [words + 1, dimension], the last row zeros.

    Raises:
        ValueError: If `extra_words` is negative, or if no word is left.
    """
    if extra_words < 0:
        raise ValueError(f"extra_words is {extra_words}; it can be 0 or more")
    made: dict[str, np.ndarray] = {}
    kept = vectors.index_to_key
    if vocabulary is not None:
        found, made = _find(vectors, vocabulary)
        further = (word for word in vectors.index_to_key if word not in found)
        kept = [*found, *islice(further, extra_words)]
    if not kept and not made:
        raise ValueError("no word is left: the vectors have none of the vocabulary")
    rows = {word: row for row, word in enumerate([*kept, *made])}
    embeddings = WordEmbeddings(
        embeddings=None, vocab=rows, embedding_length=vectors.vector_size, name=name
    )
    table = embeddings.embedding.weight.data  # [words + 1, dimension] of zeros
    table[: len(kept)] = torch.from_numpy(vectors.vectors[[vectors.key_to_index[w] for w in kept]])
    if made:
        table[len(kept) : -1] = torch.from_numpy(np.stack(list(made.values())))
    return embeddings


def unknown_words(embeddings: WordEmbeddings, vocabulary: Iterable[str]) -> list[str]:
    """List the words that embed as zeros.

    Args:
        embeddings: The embeddings.
        vocabulary: Some words.

    Returns:
        Those of them that the embeddings lack in all forms that Flair looks for, in their order.
    """
    nothing = len(embeddings.vocab)
    return [word for word in vocabulary if embeddings.get_cached_token_index(word) == nothing]


def _find(
    vectors: KeyedVectors, vocabulary: Iterable[str]
) -> tuple[dict[str, None], dict[str, np.ndarray]]:
    """Find the key that Flair will use for each word; make vectors for words that have none."""
    found: dict[str, None] = {}  # a set that keeps its order
    made: dict[str, np.ndarray] = {}
    ways = dict.fromkeys(("exact", "lower-cased", "digits", "from subwords", "without vector"), 0)
    has_subwords = isinstance(vectors, FastTextKeyedVectors) and vectors.bucket > 0
    # A model of lower-cased text has never trained an n-gram with a capital.
    uncased = has_subwords and all(word == word.lower() for word in vectors.index_to_key)
    for word in dict.fromkeys(vocabulary):
        lower = word.lower()
        forms = (word, lower, re.sub(r"\d", "#", lower), re.sub(r"\d", "0", lower))
        key = next((form for form in forms if form in vectors.key_to_index), None)
        if key is not None:
            found[key] = None
            ways["exact" if key == word else "lower-cased" if key == lower else "digits"] += 1
        elif has_subwords:
            key = lower if uncased else word
            made[key] = vectors.get_vector(key)
            ways["from subwords"] += 1
        else:
            ways["without vector"] += 1
    counts = ", ".join(f"{count:,} {way}" for way, count in ways.items())
    log.info("word vectors for %s words: %s", f"{sum(ways.values()):,}", counts)
    return found, made
