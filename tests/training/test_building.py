"""What a corpus has to hold for a tagger to be made of it."""

import pytest
import tiny
import torch
from flair.data import Corpus, Sentence

from flair_jointner.models.embedding import split_characters
from flair_jointner.training import build_tagger, pretrain_classifier


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


def test_a_tagger_from_a_classifier_knows_its_characters(tmp_path):
    sentences = [Sentence("xyz mibal").add_label("category", "garden") for _ in range(2)]
    table = tiny.words()
    classifier, _ = pretrain_classifier(
        corpus(sentences), table, tmp_path, with_characters=True, hidden_size=4, epochs=1
    )
    _, theirs = split_characters(classifier.embeddings.embeddings)
    assert theirs.characters == tuple("abilmxyz")
    made = build_tagger(
        corpus(tiny.titles()), table, "ner", "category", classifier,
        with_characters=True, hidden_size=4,
    )  # fmt: skip
    words, ours = split_characters(made.embeddings)
    assert words is table
    assert ours.characters == theirs.characters
    assert torch.equal(ours.convolution.weight, theirs.convolution.weight)


def test_characters_that_the_classifier_has_not_are_refused(tmp_path):
    classifier, _ = pretrain_classifier(
        corpus(tiny.titles()), tiny.words(), tmp_path, hidden_size=4, epochs=1
    )
    with pytest.raises(ValueError, match="no vectors from characters.*`jointner pretrain --char"):
        build_tagger(
            corpus(tiny.titles()), tiny.words(), "ner", "category", classifier,
            with_characters=True, hidden_size=4,
        )  # fmt: skip
