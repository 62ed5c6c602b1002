"""Sentences labelled with a dictionary."""

import pytest
import tiny

from flair_jointner.data import is_annotated
from flair_jointner.data.augmentation import (
    count_entities,
    draw,
    label_with_dictionary,
    new_sentences,
)
from flair_jointner.data.dictionary import EntityDictionary

DICTIONARY = EntityDictionary(
    {("red",): "COLOUR", ("wine", "red"): "COLOUR", ("red", "wine", "glass"): "PRODUCT"}
)


def spans(sentence):
    return [
        (span[0].idx - 1, span[-1].idx, span.get_label("ner").value)
        for span in sentence.get_spans("ner")
    ]


def texts(sentences):
    return [sentence.to_plain_string() for sentence in sentences]


def test_entities_are_added_and_the_category_is_kept():
    given = [
        tiny.title("a wine red red wine glass", category="kitchen", annotated=False),
        tiny.title("reddish wine", annotated=False),
    ]
    first, second = label_with_dictionary(given, DICTIONARY)
    assert spans(first) == [(1, 3, "COLOUR"), (3, 6, "PRODUCT")]
    assert first.get_label("category").value == "kitchen"
    assert spans(second) == [] and second.get_labels("category") == []
    assert is_annotated(first, "ner") and is_annotated(second, "ner")
    assert not is_annotated(given[0], "ner") and spans(given[0]) == []
    assert count_entities([first, second]) == {"COLOUR": 1, "PRODUCT": 1}


def test_the_category_can_be_dropped():
    given = tiny.title("red", category="kitchen", annotated=False)
    (labelled,) = label_with_dictionary([given], DICTIONARY, class_type=None)
    assert labelled.get_labels("category") == []


def test_annotation_is_not_overwritten():
    with pytest.raises(ValueError, match="'red bag' has entities of type 'ner' already"):
        label_with_dictionary([tiny.title("red bag", [(1, 2, "PRODUCT")])], DICTIONARY)


def test_sentences_that_are_annotated_elsewhere_are_left_out():
    given = [tiny.title(text, annotated=False) for text in ("a b", "c", "c d", "a b")]
    known = [tiny.title("a b"), tiny.title("c", annotated=False)]
    assert texts(new_sentences(given, known)) == ["c", "c d"]


def test_drawing_keeps_the_order_and_repeats_with_the_seed():
    given = [tiny.title(f"w{number:03}") for number in range(200)]
    drawn = texts(draw(given, 20, seed=3))
    assert len(set(drawn)) == 20 and drawn == sorted(drawn)
    assert drawn == texts(draw(given, 20, seed=3)) != texts(draw(given, 20, seed=4))
    assert draw(given, 500) == given
    with pytest.raises(ValueError, match="limit is 0"):
        draw(given, 0)
