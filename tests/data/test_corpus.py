import json
import os
from pathlib import Path

import pytest
from flair.data import Corpus

import flair_jointner.data
from flair_jointner.data.annotation import is_annotated
from flair_jointner.data.corpus import format_of, read_corpus, read_sentences
from flair_jointner.data.errors import DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the corpora of ../shared/data")

JSON = json.dumps(
    {"tokenizations": [{"tokens": ["hi"], "tokenSpans": [{"start": 0, "length": 2}]}]}
)
FILES = {
    "a.conll": "# category = A\nhi\tB-X\n\n# category = B\nyou\tO\n",
    "a.txt": "\n__label__A hi\n__label__B you\n",
    "a.tsv": f"greet\t0:2:X\thi\txx\t{JSON}\n",
    "columns.tsv": "a\tb\tc\td\tB-X\n",
    "table.tsv": "text\tkind\nhi you\tA\n",
    "a.csv": "text,kind\nhi you,A\n",
    "folder/seq.in": "hi you\n",
    "folder/seq.out": "B-X O\n",
    "folder/label": "A\n",
}


@pytest.fixture
def files(tmp_path):
    (tmp_path / "folder").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "file_format", "options", "expected"),
    [
        ("a.conll", "columns", {}, [("hi", "A", 1, True), ("you", "B", 0, True)]),
        ("a.txt", "fasttext", {}, [("hi", "A", 0, False), ("you", "B", 0, False)]),
        ("a.tsv", "pytext", {}, [("hi", "greet", 1, True)]),
        ("columns.tsv", "columns", {"text_column": 1}, [("b", None, 1, True)]),
        (
            "table.tsv",
            "table",
            {"text_column": "text", "class_column": "kind"},
            [("hi you", "A", 0, False)],
        ),
        (
            "a.csv",
            "table",
            {"text_column": "text", "class_column": "kind"},
            [("hi you", "A", 0, False)],
        ),
        ("folder", "slots", {}, [("hi you", "A", 1, True)]),
    ],
)
def test_every_format_is_found_and_can_be_named(files, name, file_format, options, expected):
    for asked in ("auto", file_format):
        sentences = read_sentences(files / name, file_format=asked, **options)
        assert [
            (
                sentence.to_tokenized_string(),
                next((label.value for label in sentence.get_labels("category")), None),
                len(sentence.get_spans("ner")),
                is_annotated(sentence, "ner"),
            )
            for sentence in sentences
        ] == expected


def test_label_types_are_passed_on(files):
    first, _ = read_sentences(str(files / "a.conll"), "entity", "kind", class_key="category")
    assert first.get_spans("entity")[0].get_label("entity").value == "X"
    assert first.get_label("kind").value == "A"
    assert read_sentences(files / "a.conll", class_type=None)[0].get_labels("category") == []


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.conll", {"file_format": "conll"}, "'conll'.*auto, columns, slots, pytext, fasttext"),
        ("a.conll", {"colum": 1}, "'colum'.*columns: text_column, tag_column"),
        ("a.conll", {"tokenizer": None}, "'tokenizer'.*columns:"),
        ("folder", {"scheme": "BIO"}, "'scheme'.*slots: encoding, skip_malformed"),
        ("a.csv", {}, r"text_column and class_column \(--text-column, --class-column\)"),
        ("a.txt", {"class_type": None}, "pass a class_type"),
    ],
)
def test_impossible_requests_tell_what_is_possible(files, name, options, message):
    with pytest.raises(ValueError, match=message):
        read_sentences(files / name, **options)
    with pytest.raises(ValueError, match=message):
        read_corpus(files / name, **options)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_sentences(tmp_path / "nowhere")


def test_an_empty_file_is_an_error(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match="empty: found no sentence"):
        read_sentences(tmp_path / "empty")


def test_a_corpus_of_mixed_files(files):
    corpus = read_corpus(
        [files / "a.conll", files / "a.txt"], files / "folder", str(files / "a.tsv"), name="mine"
    )
    assert isinstance(corpus, Corpus)
    assert corpus.name == "mine"
    assert [len(corpus.train), len(corpus.dev), len(corpus.test)] == [4, 1, 1]
    assert [is_annotated(sentence, "ner") for sentence in corpus.train] == [True] * 2 + [False] * 2
    assert corpus.make_label_dictionary("category", add_unk=False).get_items() == ["A", "B"]


