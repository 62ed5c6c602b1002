"""Tests of flair_jointner.data.vectors."""

import gzip
import logging
import os
import pickle
import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from flair.data import Sentence
from flair.embeddings import WordEmbeddings
from flair.embeddings.base import load_embeddings
from gensim.models import FastText, Word2Vec
from gensim.models.fasttext import FastTextKeyedVectors, save_facebook_model
from gensim.models.keyedvectors import KeyedVectors
from gensim.models.word2vec import MAX_WORDS_IN_BATCH

from flair_jointner.data import vectors as module
from flair_jointner.data.vectors import (
    check_vectors_name,
    corpus_vocabulary,
    load_vectors,
    save_vectors,
    train_vectors,
    word_embeddings,
)

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


def embed(embedding: WordEmbeddings, *words: str) -> torch.Tensor:
    """The embeddings of the words of one sentence, [words, dimension]."""
    sentence = Sentence(list(words))
    embedding.embed(sentence)
    return torch.stack([token.get_embedding().cpu() for token in sentence])


def assert_same(loaded: KeyedVectors, vectors: KeyedVectors) -> None:
    """The same words in the same order, and the very same numbers."""
    assert loaded.index_to_key == vectors.index_to_key
    np.testing.assert_array_equal(loaded.vectors, vectors.vectors)


@pytest.fixture
def kept_words() -> KeyedVectors:
    """Words that a careless writer or reader would damage."""
    return make_vectors(["the", IDEOGRAPHIC_SPACE, "a\u00a0b", "東京", "\u2028", "x\ty", "7", "É"])


@pytest.fixture(scope="module")
def fasttext_file(tmp_path_factory) -> tuple[FastText, Path]:
    """A fastText model, and the binary that Facebook's program would write of it."""
    model = FastText(topics(), vector_size=6, bucket=50, min_count=1, epochs=1)
    path = tmp_path_factory.mktemp("fasttext") / "model.bin"
    save_facebook_model(model, str(path))
    return model, path


# Training


