"""What a corpus has to hold for a tagger to be made of it."""

import pytest
import tiny
from flair.data import Corpus

from flair_jointner.training import build_tagger


def corpus(sentences):
    return Corpus(train=sentences, sample_missing_splits=False)


def test_entity_types_and_classes_are_those_of_the_training_data():
    made = build_tagger(corpus(tiny.titles()), tiny.words(), "ner", "category", hidden_size=4)
    assert sorted(made.tagset.types) == ["COLOUR", "PRODUCT"]
    assert sorted(made.classes) == sorted(tiny.CLASSES)


@pytest.mark.parametrize(
    ("types", "message"),
    [
        (("entity", "category"), "no label of type 'entity'.*annotate some"),
        (("ner", "kind"), "no label of type 'kind'.*--ner-only"),
    ],
)
def test_a_label_type_without_a_label_is_refused(types, message):
    with pytest.raises(ValueError, match=message):
        build_tagger(corpus(tiny.titles()), tiny.words(), *types)
