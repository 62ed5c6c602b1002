"""A tagger of any system from its file."""

import pytest
import tiny
from flair.embeddings import HashEmbeddings, StackedEmbeddings
from flair.models import SequenceTagger

from flair_jointner import DATNet, JointTagger
from flair_jointner.models import BaseTagger, ModelFileError, load_tagger


class Own(JointTagger):
    pass


@pytest.mark.parametrize("system", [JointTagger, DATNet, BaseTagger, Own])
def test_the_file_says_which_system_it_is(system, tmp_path):
    made = system(tiny.words(), tiny.dictionary(), "ner", hidden_size=4)
    made.save(tmp_path / "tagger.pt")
    assert type(load_tagger(tmp_path / "tagger.pt")) is system


def test_a_system_on_the_hub_is_fetched_by_flair(tmp_path, monkeypatch):
    DATNet(tiny.words(), tiny.dictionary(), "ner", hidden_size=4).save(tmp_path / "tagger.pt")
    there = {"owner/tagger": str(tmp_path / "tagger.pt")}
    monkeypatch.setattr(SequenceTagger, "_fetch_model", there.__getitem__)
    assert type(load_tagger("owner/tagger")) is DATNet


def test_what_is_none_of_them_is_named(tmp_path):
    plain = SequenceTagger(tiny.words(), tiny.dictionary(), "ner", hidden_size=4)
    plain.save(tmp_path / "flair.pt")
    with pytest.raises(ModelFileError, match="holds a SequenceTagger, not a JointTagger"):
        load_tagger(tmp_path / "flair.pt")
    with pytest.raises(FileNotFoundError, match="no model file"):
        load_tagger(tmp_path / "none.pt")


def test_members_of_a_stack_that_save_no_name_come_back_with_theirs(tmp_path):
    parts = [HashEmbeddings(num_embeddings=9, embedding_length=4) for _ in range(2)]
    tagger = tiny.joint_tagger(StackedEmbeddings(parts), perturbation=1.0)
    sentences = tiny.random_titles(9)
    tagger.predict(sentences)
    tagger.save(tmp_path / "model.pt")
    again = JointTagger.load(tmp_path / "model.pt")
    assert sorted(again.input_norms) == sorted(tagger.input_norms)
    others = tiny.random_titles(9)
    again.predict(others)
    for one, two in zip(sentences, others, strict=True):
        assert tiny.labels(one, tiny.TAG_TYPE, 4) == tiny.labels(two, tiny.TAG_TYPE, 4)
