"""Tests of flair_jointner.data.vector_training."""

import os
import subprocess
import sys

import numpy as np
import pytest
from flair.data import Sentence
from gensim.models import Word2Vec
from gensim.models.fasttext import FastTextKeyedVectors
from gensim.models.word2vec import MAX_WORDS_IN_BATCH
from word_vectors import ANIMALS, FINANCE, topics, train_small

from flair_jointner.data.vector_training import train_vectors


def test_training_repeats_in_fresh_processes_with_other_hash_seeds():
    script = (
        "import hashlib, random\n"
        "from flair_jointner.data.vector_training import train_vectors\n"
        "draw = random.Random(0)\n"
        "text = [[f'w{draw.randrange(99)}' for _ in range(9)] for _ in range(99)]\n"
        "for algorithm in ('fasttext', 'word2vec'):\n"
        "    vectors = train_vectors(text, algorithm=algorithm, dimension=8, buckets=99)\n"
        "    known = ' '.join(vectors.index_to_key).encode() + vectors.vectors.tobytes()\n"
        "    print(hashlib.sha256(known).hexdigest())\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env=environment | {"PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
        )
        for hash_seed in ("1", "2")
    ]
    first, second = (process.communicate()[0].split() for process in processes)
    assert first == second
    assert len(set(first)) == 2  # one digest per algorithm


@pytest.mark.parametrize(
    "setting", [{"seed": 2}, {"skip_gram": False}, {"window": 1}, {"epochs": 3}]
)
def test_another_setting_gives_other_vectors(setting):
    assert not np.array_equal(train_small().vectors, train_small(**setting).vectors)


@pytest.mark.parametrize("algorithm", ["fasttext", "word2vec"])
@pytest.mark.parametrize("skip_gram", [True, False])
def test_words_of_one_topic_are_nearer_to_each_other(algorithm, skip_gram):
    vectors = train_vectors(
        topics(sentences=2000), algorithm=algorithm, skip_gram=skip_gram, dimension=16, buckets=2000
    )

    def nearness(first: list[str], second: list[str]) -> float:
        return float(np.mean([vectors.similarity(a, b) for a in first for b in second if a != b]))

    within = (nearness(ANIMALS, ANIMALS) + nearness(FINANCE, FINANCE)) / 2
    # 30 + 36 pairs: for random vectors in 16 dimensions the difference has a deviation of 0.06
    assert within - nearness(ANIMALS, FINANCE) > 0.4


def test_training_settings_reach_gensim():
    text = [["Cat", "cat", "dog"], ["cat", "Dog", "rare"]] * 2 + [["once"]]
    vectors = train_vectors(text, dimension=5, min_count=2, buckets=77, lowercase=True)
    assert isinstance(vectors, FastTextKeyedVectors)
    assert vectors.index_to_key == ["cat", "dog", "rare"]
    assert vectors.vectors.shape == (3, 5)
    assert vectors.vectors_ngrams.shape == (77, 5)
    plain = train_vectors(text, algorithm="word2vec", dimension=5)
    assert not isinstance(plain, FastTextKeyedVectors)
    assert set(plain.index_to_key) == {"Cat", "cat", "dog", "Dog", "rare", "once"}


def test_long_sentence_is_trained_to_its_end():
    # so many different words that gensim's subsampling leaves the sentence as long as it is
    start = [f"w{number % 5000}" for number in range(MAX_WORDS_IN_BATCH)]
    sentence = start + ["cat", "dog"] * 50
    trained = train_vectors([sentence], algorithm="word2vec", dimension=4)
    untrained = Word2Vec(vector_size=4, min_count=1, seed=1)
    untrained.build_vocab([sentence])
    assert trained.index_to_key == untrained.wv.index_to_key
    assert [trained.get_vecattr(word, "count") for word in ("w0", "w4999", "dog")] == [2, 2, 50]
    assert not np.array_equal(trained["dog"], untrained.wv["dog"])


@pytest.mark.parametrize("text", [[], [[]], [[], []]])
def test_empty_corpus_is_an_error(text):
    with pytest.raises(ValueError, match="the corpus is empty"):
        train_vectors(text)


def test_too_rare_words_are_an_error():
    with pytest.raises(ValueError, match="occurs min_count=5 times"):
        train_vectors([["a", "b"]], min_count=5)


def test_wrong_input_is_an_error():
    with pytest.raises(ValueError, match="'glove'.*'fasttext' or 'word2vec'"):
        train_vectors([["a"]], algorithm="glove")
    with pytest.raises(TypeError, match=r"pass list\(sentences\)"):
        train_vectors(words for words in [["a"]])
    with pytest.raises(TypeError, match="list of words.*'the cat'"):
        train_vectors(["the cat"])
    with pytest.raises(TypeError, match=r"\[\[token.text for token in s\] for s in sentences\]"):
        train_vectors([Sentence("the cat")])


def test_progress_is_shown_on_standard_error(capfd):
    train_small(epochs=3, show_progress=True)
    shown = capfd.readouterr()
    assert "3/3" in shown.err
    assert shown.out == ""
    train_small(epochs=3, show_progress=False)
    train_small(epochs=3)  # no terminal here
    assert capfd.readouterr().err == ""
