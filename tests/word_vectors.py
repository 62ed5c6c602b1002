"""Small word vectors that tests make: random ones, and ones trained on a text of two topics."""

import random

import numpy as np
from gensim.models.keyedvectors import KeyedVectors

from flair_jointner.data.vector_training import train_vectors

IDEOGRAPHIC_SPACE = "\u3000"
ANIMALS = ["cat", "dog", "horse", "cow", "pig", "hen"]
FINANCE = ["bank", "loan", "bond", "stock", "rate", "fund"]


def topics(seed: int = 0, sentences: int = 400) -> list[list[str]]:
    """Sentences of eight words, each drawn from one of two topics."""
    draw = random.Random(seed)
    return [draw.choices(draw.choice((ANIMALS, FINANCE)), k=8) for _ in range(sentences)]


def make_vectors(words: list[str], dimension: int = 4, seed: int = 0) -> KeyedVectors:
    """Random vectors for the words, in this order."""
    vectors = KeyedVectors(dimension)
    rows = np.random.default_rng(seed).normal(size=(len(words), dimension)).astype(np.float32)
    vectors.add_vectors(words, rows)
    return vectors


def train_small(**settings) -> KeyedVectors:
    """Vectors that are trained in a moment."""
    defaults = {"dimension": 8, "buckets": 500, "epochs": 2, "show_progress": False}
    return train_vectors(topics(), **(defaults | settings))