def test_missing_splits_stay_missing(files):
    corpus = read_corpus(files / "a.conll")
    assert len(corpus.train) == 2
    assert corpus.dev is None and corpus.test is None


def test_an_option_goes_to_the_files_that_have_it(files):
    paths = [files / "a.conll", files / "a.txt"]
    assert len(read_corpus(paths, scheme="BIO", skip_malformed=True).train) == 4
    with pytest.raises(ValueError, match="'nothing'.*columns: .*; fasttext: "):
        read_corpus(paths, nothing=1)


def test_a_named_text_column_is_for_tables_and_a_number_for_column_files(files):
    named = {"text_column": "text", "class_column": "kind"}
    assert len(read_corpus([files / "a.conll", files / "a.csv"], **named).train) == 3
    numbered = read_corpus([files / "columns.tsv", files / "a.txt"], text_column=1)
    assert [s.to_tokenized_string() for s in numbered.train] == ["b", "hi", "you"]
    with pytest.raises(ValueError, match="text_column is 'text', and no file has such.*columns"):
        read_corpus(files / "a.conll", text_column="text")
    with pytest.raises(ValueError, match="text_column is 1, and no file has such.*table"):
        read_corpus(files / "a.csv", text_column=1, class_column="kind")


def test_annotated_tsv_is_no_table_because_of_an_option_for_other_files(files):
    options = {"text_column": "text", "class_column": "kind"}
    assert format_of(files / "columns.tsv", "auto", options) == "columns"
    assert format_of(files / "table.tsv", "auto", options) == "table"
    assert format_of(files / "table.tsv", "auto", {**options, "class_column": "knid"}) == "table"


def test_an_empty_list_is_an_error(files):
    with pytest.raises(ValueError, match=r"dev=\[\]"):
        read_corpus(files / "a.conll", [])


def test_the_public_names_are_sorted_and_there():
    names = flair_jointner.data.__all__
    assert names == sorted(names)
    assert all(hasattr(flair_jointner.data, name) for name in names)


@needs_data
def test_a_real_corpus_of_fully_and_partly_annotated_files():
    folder = SHARED / "titles-vi"
    corpus = read_corpus(
        [folder / "train.conll", folder / "categories.train.txt"],
        folder / "dev.conll",
        folder / "test.conll",
    )
    assert [len(corpus.train), len(corpus.dev), len(corpus.test)] == [4092, 500, 500]
    assert sum(is_annotated(sentence, "ner") for sentence in corpus.train) == 1000
    assert all(sentence.get_labels("category") for sentence in corpus.train)


def test_the_key_of_a_class_that_is_not_read_changes_nothing(tmp_path):
    file = tmp_path / "train.conll"
    file.write_text("# intent = buy\nmibal\tB-COLOUR\n")
    options = {"tag_type": "ner", "class_key": "intent"}
    (sentence,) = read_sentences(file, class_type="kind", **options)
    assert sentence.get_label("kind").value == "buy"
    (sentence,) = read_sentences(file, class_type=None, **options)
    assert not sentence.get_labels("kind") and sentence.get_labels("ner")
    assert len(read_corpus(file, **options, class_type=None).train) == 1


def test_files_of_classes_alone_are_refused_where_no_class_is_read(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("__label__garden mibal rofen\n")
    with pytest.raises(ValueError, match="nothing but categories.*leave the file out.*--ner-only"):
        read_corpus(file, class_type=None)


def test_a_pipe_needs_a_named_format(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match=r"pipe is a pipe.* pass file_format \(--format\)"):
        read_sentences(pipe)


def test_blanks_before_a_label_do_not_hide_it(tmp_path):
    file = tmp_path / "titles.txt"
    file.write_text("  __label__garden mibal rofen\n", encoding="utf-8")
    (sentence,) = read_sentences(file)
    assert sentence.get_label("category").value == "garden"
