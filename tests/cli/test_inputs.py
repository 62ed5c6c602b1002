"""What the commands refuse before they read anything."""

import pytest
import tiny
from commands import jointner
from flair.data import Corpus

from flair_jointner.cli.inputs import (
    WORDS_ALONE,
    check_output,
    read_all,
    read_splits,
    report_unknown,
)
from flair_jointner.cli.main import main
from flair_jointner.data.errors import DataError

LABELS = {"tag_type": "ner", "class_type": "category"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.conll").write_text("# sent_id = 1\nred\tB-X\n", encoding="utf-8")
    (tmp_path / "first.tsv").write_text("B-X\tred\nO\twine\n", encoding="utf-8")
    (tmp_path / "a.csv").write_text('title,kind\n"a red bag",A\n', encoding="utf-8")
    (tmp_path / "quotes.csv").write_text('title,kind\n"a" bag,A\n', encoding="utf-8")
    (tmp_path / "a.txt").write_text("__label__A a bag.\n", encoding="utf-8")
    return tmp_path


def reading(*arguments):
    """The values of the group, as click makes them of what a user types."""
    command = main.commands["vectors"]
    context = command.make_context("vectors", ["x", "-o", "y", *arguments], resilient_parsing=True)
    names = {p.name for p in command.params}
    group = ("file_format", "class_key", "text_column", "tag_column", "class_column", "scheme",
             "encoding", "tokenizer", "plain_quotes", "skip_malformed")  # fmt: skip
    assert set(group) <= names
    return {name: context.params[name] for name in group}


def words(sentences):
    return [[token.text for token in sentence] for sentence in sentences]


def test_an_option_may_be_for_other_files_of_the_command(folder):
    options = reading("--text-column", "title", "--class-column", "kind")
    files, others = (folder / "a.txt",), (folder / "a.csv",)
    assert words(read_all(files, LABELS, options, others)) == [["a", "bag."]]
    assert len(read_splits(files, (), (), LABELS, options, others).train) == 1
    with pytest.raises(ValueError, match="Unknown option 'text_column'"):
        read_all(files, LABELS, options)
    with pytest.raises(ValueError, match="Unknown option 'text_column'"):
        read_splits(files, (), (), LABELS, options)
    tokenizer = reading("--tokenizer", "segtok")
    annotated = (folder / "first.tsv",)
    assert words(read_all(files, LABELS, tokenizer, annotated)) == [["a", "bag", "."]]


def test_words_alone_are_read_from_all_files_whatever_else_they_hold(folder):
    options = reading("--text-column", "title", "--class-column", "kind", "--class-key", "kind")
    files = tuple(folder / name for name in ("a.conll", "a.csv", "a.txt"))
    found = read_all(files, WORDS_ALONE, options)
    assert words(found) == [["red"], ["a", "red", "bag"], ["a", "bag."]]
    assert words(read_all(files[:1], LABELS, reading())) == [["red"]]


def test_columns_are_numbers_from_0_or_from_the_end(folder):
    files = (folder / "first.tsv",)
    for column in ("1", "-1"):
        options = reading("--text-column", column, "--tag-column", "0")
        (sentence,) = read_all(files, WORDS_ALONE, options)
        assert [token.text for token in sentence] == ["red", "wine"]
        assert len(sentence.get_spans("ner")) == 1


def test_words_with_spaces_are_refused_before_vectors_are_trained(folder, monkeypatch):
    (folder / "spaces.conll").write_text("thời trang\tB-X\n", encoding="utf-8")
    monkeypatch.setattr("flair_jointner.cli.vectors.train_vectors", None)
    result = jointner("vectors", folder / "spaces.conll", "-o", folder / "v.bin")
    assert result.exit_code == 2
    assert "'thời trang'. Write another character" in result.stderr


def test_quotation_marks_may_be_plain_characters(folder):
    table = ["--text-column", "title", "--class-column", "kind", "--tokenizer", "space"]
    files = (folder / "quotes.csv",)
    with pytest.raises(DataError, match="--plain-quotes"):
        read_all(files, LABELS, reading(*table))
    assert words(read_all(files, LABELS, reading(*table, "--plain-quotes"))) == [['"a"', "bag"]]


def test_an_unknown_encoding_is_refused(folder):
    with pytest.raises(ValueError, match="unknown encoding: bogus.*latin-1"):
        read_all((folder / "a.conll",), LABELS, reading("--encoding", "bogus"))


@pytest.mark.parametrize("model", ["best-model.pt", "final-model.pt", "round-0/best-model.pt"])
def test_a_folder_with_models_is_left_alone_unless_asked_for(tmp_path, model):
    (tmp_path / model).parent.mkdir(exist_ok=True)
    (tmp_path / model).touch()
    with pytest.raises(ValueError, match=f"holds {model}: choose another --output"):
        check_output({"output": tmp_path, "overwrite": False})
    check_output({"output": tmp_path, "overwrite": True})


def test_other_folders_and_other_files_are_no_hindrance(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "best-model.pt").touch()
    (tmp_path / "training.log").touch()
    check_output({"output": tmp_path, "overwrite": False})


def test_words_that_the_vectors_of_a_classifier_lack_are_named(capsys):
    corpus = Corpus(train=tiny.titles(), sample_missing_splits=False)
    report_unknown(tiny.words(), corpus)
    assert "2 of the data's 19 words have no vector" in (told := capsys.readouterr().err)
    assert "(unheard, susu …)" in told and "--vectors" in told
    report_unknown(tiny.words(vocabulary=[*tiny.WORDS, "unheard", "susu"]), corpus)
    assert capsys.readouterr().err == ""