def test_training_repeats_in_fresh_processes_with_other_hash_seeds():
    script = (
        "import hashlib, random\n"
        "from flair_jointner.data.vectors import train_vectors\n"
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


# Files


@pytest.mark.parametrize("name", ["v.bin", "v.txt", "v.vec", "new/folder/v.bin"])
def test_saved_vectors_come_back(tmp_path, kept_words, name):
    save_vectors(kept_words, tmp_path / name)
    assert_same(load_vectors(tmp_path / name), kept_words)
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


@pytest.mark.parametrize("name", ["v.bin", "v.txt"])
def test_compressed_files(tmp_path, kept_words, name):
    save_vectors(kept_words, tmp_path / name)
    packed = tmp_path / (name + ".gz")
    packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert_same(load_vectors(packed), kept_words)


def test_text_without_header(tmp_path, kept_words):
    save_vectors(kept_words, tmp_path / "v.txt")
    lines = (tmp_path / "v.txt").read_bytes().split(b"\n", 1)[1]
    (tmp_path / "glove.txt").write_bytes(lines)
    (tmp_path / "glove.vec.gz").write_bytes(gzip.compress(lines))
    assert_same(load_vectors(tmp_path / "glove.txt"), kept_words)
    assert_same(load_vectors(str(tmp_path / "glove.vec.gz")), kept_words)


def test_first_word_that_is_a_number_is_not_taken_for_a_header(tmp_path):
    (tmp_path / "v.txt").write_text("7 5 2\n8 1 0\n")
    vectors = load_vectors(tmp_path / "v.txt")
    assert vectors.index_to_key == ["7", "8"]
    assert vectors["7"].tolist() == [5, 2]


def test_fasttext_binary_keeps_its_subwords(tmp_path, fasttext_file):
    model, path = fasttext_file
    assert path.read_bytes()[:4] == module.FASTTEXT_MAGIC == bytes.fromhex("ba164f2f")
    vectors = load_vectors(path)
    assert isinstance(vectors, FastTextKeyedVectors)
    assert vectors.index_to_key == model.wv.index_to_key
    np.testing.assert_allclose(vectors["cats"], model.wv["cats"], rtol=1e-5)
    other_name = tmp_path / "model.vec"
    other_name.write_bytes(path.read_bytes())
    np.testing.assert_array_equal(load_vectors(other_name)["cats"], vectors["cats"])


def test_saving_drops_the_subwords(tmp_path, fasttext_file):
    vectors = fasttext_file[0].wv
    save_vectors(vectors, tmp_path / "v.bin")
    loaded = load_vectors(tmp_path / "v.bin")
    assert_same(loaded, vectors)
    assert "cats" not in loaded


def test_broken_fasttext_binary_ends_in_an_error(tmp_path, fasttext_file):
    whole = fasttext_file[1].read_bytes()
    broken = tmp_path / "broken.bin"
    within_word = whole.index(b"dog\0") + 1  # where gensim alone would read for ever
    for length in (4, 60, 68, within_word, len(whole) // 3):
        broken.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cannot read .*broken\.bin"):
            load_vectors(broken)
    packed = tmp_path / "model.bin.gz"
    packed.write_bytes(gzip.compress(whole))
    with pytest.raises(ValueError, match="unpack a fastText binary first"):
        load_vectors(packed)


@pytest.mark.parametrize("name", ["v.kv", "v.model", "v.bin", "v.txt", "v"])
def test_pickles_need_trust(tmp_path, name):
    vectors = make_vectors(["a", "b"])
    path = tmp_path / name
    vectors.save(str(path))
    with pytest.raises(ValueError, match="runs any code.*trust=True.*word2vec binary") as caught:
        load_vectors(path)
    assert str(path) in str(caught.value)
    assert_same(load_vectors(path, trust=True), vectors)


class _Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ["v.kv", "v.bin", "v.txt", "v.txt.gz", "v.bin.gz"])
def test_no_code_of_a_file_is_run(tmp_path, protocol, name):
    data = pickle.dumps(_Trap(tmp_path / "trapped"), protocol=protocol)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    with pytest.raises(ValueError, match="cannot read"):
        load_vectors(tmp_path / name)
    assert not (tmp_path / "trapped").exists()


def test_trusted_model_gives_its_vectors(tmp_path):
    model = Word2Vec(topics(), vector_size=4, epochs=1)
    model.save(str(tmp_path / "v.model"))
    assert_same(load_vectors(tmp_path / "v.model", trust=True), model.wv)
    (tmp_path / "list.kv").write_bytes(pickle.dumps(["no vectors"]))
    with pytest.raises(ValueError, match=r"cannot read .*list\.kv"):
        load_vectors(tmp_path / "list.kv", trust=True)


def test_trust_changes_nothing_for_other_formats(tmp_path, kept_words):
    save_vectors(kept_words, tmp_path / "v.txt")
    assert_same(load_vectors(tmp_path / "v.txt", trust=True), kept_words)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.bin"):
        load_vectors(tmp_path / "nowhere.bin")
    with pytest.raises(FileNotFoundError):
        load_vectors(tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("v.txt", b""),
        ("v.bin", b""),
        ("v.txt", b"2 3\nword 1 2 3\n"),  # one line too few
        ("v.txt", b"2 3\nword 1 2 3\nother 1 2\n"),  # one number too few
        ("v.txt", b"word 1 2\nother 1 b\n"),
        ("v.txt", b"w\xff 1 2\n"),
        ("v.bin", b"word 1 2 3\n"),
        ("v.bin", b"2 3\nword " + struct.pack("<3f", 1, 2, 3)),
        ("v.txt.gz", b"word 1 2 3\n"),
        ("v.txt.gz", gzip.compress(b"word 1 2 3\n" * 99, mtime=0)[:-9]),
        ("v.doc", b"word 1 2 3\n"),
    ],
)
def test_unreadable_file(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=r"Expected: word2vec text \(\.txt") as caught:
        load_vectors(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("word", ["New York", "line\nfeed", "\nlead", ""])
@pytest.mark.parametrize("name", ["v.bin", "v.txt"])
def test_words_that_the_format_cannot_hold(tmp_path, word, name):
    with pytest.raises(ValueError, match="unfit are 1 words") as caught:
        save_vectors(make_vectors(["fine", word]), tmp_path / name)
    assert repr(word) in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_failed_save_leaves_the_old_file(tmp_path, monkeypatch, kept_words):
    path = tmp_path / "v.bin"
    save_vectors(kept_words, path)

    def fail(self, name, **settings):
        Path(name).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(KeyedVectors, "save_word2vec_format", fail)
    with pytest.raises(OSError, match="disk full"):
        save_vectors(make_vectors(["new"]), path)
    assert_same(load_vectors(path), kept_words)
    assert list(tmp_path.iterdir()) == [path]


def test_other_suffix_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"name it \.bin, \.txt or \.vec"):
        save_vectors(make_vectors(["a"]), tmp_path / "v.kv")


# Embeddings


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


def test_ideographic_space_is_a_word(tmp_path, kept_words):
    embedding = word_embeddings(kept_words, [IDEOGRAPHIC_SPACE], extra_words=0)
    index = embedding.get_cached_token_index(IDEOGRAPHIC_SPACE)
    np.testing.assert_array_equal(
        embedding.embedding.weight[index].numpy(), kept_words[IDEOGRAPHIC_SPACE]
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


def test_a_name_without_a_format_is_refused():
    with pytest.raises(ValueError, match=r"vectors\.foo: name it \.bin, \.txt or \.vec"):
        check_vectors_name(Path("vectors.foo"))
