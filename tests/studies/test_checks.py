"""What the data lack is said before anything runs."""

import pytest
import tiny
from small_study import SMALL, make_study, settings

from flair_jointner.studies.checks import check_data
from flair_jointner.studies.corpora import read_run
from flair_jointner.studies.grid import words_of
from flair_jointner.studies.pieces import make_vectors


def check(tmp_path, data=None, configurations=None, **changes):
    found = {"titles": {**settings()["data"]["titles"], **(data or {})}}
    if configurations is not None:
        changes["configurations"] = configurations
    check_data(make_study(tmp_path, data=found, **changes))


def test_data_that_hold_everything_pass(tmp_path):
    check(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": [101, 20]}, "size 101 is wanted, and train has 100 sentences"),
        ({"data": {"tag_type": "pos", "dev": "categories.txt"}}, "dev has no entity of type 'pos'"),
        ({"data": {"dev": "empty.conll"}}, r"data\.titles: .*empty\.conll"),
        ({"data": {"train": "unclassed.conll"}, "sizes": ["all"]}, "train has 0 classes of type"),
        ({"sizes": [1, 20]}, "train drawn at size 1 has 1 classes of type 'category', and two"),
        (
            {"data": {"test": "train.conll", "without_seen": True}},
            "test without the sentences that occur in train has no entity",
        ),
        ({"data": {"extra": {"more": "latin.txt"}}}, r"latin\.txt, line 1: .* F1"),
        ({"data": {"classes": {"train": "categories.txt", "dev": "one.txt"}}}, r"one\.txt has 1"),
        ({"vectors": {"file": "one.txt"}}, r"one\.txt"),
        (
            {"data": {"classes": {"train": "one.txt"}}},
            r"one\.txt has 1 classes of type 'category', and two are needed; label types found",
        ),
        ({"data": {"reading": {"encoding": "utf-99"}}}, "utf-99"),
        (
            {
                "data": {"extra": {"more": "test.conll"}},
                "configurations": {"a": {"self_training": {"add": "more"}}},
            },
            r"extra\.more, which a configuration shall annotate, is annotated: name it under add",
        ),
        (
            {
                "data": {"extra": {"more": "test.conll"}},
                "configurations": {"a": {"augmentation": {"add": "more"}}},
            },
            r"extra\.more, which a configuration shall annotate, is annotated",
        ),
        ({"output": "one.txt"}, r"output: .*one\.txt is a file: name a folder"),
    ],
)
def test_what_is_missing_is_named_with_its_data_set(tmp_path, changes, message):
    tiny.write_titles(tmp_path)
    (tmp_path / "empty.conll").write_text("", encoding="utf-8")
    (tmp_path / "unclassed.conll").write_text("mibal\tB-COLOUR\n", encoding="utf-8")
    (tmp_path / "one.txt").write_text("__label__x mibal\n", encoding="utf-8")
    (tmp_path / "latin.txt").write_bytes("__label__x señor\n".encode("latin-1"))
    with pytest.raises(ValueError, match=message):
        check(tmp_path, **changes)


def test_classes_are_needed_by_those_that_learn_them_only(tmp_path):
    tiny.write_titles(tmp_path)
    (tmp_path / "unclassed.conll").write_text("mibal\tB-COLOUR\n", encoding="utf-8")
    plain = {"plain": {"ner_only": True, **SMALL}}
    check(tmp_path, {"train": "unclassed.conll"}, plain, sizes=["all"])


def test_sentences_with_a_class_alone_teach_no_tagger_without_classes(tmp_path):
    rows = {"plain": {"ner_only": True, "add": "more", **SMALL}}
    with pytest.raises(ValueError, match=r"extra\.more, from which a configuration with ner_only"):
        check(tmp_path, configurations=rows)


def test_data_without_classes_may_have_comments_and_class_files(tmp_path):
    study = make_study(
        tmp_path,
        data={"titles": {**settings()["data"]["titles"], "class_type": None}},
        configurations={"more": {"ner_only": True, "self_training": {"add": "more"}, **SMALL}},
    )
    assert "# category = " in (tmp_path / "train.conll").read_text("utf-8")
    check_data(study)
    make_vectors(study, words_of(study, "titles"))
    splits = read_run(study.data["titles"], 40, study.configurations["more"], study.subset_seed)
    assert len(splits.unlabelled) == 160
    assert not any(s.get_labels("category") for part in splits for s in part)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": {"train": "dev.conll", "vectors": {}}}, "have 8 dimensions and .* 300: give"),
        (
            {"vectors": {"texts": "new.txt"}},
            r"data\.titles: .*new\.txt.*; plain text goes under raw",
        ),
        ({"vectors": {"raw": "latin.txt"}}, r"data\.titles: .*latin\.txt, line 1: .* F1"),
    ],
)
def test_word_vectors_that_cannot_be_made_are_named(tmp_path, changes, message):
    tiny.write_titles(tmp_path)
    (tmp_path / "latin.txt").write_bytes("señor".encode("latin-1"))
    rows = {"plain": {"ner_only": True, **SMALL}}
    if "source" in changes:
        rows["datnet"] = {"system": "datnet", "hidden_size": 8}
    with pytest.raises(ValueError, match=message):
        check(tmp_path, changes, rows)


def test_a_source_needs_entities(tmp_path):
    (tmp_path / "source.conll").write_text("mibal\tO\n", encoding="utf-8")
    data = {"titles": {**settings()["data"]["titles"], "source": {"train": "source.conll"}}}
    rows = {"datnet": {"system": "datnet", "hidden_size": 8}}
    study = make_study(tmp_path, data=data, configurations=rows)
    with pytest.raises(ValueError, match=r"data\.titles: source has no entity of type 'ner'"):
        check_data(study)
