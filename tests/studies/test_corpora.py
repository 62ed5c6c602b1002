"""The sentences of a run."""

import pytest
import tiny
from small_study import make_study, settings

from flair_jointner.data import is_annotated
from flair_jointner.studies.configuration import Configuration
from flair_jointner.studies.corpora import draw, read_raw, read_run


def read(study, size, **configuration):
    return read_run(study.data["titles"], size, Configuration(**configuration), study.subset_seed)


def texts(sentences):
    return [sentence.to_plain_string() for sentence in sentences]


def test_smaller_sets_lie_within_larger_ones():
    sentences = tiny.random_titles(50)
    parts = [draw(sentences, size, seed=3) for size in (5, 20, 49, "all")]
    chosen = [[id(s) for s in part] for part, _ in parts]
    assert [len(part) for part in chosen] == [5, 20, 49, 50]
    for smaller, larger in zip(chosen[:-1], chosen[1:], strict=True):
        assert set(smaller) < set(larger)
    for part, rest in parts:
        assert sorted(map(id, [*part, *rest])) == sorted(map(id, sentences))
    assert chosen[0] != [id(s) for s in draw(sentences, 5, seed=4)[0]]


def test_more_than_there_are_cannot_be_drawn():
    with pytest.raises(ValueError, match="size 8 is wanted, and there are 7"):
        draw(tiny.random_titles(7), 8, seed=1)


def test_the_splits_are_those_of_the_files(tmp_path):
    splits = read(make_study(tmp_path), 40)
    assert [len(part) for part in splits] == [40, 30, 30, 0, 0]
    assert all(s.get_labels("category") for s in splits.train)


def test_ner_only_reads_no_class(tmp_path):
    assert not any(
        s.get_labels("category") for s in read(make_study(tmp_path), 40, ner_only=True).train
    )


def test_what_is_added_carries_no_entities(tmp_path):
    study = make_study(tmp_path)
    splits = read(study, 40, add=["more", "rest"], self_training={"add": "rest"})
    added = splits.train[40:]
    assert len(added) == 160 + 60 and len(splits.unlabelled) == 60
    assert not any(is_annotated(s, "ner") or s.get_labels("ner") for s in added)
    assert all(s.get_labels("category") for s in added)
    assert set(texts(added[160:])) == set(texts(splits.unlabelled))
    assert all(is_annotated(s, "ner") for s in splits.train[:40])


def test_a_dictionary_of_the_runs_own_training_sentences_labels_more(tmp_path):
    study = make_study(tmp_path)
    augmentation = {"add": "more", "min_share": 0.5}
    splits = read(study, 5, ner_only=True, augmentation=augmentation)
    known = {
        label.data_point.text: label.value
        for s in splits.train[:5]
        for label in s.get_labels("ner")
    }
    made = splits.train[5:]
    assert made and all(is_annotated(s, "ner") for s in made)
    for sentence in made:
        found = {label.data_point.text: label.value for label in sentence.get_labels("ner")}
        assert found and found.items() <= known.items()
        assert not sentence.get_labels("category")
    assert not set(texts(made)) & set(texts(splits.train[:5]))
    fewer = read(study, 5, augmentation={**augmentation, "limit": 7})
    assert len(fewer.train) == 12
    assert all(s.get_labels("category") for s in fewer.train)


def test_test_sentences_that_occur_in_train_are_left_out(tmp_path):
    tiny.write_titles(tmp_path)
    train, test = tmp_path / "train.conll", tmp_path / "test.conll"
    block = train.read_text().split("\n\n")[0]
    test.write_text(f"{test.read_text()}\n{block}\n", encoding="utf-8")
    data = settings()["data"]
    before = read(make_study(tmp_path), "all")
    data["titles"]["without_seen"] = True
    after = read(make_study(tmp_path, data=data), 20)
    assert len(before.test) == 31
    seen = set(texts(before.train))
    assert texts(after.test) == [text for text in texts(before.test) if text not in seen]
    assert len(after.test) < 31


def test_a_tokenizer_is_named(tmp_path):
    data = settings()["data"]
    data["titles"]["reading"] = {"tokenizer": "segtok"}
    splits = read(make_study(tmp_path, data=data), 40, add=["more"])
    assert len(splits.train) == 200


def test_raw_text_is_read_as_the_data_set_says(tmp_path):
    (tmp_path / "raw.txt").write_bytes("señor, si\n".encode("latin-1"))
    reading = {"encoding": "latin-1", "tokenizer": "space"}
    data = {"titles": {**settings()["data"]["titles"], "reading": reading}}
    study = make_study(tmp_path, data=data)
    assert read_raw(study.data["titles"], [tmp_path / "raw.txt"]) == [["señor,", "si"]]
    plain = make_study(tmp_path)
    with pytest.raises(ValueError, match=r"raw\.txt, line 1: .* F1"):
        read_raw(plain.data["titles"], [tmp_path / "raw.txt"])
