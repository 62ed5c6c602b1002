from pathlib import Path

import pytest

from flair_jointner.data.annotation import is_annotated
from flair_jointner.data.errors import DataError
from flair_jointner.data.slots import read_slot_folder

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the corpora of ../shared/data")

TOKENS = "play some\u00a0jazz now\nhello  there \nstop\n"
TAGS = "O B-genre B-time\nO O\nO\n"
LABELS = "play_music\n\nstop it\n"


@pytest.fixture
def folder(tmp_path):
    def write(tokens=TOKENS, tags=TAGS, labels=LABELS, encoding="utf-8"):
        for name, text in (("seq.in", tokens), ("seq.out", tags), ("label", labels)):
            if text is not None:
                (tmp_path / name).write_bytes(text.encode(encoding))
        return tmp_path

    return write


def error_of(path, **options):
    with pytest.raises(DataError) as error:
        read_slot_folder(path, **options)
    return error.value


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_n_of_each_file_is_sentence_n(folder, newline):
    texts = [text.replace("\n", newline) for text in (TOKENS, TAGS, LABELS)]
    sentences = read_slot_folder(folder(*texts))
    assert [[t.text for t in s] for s in sentences] == [
        ["play", "some\u00a0jazz", "now"],
        ["hello", "there"],
        ["stop"],
    ]
    spans = sentences[0].get_spans("ner")
    assert [(s.text, s.get_label("ner").value) for s in spans] == [
        ("some\u00a0jazz", "genre"),
        ("now", "time"),
    ]
    assert [[label.value for label in s.get_labels("category")] for s in sentences] == [
        ["play_music"],
        [],
        ["stop it"],
    ]


@pytest.mark.parametrize("missing", ["the file", "the label type"])
def test_categories_are_optional(folder, missing):
    if missing == "the file":
        sentences = read_slot_folder(folder(labels=None))
    else:
        sentences = read_slot_folder(folder(), class_type=None)
    assert not any(sentence.get_labels("category") for sentence in sentences)


def test_label_types_and_encoding_can_be_chosen(folder):
    path = folder("mañana\n", "S-t\n", "x\n", encoding="latin-1")
    (sentence,) = read_slot_folder(path, "slot", "intent", encoding="latin-1")
    assert sentence.get_spans("slot")[0].text == "mañana"
    assert sentence.get_label("intent").value == "x"
    error = error_of(path)
    assert (error.path.name, error.line) == ("seq.in", 1)


@pytest.mark.parametrize(
    ("tokens", "tags", "found"),
    [
        ("a b\n", "O\n", "1 tags for 2 tokens"),
        ("\n", "\n", "0 tags for 0 tokens"),
        ("a b\n", "O I-X\n", "at token 2 'I-X'"),
        ("a b\n", "O X\n", "the tag 'X'"),
    ],
)
def test_malformed_lines(folder, tokens, tags, found):
    path = folder("a\nb\n" + tokens, "B-X\nO\n" + tags, None)
    error = error_of(path)
    assert (error.path.name, error.line) == ("seq.out", 3)
    assert found in error.found
    assert len(read_slot_folder(path, skip_malformed=True)) == 2


def test_files_of_different_length_cannot_be_read_at_all(folder):
    error = error_of(folder(labels="one\ntwo\n"), skip_malformed=True)
    assert (error.path.name, error.found) == ("label", "2 lines")
    assert "3 lines" in error.expected


def test_empty_or_missing_files(folder, tmp_path):
    assert "no sentence" in error_of(folder("", "", None)).found
    with pytest.raises(FileNotFoundError, match="seq.in"):
        read_slot_folder(tmp_path / "nowhere")


@needs_data
@pytest.mark.parametrize(
    ("split", "sentences", "tokens", "entities"),
    [("train", 7000, 82819, 11306), ("dev", 1000, 11801, 1640), ("test", 1000, 12304, 1719)],
)
def test_the_medical_questions(split, sentences, tokens, entities):
    read = read_slot_folder(SHARED / "questions-vi" / split)
    assert (len(read), sum(map(len, read))) == (sentences, tokens)
    assert sum(len(sentence.get_spans("ner")) for sentence in read) == entities
    assert len({sentence.get_label("category").value for sentence in read}) == 4


def test_a_sentence_of_underscores_is_not_annotated(folder):
    found = read_slot_folder(folder("a b\nc d\n", "_ _\nB-x O\n", None))
    assert [is_annotated(sentence, "ner") for sentence in found] == [False, True]
    assert not found[0].get_labels("ner")
    assert "the tag '_'" in str(error_of(folder("a b\n", "_ O\n", None)))
