"""Column files that are read back as they were written."""

import gzip
import random

import pytest
import tiny
from flair.data import Sentence

from flair_jointner.data import read_columns, read_sentences, write_columns
from flair_jointner.data.annotation import add_gold_labels, is_annotated, mark_unannotated


def content(sentence):
    return (
        [token.text for token in sentence],
        [(s[0].idx, s[-1].idx, s.get_label("ner").value) for s in sentence.get_spans("ner")],
        [label.value for label in sentence.get_labels("category")],
        is_annotated(sentence, "ner"),
    )


def sentence(tokens, spans=(), category=None, annotated=True):
    made = Sentence(tokens)
    add_gold_labels(made, tag_type="ner", spans=spans, class_type="category", category=category)
    if not annotated:
        mark_unannotated(made, "ner")
    return made


def assert_comes_back(sentences, path, **options):
    write_columns(sentences, path, class_type="category", **options)
    again = read_columns(path, class_type="category", **options)
    assert [content(s) for s in again] == [content(s) for s in sentences]


def test_what_a_file_looks_like(tmp_path):
    path = tmp_path / "new" / "f.conll"
    write_columns(
        [
            tiny.title("red wine glass", [(0, 1, "COLOUR"), (1, 3, "PRODUCT")], "kitchen"),
            tiny.title("cup", annotated=False),
        ],
        path,
        class_type="category",
    )
    assert path.read_bytes() == (
        b"# category = kitchen\nred\tB-COLOUR\nwine\tB-PRODUCT\nglass\tI-PRODUCT\n\ncup\t_\n"
    )
    assert [p.name for p in path.parent.iterdir()] == ["f.conll"]


ODD = ["#", "##", "#nice", "#a=b", "#a:b", "_", "O", "B-X", "-", "a b", "\u00a0", "\u3000",
       "\u2028", "x\ry", "\ufeff", '"', "=", "Đầm"]  # fmt: skip


@pytest.mark.parametrize("token", ODD)
def test_odd_tokens_come_back_wherever_they_stand(tmp_path, token):
    for category in (None, "a = b: c"):
        assert_comes_back([sentence([token], category=category)], tmp_path / "f")
        assert_comes_back([sentence([token, "x", token], [(0, 1, "T")])] * 2, tmp_path / "f")


@pytest.mark.parametrize("seed", range(3))
def test_random_sentences_come_back(tmp_path, seed):
    generator = random.Random(seed)
    sentences = []
    for _ in range(100):
        tokens = generator.choices([*ODD, "x", "y"], k=generator.randint(1, 9))
        spans, place = [], 0
        while place < len(tokens):
            end = min(place + generator.randint(1, 3), len(tokens))
            if generator.random() < 0.5:
                spans.append((place, end, generator.choice(["X", "Y", "B-Z", "_", "no name"])))
            place = end
        category = generator.choice([None, "A", "B C", "#", "="])
        annotated = bool(spans) or generator.random() < 0.5
        sentences.append(sentence(tokens, spans, category, annotated))
    assert_comes_back(sentences, tmp_path / "f.conll")
    assert [content(s) for s in read_sentences(tmp_path / "f.conll")] == list(
        map(content, sentences)
    )


def test_another_key_and_encoding(tmp_path):
    sentences = [sentence(["mañana"], category="tarde")]
    assert_comes_back(sentences, tmp_path / "f", class_key="intent", encoding="latin-1")
    assert (tmp_path / "f").read_bytes() == b"# intent = tarde\nma\xf1ana\tO\n"


def test_gz_is_packed_and_always_the_same(tmp_path):
    path = tmp_path / "f.gz"
    assert_comes_back(tiny.titles(), path)
    first = path.read_bytes()
    assert_comes_back(tiny.titles(), path)
    assert path.read_bytes() == first
    assert gzip.decompress(first).startswith(b"# category = garden\n")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no sentence to write"),
        ([Sentence([])], "without tokens"),
        ([sentence(["a\tb"])], r"The token 'a\\tb'"),
        ([sentence(["a\nb"])], "would not be read back"),
        ([sentence(["  "])], "would not be read back"),
        ([sentence(["# a"])], "would not be read back"),
        ([sentence(["-DOCSTART-"])], "--tokenizer"),
        ([sentence(["a"], [(0, 1, "X\tY")])], "with the tag 'B-X"),
        ([sentence(["a"], [(0, 1, "X\r")])], "with the tag 'B-X"),
        ([sentence(["a", "b"], [(0, 2, "X"), (1, 2, "Y")])], "'b' overlaps another one"),
        ([sentence(["a"], category=" b")], "cannot be written as a comment"),
        ([sentence(["a"], category="b\nc")], "cannot be written as a comment"),
        ([sentence(["a"], category="b\r")], "cannot be written as a comment"),
        ([sentence(["ă"])], "latin-1 has no 'ă'"),
    ],
)
def test_what_would_not_come_back_is_refused_and_nothing_written(tmp_path, given, message):
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(ValueError, match=message):
        write_columns(given, path, class_type="category", encoding="latin-1")
    assert path.read_text() == "old"


@pytest.mark.parametrize("key", ["a b", "a=b", "a:b"])
def test_a_key_that_would_not_come_back_is_refused(tmp_path, key):
    with pytest.raises(ValueError, match="cannot be written as a comment"):
        write_columns(tiny.titles(), tmp_path / "f", class_type="category", class_key=key)
