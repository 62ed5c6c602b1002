"""The runs of a study and their keys."""

import pytest
from small_study import SMALL, make_study, settings

from flair_jointner.data.segmenter import TRANSITIONS, save_segmenter
from flair_jointner.studies.grid import (
    Run,
    classifier_key,
    content,
    plan,
    run_key,
    source_words,
    words_of,
)


def test_the_plan_is_the_product_seed_by_seed(tmp_path):
    study = make_study(tmp_path, sizes=[20, 40])
    assert plan(study) == [
        Run("titles", size, name, seed)
        for seed in (1, 2)
        for size in (20, 40)
        for name in ("plain", "joint")
    ]


def test_only_limits_a_configuration(tmp_path):
    configurations = {"a": {}, "b": {"only": {"seeds": [2], "sizes": [20]}}}
    study = make_study(tmp_path, sizes=[20, 40], configurations=configurations)
    assert [run for run in plan(study) if run.configuration == "b"] == [Run("titles", 20, "b", 2)]


def keys(study):
    return [run_key(study, run) for run in plan(study)]


def test_keys_differ_and_stay(tmp_path):
    study = make_study(tmp_path)
    assert len(set(keys(study))) == 4
    assert keys(make_study(tmp_path)) == keys(study)


def test_a_key_changes_with_all_that_decides_the_result(tmp_path):
    before = keys(make_study(tmp_path))
    changes = [
        {"training": {"epochs": 3, "learning_rate": 0.02}},
        {"subset_seed": 2},
        {"vectors": {"settings": {"dimension": 9, "epochs": 2}}},
        {"configurations": {"plain": {**SMALL, "ner_only": True, "dropout": 0.5}, "joint": SMALL}},
    ]
    for change in changes:
        assert not set(keys(make_study(tmp_path, **change))) & set(before)


def test_pretraining_changes_only_the_runs_that_start_from_it(tmp_path):
    before = keys(make_study(tmp_path))
    after = keys(make_study(tmp_path, pretraining={"epochs": 5}))
    assert before[0] == after[0] and before[1] != after[1]


def test_a_key_changes_with_what_a_file_holds_and_not_with_where_it_lies(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    one, moved, changed = (make_study(tmp_path / name) for name in "abc")
    file = tmp_path / "c/train.conll"
    file.write_text(file.read_text() + "\n\nextra\tO\n", encoding="utf-8")
    assert keys(one) == keys(moved)
    assert not set(keys(one)) & set(keys(changed))


def test_a_key_changes_with_what_a_segmenter_holds_and_not_with_where_it_lies(tmp_path):
    pytest.importorskip("pythainlp", reason="the extra [thai] is not installed")
    found = []
    for name, weight in (("a", 1.0), ("b", 1.0), ("c", 2.0)):
        folder = tmp_path / name
        save_segmenter(folder / "words.json", {"x": weight}, dict.fromkeys(TRANSITIONS, 0.0))
        titles = settings()["data"]["titles"]
        data = {"titles": {**titles, "reading": {"tokenizer": "segmenter:words.json"}}}
        study = make_study(folder, data=data)
        assert study.data["titles"].segmenter == folder / "words.json"
        found.append((keys(study), words_of(study, "titles").key))
    one, moved, changed = found
    assert one == moved
    assert one[1] != changed[1] and not set(one[0]) & set(changed[0])


def test_other_files_in_a_folder_of_slots_do_not_count(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        for file in ("label", "seq.in", "seq.out"):
            (tmp_path / name / file).write_text(f"{file}\n", encoding="utf-8")
    (tmp_path / "other" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "other" / "README").touch()
    assert content([tmp_path / "one"]) == content([tmp_path / "other"])


def test_a_value_that_is_the_default_does_not_change_a_key(tmp_path):
    configurations = settings()["configurations"]
    before = keys(make_study(tmp_path))
    configurations["plain"]["add"] = []
    training = {**settings()["training"], "bad_epochs": 3}
    assert keys(make_study(tmp_path, configurations=configurations, training=training)) == before


def test_a_classifier_is_shared_by_configurations_with_the_same_encoder(tmp_path):
    pre = {"classifier": "pretrain"}
    configurations = {
        "a": {**pre, **SMALL},
        "b": {**pre, **SMALL, "attention": "soft"},
        "c": {**pre, "hidden_size": 6},
        "d": {**pre, **SMALL, "characters": True},
    }
    study = make_study(tmp_path, configurations=configurations)
    a, b, c, d = (classifier_key(study, "titles", name) for name in "abcd")
    assert a == b
    assert len({a, c, d}) == 3


def test_word_vectors_never_see_the_test_data(tmp_path):
    classes = {"train": "categories.txt"}
    data = {"titles": {**settings()["data"]["titles"], "classes": classes, "extra": {}}}
    vectors = {"texts": "new.txt"}
    study = make_study(tmp_path, data=data, vectors=vectors)
    assert names_of(words_of(study, "titles")) == [
        ["train.conll", "dev.conll", "categories.txt", "new.txt"]
    ]
    extra = make_study(tmp_path)
    assert names_of(words_of(extra, "titles")) == [["train.conll", "dev.conll", "categories.txt"]]
    raw = make_study(tmp_path, data=data, vectors={**vectors, "raw": "new.txt"})
    assert words_of(raw, "titles").key != words_of(study, "titles").key
    given = make_study(tmp_path, vectors={"file": "new.txt"})
    assert words_of(given, "titles").key != words_of(study, "titles").key


def names_of(words):
    """The names of the files that word vectors are trained on, by what reads them."""
    return [[file.name for file in files] for _, files in words.texts]


def with_source(folder, **source):
    titles = {**settings()["data"]["titles"], "extra": {}}
    titles["source"] = {"train": "test.conll", **source}
    small = {"hidden_size": 8}
    rows = {"base": {"ner_only": True, **small}, "datnet": {"system": "datnet", **small}}
    return make_study(folder, data={"titles": titles}, configurations=rows)


def test_a_source_has_word_vectors_of_its_own_or_a_part_in_the_others(tmp_path):
    shared = with_source(tmp_path)
    assert source_words(shared.data["titles"]) is None
    assert names_of(words_of(shared, "titles")) == [["train.conll", "dev.conll"], ["test.conll"]]
    apart = with_source(tmp_path, vectors={"texts": "new.txt"})
    own = source_words(apart.data["titles"])
    assert own is not None and names_of(own) == [["test.conll", "new.txt"]]
    assert names_of(words_of(apart, "titles")) == [["train.conll", "dev.conll"]]
    assert len({own.key, words_of(apart, "titles").key, words_of(shared, "titles").key}) == 3


def test_a_change_of_the_source_changes_the_keys_of_those_that_learn_from_it(tmp_path):
    def by_name(study):
        return {run.configuration: run_key(study, run) for run in plan(study)}

    vectors = {"settings": {"dimension": 8}}
    before = by_name(with_source(tmp_path, vectors=vectors))
    other = by_name(with_source(tmp_path, vectors=vectors, train="train.conll"))
    read = by_name(with_source(tmp_path, vectors=vectors, reading={"scheme": "BIO"}))
    trained = by_name(with_source(tmp_path, vectors={"settings": {"dimension": 9}}))
    assert before["base"] == other["base"] == read["base"] == trained["base"]
    assert len({found["datnet"] for found in (before, other, read, trained)}) == 4
