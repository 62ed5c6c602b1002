import gzip

import pytest
from flair.data import Sentence, Token

from flair_jointner.data import DataError, read_words, word_scores, words_of
from flair_jointner.data.segmented_text import word_groups


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "words.txt"
        path.write_text(text, "utf-8")
        return path

    return write


def test_words_parted_by_spaces(write):
    path = write("ฉัน ซื้อ  เสื้อ\r\n\n \nรุ่น iPhone 13 สี ดำ\n")
    assert read_words(path) == [
        ["ฉัน", "ซื้อ", "เสื้อ"],
        ["รุ่น", "iPhone", " ", "13", "สี", "ดำ"],  # Latin words do not stand together
    ]


def test_words_of_the_best_corpus(write):
    path = write("<NE>กรุง|เทพ</NE>| |เป็น|เมือง|\n<AB>พ.ศ.</AB>|New York|\n| |\n")
    assert read_words(path, "|") == [["กรุง", "เทพ", " ", "เป็น", "เมือง"], ["พ.ศ.", "New York"]]


def test_a_zipped_file_in_another_encoding(tmp_path):
    path = tmp_path / "words.gz"
    path.write_bytes(gzip.compress("ฉัน|ไป".encode("cp874")))
    assert read_words(path, "|", encoding="cp874") == [["ฉัน", "ไป"]]
    with pytest.raises(DataError, match="not utf-8"):
        read_words(path, "|")


def test_files_without_words(write):
    with pytest.raises(DataError, match="no sentence; expected words with '|' between them"):
        read_words(write("\n| |\n"), "|")
    with pytest.raises(DataError, match="'#' in no line; expected words with '#' between them"):
        read_words(write("ฉัน|ไป\nกรุง|เทพ\n"), "#")
    with pytest.raises(ValueError, match="separator is empty"):
        read_words(write("ก"), "")


def test_tokens_that_know_their_spaces():
    sentence = Sentence(
        [Token("ไป", whitespace_after=0), Token("8", whitespace_after=2), Token("น")]
    )
    assert words_of([sentence, Sentence(["ดี", "มาก"])]) == [
        ["ไป", "8", "  ", "น"],
        ["ดี", " ", "มาก"],
    ]


def test_tokens_of_a_column_file_do_not_know_their_spaces():
    assert words_of([Sentence(["ไป", "New", "York", "ดี"])]) == [["ไป", "New", " ", "York", "ดี"]]


@pytest.mark.parametrize(
    ("words", "groups"),
    [
        (["a", "b", " ", "c"], [["a", "b"], ["c"]]),
        (["a b", "c"], [["a"], ["b", "c"]]),
        ([" ", "a\u200b", "", "\tb "], [["a"], ["b"]]),
        ([], []),
        ([" "], []),
    ],
)
def test_groups_of_words_without_whitespace(words, groups):
    assert list(word_groups(words)) == groups


def test_scores_count_words_with_both_ends_right():
    gold = [["ab", " ", "c", "d"], ["efg"]]
    predicted = [["ab", "cd"], ["e", "f", "g"]]
    precision, recall, f1 = word_scores(gold, predicted)
    assert (precision, recall) == (1 / 5, 1 / 4)
    assert f1 == pytest.approx(2 * precision * recall / (precision + recall))
    assert word_scores(gold, gold) == (1, 1, 1)


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([["a"]], [], "1 true sentences and 0"),
        ([["a"], ["b"]], [["a"], ["c"]], "Sentence 1 is 'b' and 'c'"),
        ([], [], "no word"),
        ([[" "]], [[]], "no word"),
    ],
)
def test_texts_that_cannot_be_compared(gold, predicted, message):
    with pytest.raises(ValueError, match=message):
        word_scores(gold, predicted)
