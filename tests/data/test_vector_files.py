"""Tests of flair_jointner.data.vector_files."""

import gzip
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from gensim.models import FastText, Word2Vec
from gensim.models.fasttext import FastTextKeyedVectors, save_facebook_model
from gensim.models.keyedvectors import KeyedVectors
from word_vectors import IDEOGRAPHIC_SPACE, make_vectors, topics

from flair_jointner.data.vector_files import (
    FASTTEXT_MAGIC,
    check_vectors_name,
    load_vectors,
    save_vectors,
)


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
    assert path.read_bytes()[:4] == FASTTEXT_MAGIC == bytes.fromhex("ba164f2f")
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


def test_a_name_without_a_format_is_refused():
    with pytest.raises(ValueError, match=r"vectors\.foo: name it \.bin, \.txt or \.vec"):
        check_vectors_name(Path("vectors.foo"))
