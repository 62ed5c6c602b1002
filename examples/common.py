"""What the example scripts share: where the data lie, and which vectors stand for the words."""

from pathlib import Path

from flair.embeddings import WordEmbeddings

from flair_jointner.data import (
    corpus_vocabulary,
    load_vectors,
    read_sentences,
    save_vectors,
    train_vectors,
    word_embeddings,
)

TITLES = Path(__file__).parent.parent / "resources" / "titles"


def title_vectors(data: Path, runs: Path, dimension: int = 100, epochs: int = 30) -> WordEmbeddings:
    """Word vectors of all titles, trained on the first call and read from a file after it."""
    names = ("train.conll", "categories.train.txt", "categories.dev.txt")
    sentences = [sentence for name in names for sentence in read_sentences(data / name)]
    file = runs / "vectors.bin"
    if not file.exists():
        runs.mkdir(parents=True, exist_ok=True)
        words = [[token.text for token in sentence] for sentence in sentences]
        vectors = train_vectors(words, dimension=dimension, epochs=epochs)
        save_vectors(vectors, file)
    return word_embeddings(load_vectors(file), corpus_vocabulary(sentences))
