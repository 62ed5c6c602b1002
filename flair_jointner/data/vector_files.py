"""Files of word vectors: the formats that are read, and those that are written."""

import gzip
import re
import struct
from collections.abc import Iterable
from pathlib import Path

from gensim.models import KeyedVectors
from gensim.models.fasttext import load_facebook_vectors

from flair_jointner.data.whole_files import written_whole

FASTTEXT_MAGIC = struct.pack("<i", 793712314)  # opens a binary of Facebook's fastText
PICKLE_START = b"\x80"  # opens pickle protocols 2 and later, and no UTF-8 text
READABLE = "word2vec text (.txt, .vec) or binary (.bin), both also with .gz, or fastText binary"


def load_vectors(path: str | Path, *, trust: bool = False) -> KeyedVectors:
    """Reads word vectors; the format is recognized by the file's first bytes and its name.

    Args:
        path: word2vec text (.txt, .vec; with or without a header) or binary (.bin), both also with
            .gz; fastText binary (.bin), which keeps the subwords; or what gensim's own ``save()``
            wrote.
        trust: Whether to allow gensim's own files. They are pickles: loading one runs the code that
            it holds.

    Returns:
        The vectors in the file's order; ``FastTextKeyedVectors`` from a fastText binary.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file cannot be read, or is a pickle and ``trust`` is False.
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
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        first_line = file.readline(1000)  # enough for a header; a line of vectors may be longer
    if first_line.startswith(PICKLE_START):
        return _read_pickle(path, trust)
    if first_line.startswith(FASTTEXT_MAGIC):
        return _read_fasttext(path)
    return _read_word2vec(path, first_line)


def _read_pickle(path: Path, trust: bool) -> KeyedVectors:
    if not trust:
        raise ValueError(
            "it is a pickle, and reading one runs any code that it holds. If you trust whoever "
            "made it, pass trust=True; otherwise convert it to word2vec binary (.bin)"
        )
    loaded = KeyedVectors.load(str(path))
    return getattr(loaded, "wv", loaded)  # a whole model holds its vectors as wv


def _read_fasttext(path: Path) -> KeyedVectors:
    if path.suffix == ".gz":
        raise ValueError("unpack a fastText binary first, with gunzip or gzip -d")
    with path.open("rb") as file:
        header = file.read(68)
    # Each is an int32 at this offset. gensim would never return from a truncated list of words.
    dimension, buckets, words = (struct.unpack_from("<i", header, at)[0] for at in (8, 40, 64))
    if path.stat().st_size < 4 * dimension * (words + buckets):
        raise ValueError("the fastText binary is cut off, or quantized (.ftz)")
    return load_facebook_vectors(str(path))


def _read_word2vec(path: Path, first_line: bytes) -> KeyedVectors:
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if suffix == ".bin":
        return KeyedVectors.load_word2vec_format(str(path), binary=True)
    if suffix in (".txt", ".vec"):
        no_header = re.fullmatch(rb"\s*\d+\s+\d+\s*", first_line) is None
        return KeyedVectors.load_word2vec_format(str(path), no_header=no_header)
    raise ValueError("neither its name nor its first bytes tell the format")


def save_vectors(vectors: KeyedVectors, path: str | Path) -> None:
    """Writes word vectors in a word2vec format, whole or not at all.

    fastText's subwords are dropped: vectors loaded from the file have none for unseen words. To
    keep those of a corpus, call ``word_embeddings`` on the vectors themselves.

    Args:
        vectors: The vectors.
        path: .bin for binary (small, fast), .txt or .vec for text. A missing folder is made.

    Raises:
        ValueError: If the suffix is none of these, or a word is empty or contains an ASCII space or
            newline.
    """
    path = Path(path)
    check_vectors_name(path)
    check_words(vectors.index_to_key)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        vectors.save_word2vec_format(str(temporary), binary=path.suffix == ".bin")


def check_vectors_name(path: Path) -> None:
    """Refuses a file name whose suffix stands for no word2vec format.

    Args:
        path: The file.

    Raises:
        ValueError: If its suffix is none of .bin, .txt and .vec.
    """
    if path.suffix not in (".bin", ".txt", ".vec"):
        raise ValueError(f"cannot save vectors as {path}: name it .bin, .txt or .vec")


def check_words(words: Iterable[str]) -> None:
    """Refuses words that a word2vec file cannot hold; meant to be called before training.

    Args:
        words: The words; duplicates do no harm.

    Raises:
        ValueError: If a word is empty or contains an ASCII space or newline.
    """
    unfit = [word for word in dict.fromkeys(words) if not word or " " in word or "\n" in word]
    if unfit:
        raise ValueError(
            "word2vec formats have no empty words and no ASCII space or newline in words; unfit "
            f"are {len(unfit):,} words: {', '.join(map(repr, unfit[:10]))}. Write another "
            "character in its place in all files, such as '_'."
        )
