import pytest

from flair_jointner.inference.labels import clip, pad, printable, width


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("", 0), ("黑色", 4), ("น้ำ", 2), ("e\u0301", 1), ("a\u200db", 2), ("ｱ", 1)],
)
def test_marks_take_no_column_and_wide_characters_two(text, columns):
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcd…"),
        ("黑色毛衣", 5, "黑色…"),
        ("黑色毛衣", 6, "黑色…"),
        ("ที่ที่ที่ที่", 3, "ที่ที่…"),
        ("a\nb", 5, "a�b"),
    ],
)
def test_a_clipped_text_fits_and_keeps_marks_with_their_characters(text, columns, expected):
    assert clip(text, columns) == expected
    assert width(clip(text, columns)) <= columns


def test_what_xml_may_not_hold_is_replaced():
    assert printable("a\x00b\ud800c\ufffed é ก\u200d") == "a�b�c�d é ก\u200d"


def test_padding_counts_columns():
    assert pad("黑", 4) == "黑  "
    assert pad("long", 2) == "long"
