import pytest
from flair.data import Sentence

from flair_jointner.data.annotation import add_gold_labels, is_annotated, mark_unannotated


def test_a_sentence_without_entities_counts_as_annotated():
    assert is_annotated(Sentence(["no", "entity"]), "ner")


def test_a_mark_holds_for_its_label_type_only():
    sentence = Sentence(["a", "b"])
    mark_unannotated(sentence, "ner")
    assert not is_annotated(sentence, "ner")
    assert is_annotated(sentence, "pos")


@pytest.mark.parametrize("on_span", [True, False])
def test_a_labelled_sentence_cannot_be_marked(on_span):
    sentence = Sentence(["in", "Pokhara"])
    (sentence[1:2] if on_span else sentence).add_label("ner", "LOC")
    with pytest.raises(ValueError, match="1 label.*'ner'.*'LOC'"):
        mark_unannotated(sentence, "ner")
    assert is_annotated(sentence, "ner")


def test_labels_of_another_type_do_not_hinder_a_mark():
    sentence = Sentence(["in", "Pokhara"])
    sentence.add_label("category", "travel")
    mark_unannotated(sentence, "ner")
    assert not is_annotated(sentence, "ner")


def test_gold_labels_are_spans_and_a_category():
    sentence = Sentence(["red", "Kombai", "tea"])
    add_gold_labels(
        sentence,
        tag_type="ner",
        spans=[(0, 1, "COLOUR"), (1, 3, "PRODUCT")],
        class_type="category",
        category="drinks",
    )
    spans = sentence.get_spans("ner")
    assert [(s.text, s.get_label("ner").value) for s in spans] == [
        ("red", "COLOUR"),
        ("Kombai tea", "PRODUCT"),
    ]
    assert sentence.get_label("category").value == "drinks"


def test_a_missing_category_is_no_label():
    sentence = Sentence(["tea"])
    add_gold_labels(sentence, tag_type="ner", spans=[], class_type="category", category=None)
    assert sentence.get_labels("category") == []
