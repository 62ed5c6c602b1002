import unicodedata

import pytest

from flair_jointner.data.slot_alignment import cover_tokens, locate_tokens, uncovered_text


def test_offsets_of_the_utterance_itself():
    assert locate_tokens("Give Tea", ["give", "tea"], [(0, 4), (5, 8)]) == [(0, 4), (5, 8)]


def test_tokens_in_another_normal_form():
    utterance = "ทำ Ａ"
    tokens = [unicodedata.normalize("NFKD", "ทำ"), "a"]
    assert locate_tokens(utterance, tokens, [(0, 2), (3, 4)]) == [(0, 2), (3, 4)]


def test_offsets_of_the_decomposed_form():
    utterance = "Olé, niño ya"
    decomposed = unicodedata.normalize("NFD", utterance)
    words = ["olé", ",", "niño", "ya"]
    offsets, start = [], 0
    for word in words:
        form = unicodedata.normalize("NFD", word)
        start = decomposed.lower().index(form, start)
        offsets.append((start, start + len(form)))
    assert offsets[-1][1] == len(utterance) + 2
    located = locate_tokens(utterance, words, offsets)
    assert [utterance[start:end] for start, end in located] == ["Olé", ",", "niño", "ya"]


@pytest.mark.parametrize("offsets", [[(0, 3)], [(1, 5)], [(0, 99)], [(-1, 4)], [(2, 2)], []])
def test_offsets_that_do_not_fit(offsets):
    assert locate_tokens("Give", ["give"], offsets) is None


@pytest.mark.parametrize(
    ("offsets", "text"),
    [
        ([(1, 3), (5, 7)], ""),
        ([(1, 3)], "cd"),
        ([(5, 7)], "ab"),
        ([(1, 3), (2, 3), (5, 7)], "b"),
        ([(1, 2), (5, 7)], "b"),
    ],
)
def test_text_outside_of_tokens(offsets, text):
    assert uncovered_text(" ab  cd ", offsets) == text


# "ab cde f"
TOKENS = [(0, 2), (3, 6), (7, 8)]


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        ([(0, 2, "X"), (7, 8, "Y")], [(0, 1), (2, 3)]),
        ([(0, 6, "X")], [(0, 2)]),
        ([(1, 4, "X")], [(0, 2)]),
        ([(2, 7, "X")], [(1, 2)]),
        ([(-3, 5, "X"), (6, 99, "Y")], [(0, 2), (2, 3)]),
        ([(0, 4, "X"), (4, 8, "Y")], [(0, 1), (1, 3)]),
        ([(0, 5, "X"), (5, 8, "Y")], [(0, 2), (2, 3)]),
        ([(3, 4, "X"), (4, 5, "Y"), (7, 8, "Z")], [(1, 2), None, (2, 3)]),
        ([(2, 3, "X")], [None]),
        ([], []),
    ],
)
def test_slots_cover_the_tokens_that_they_overlap(slots, expected):
    assert cover_tokens(slots, TOKENS) == expected
