import pytest

from flair_jointner.data.column_layout import find_layout, is_blank
from flair_jointner.data.errors import DataError


def layout(*lines, text_column=0, tag_column=-1, delimiter=None, class_key="category"):
    return find_layout("file", list(lines), text_column, tag_column, delimiter, class_key)


def test_a_tab_in_the_first_token_line_decides_for_tabs():
    found = layout("# category = X", "mi bal\tO", "ro\tB-A")
    assert (found.delimiter, found.columns, found.text, found.tag) == ("\t", 2, 0, 1)
    assert found.split("\u3000\tO") == ["\u3000", "O"]


def test_runs_of_spaces_are_one_delimiter():
    assert layout("mi  NN  O", "ro NN B-A").split("mi   NN O ") == ["mi", "NN", "O"]


def test_the_width_of_most_lines_is_the_files():
    assert layout("mi\tO", "broken", "ro\tO", "ta\tO").columns == 2


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        ("# category = X", True),
        ("# category: a = b", True),
        ("# some words", True),
        ("###", True),
        ("#\tO", False),
        ("#2\tI-NAME", False),
        ("#tag\tO", False),
        ("mi\tO", False),
    ],
)
def test_a_token_that_begins_with_a_hash_is_no_comment(line, comment):
    assert layout("mi\tO", "ro\tB-NAME").is_comment(line) is comment


def test_docstart_and_white_lines_separate():
    assert is_blank("-DOCSTART- -X- O O") and is_blank(" \t") and not is_blank("\u3000\tO")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tag_column": 2}, "enough columns for tag_column=2"),
        ({"text_column": 1}, "token and tag are the same"),
        ({"delimiter": ";"}, "token and tag are the same"),
    ],
)
def test_columns_that_are_not_there_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        layout("mi\tO", "ro\tB-A", **options)


def test_a_column_by_name_is_for_tables_only():
    with pytest.raises(ValueError, match="only tables name columns"):
        layout("mi\tO", text_column="title")


def test_no_line_is_no_layout():
    with pytest.raises(DataError, match="at least one sentence"):
        layout("", " ")
