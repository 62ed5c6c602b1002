"""Tests of flair_jointner.data.word_embeddings."""

import logging
import random

import numpy as np
import pytest
import torch
from flair.data import Sentence
from flair.embeddings import WordEmbeddings
from flair.embeddings.base import load_embeddings
from gensim.models import FastText
from gensim.models.keyedvectors import KeyedVectors
from word_vectors import IDEOGRAPHIC_SPACE, make_vectors, topics, train_small

from flair_jointner.data.vector_training import train_vectors
from flair_jointner.data.word_embeddings import corpus_vocabulary, word_embeddings


def embed(embedding: WordEmbeddings, *words: str) -> torch.Tensor:
    """The embeddings of the words of one sentence, [words, dimension]."""
    sentence = Sentence(list(words))
    embedding.embed(sentence)
    return torch.stack([token.get_embedding().cpu() for token in sentence])


def test_vocabulary_is_ordered_by_frequency_then_occurrence():
    sentences = [Sentence(["b", "a", "c"]), Sentence(["c", "B", "a", "c"])]
    assert corpus_vocabulary(sentences) == ["c", "a", "b", "B"]
    assert corpus_vocabulary([]) == []


def test_lookup_forms():
    vectors = make_vectors(["Paris", "berlin", "00th", "##th", "1900", "0000", "Rome", "rome"])
    words = ["Paris", "Berlin", "19TH", "1900", "1984", "Rome", "paris", "nowhere"]
    embedding = word_embeddings(vectors, words, extra_words=0)
    expected = ["Paris", "berlin", "##th", "1900", "0000", "Rome"]
    assert list(embedding.vocab) == expected
    got = embed(embedding, *words)
    np.testing.assert_array_equal(got[:6].numpy(), np.stack([vectors[word] for word in expected]))
    assert not got[6:].any()


def test_restricted_embedding_gives_a_word_what_the_full_one_gives():
    draw = random.Random(0)
    words = sorted({"".join(draw.choices("aA1#0", k=draw.randint(1, 4))) for _ in range(500)})
    vectors = make_vectors(draw.sample(words, len(words) // 2))
    asked = draw.sample(words, len(words) // 3)
    full, restricted = word_embeddings(vectors), word_embeddings(vectors, asked, extra_words=0)
    assert len(restricted.vocab) < len(full.vocab) == len(vectors)
    torch.testing.assert_close(embed(restricted, *asked), embed(full, *asked), rtol=0, atol=0)
    assert (embed(full, *asked) == 0).all(dim=1).any()


def test_extra_words_come_from_the_top_of_the_vectors():
    vectors = make_vectors(["a", "b", "c", "d", "e"])
    assert list(word_embeddings(vectors, ["c", "x"], extra_words=2).vocab) == ["c", "a", "b"]
    assert list(word_embeddings(vectors, ["c"], extra_words=0).vocab) == ["c"]
    assert list(word_embeddings(vectors, ["e", "e"]).vocab) == ["e", "a", "b", "c", "d"]
    assert list(word_embeddings(vectors, extra_words=0).vocab) == ["a", "b", "c", "d", "e"]
    embedding = word_embeddings(vectors, ["c", "x"], extra_words=2)
    assert embedding.embedding.weight.shape == (4, 4)
    assert embedding.embedding_length == 4
    np.testing.assert_array_equal(embed(embedding, "b")[0].numpy(), vectors["b"])


def test_unknown_words_are_made_from_subwords():
    vectors = train_small()
    words = ["cat", "Cat", "cats", "Doggy", "銀行"]
    embedding = word_embeddings(vectors, words, extra_words=0)
    # the text is lower-cased, so no n-gram with a capital was ever trained
    assert list(embedding.vocab) == ["cat", "cats", "doggy", "銀行"]
    expected = np.stack([vectors.get_vector(word) for word in embedding.vocab])
    np.testing.assert_array_equal(embedding.embedding.weight[:-1].numpy(), expected)
    np.testing.assert_array_equal(embed(embedding, "Doggy")[0].numpy(), expected[2])
    assert not embed(embedding, "unseen").any()


def test_subwords_of_a_cased_model_are_cased():
    vectors = train_vectors([["Cat", "dog"]] * 3, dimension=4, buckets=500, epochs=1)
    embedding = word_embeddings(vectors, ["DOGGY"], extra_words=0)
    np.testing.assert_array_equal(embed(embedding, "DOGGY")[0].numpy(), vectors["DOGGY"])
    assert not np.array_equal(vectors["DOGGY"], vectors["doggy"])


def test_fasttext_without_buckets_makes_no_words():
    vectors = FastText(topics(), vector_size=4, bucket=0, max_n=0, min_count=1, epochs=1).wv
    assert list(word_embeddings(vectors, ["cat", "cats"], extra_words=0).vocab) == ["cat"]


def test_how_words_were_found_is_logged(caplog):
    vectors = train_small()
    plain = make_vectors(["cat", "##"])
    with caplog.at_level(logging.INFO, logger="flair_jointner"):
        word_embeddings(vectors, ["cat", "Dog", "xyz", "xy"])
        word_embeddings(plain, ["cat", "Cat", "12", "xyz"])
    assert [record.getMessage() for record in caplog.records] == [
        "word vectors for 4 words: 1 exact, 1 lower-cased, 0 digits, 2 from subwords, "
        "0 without vector",
        "word vectors for 4 words: 1 exact, 1 lower-cased, 1 digits, 0 from subwords, "
        "1 without vector",
    ]


def test_embedding_is_frozen_and_named():
    embedding = word_embeddings(make_vectors(["a"]), name="mine")
    embedding.train()
    assert embedding.static_embeddings
    assert not any(weight.requires_grad for weight in embedding.parameters())
    assert embedding.name == "mine"


def test_ideographic_space_is_a_word():
    vectors = make_vectors(["the", IDEOGRAPHIC_SPACE])
    embedding = word_embeddings(vectors, [IDEOGRAPHIC_SPACE], extra_words=0)
    index = embedding.get_cached_token_index(IDEOGRAPHIC_SPACE)
    np.testing.assert_array_equal(
        embedding.embedding.weight[index].numpy(), vectors[IDEOGRAPHIC_SPACE]
    )


def test_embedding_survives_flairs_own_saving(tmp_path):
    vectors = make_vectors(["a", "b", "c"])
    embedding = word_embeddings(vectors, ["B"], extra_words=1)
    torch.save(embedding.save_embeddings(), tmp_path / "embedding.pt")
    state = torch.load(tmp_path / "embedding.pt", weights_only=True)
    loaded = load_embeddings(state)
    torch.testing.assert_close(
        embed(loaded, "B", "a", "c"), embed(embedding, "B", "a", "c"), rtol=0, atol=0
    )


def test_half_precision_vectors():
    vectors = KeyedVectors(2, dtype=np.float16)
    vectors.add_vectors(["a"], np.array([[0.5, -2]], dtype=np.float16))
    assert embed(word_embeddings(vectors), "a").tolist() == [[0.5, -2.0]]


def test_impossible_embeddings():
    with pytest.raises(ValueError, match="no word is left"):
        word_embeddings(make_vectors(["a"]), ["x"], extra_words=0)
    with pytest.raises(ValueError, match="extra_words is -1"):
        word_embeddings(make_vectors(["a"]), ["a"], extra_words=-1)
