"""A study's file: what it says, and what is wrong with it."""

import pytest
from small_study import make_study, settings, write_study

from flair_jointner.studies.config import read_study


def test_paths_are_relative_to_the_file(tmp_path):
    study = make_study(tmp_path)
    assert study.data["titles"].train == [tmp_path / "train.conll"]
    assert study.output == tmp_path / "out"


def test_defaults_are_the_papers(tmp_path):
    changes = {"training": {}, "pretraining": {}}
    study = make_study(tmp_path, **changes)
    assert study.training.trainer_arguments() == {
        "max_epochs": 100,
        "mini_batch_size": 32,
        "learning_rate": 1e-3,
        "patience": 2,
        "bfloat16": False,
        "average_weights": None,
        "least_updates": 32,
    }
    assert study.training.decay is None
    assert study.pretraining.epochs == 2
    assert study.baselines == ["plain"]


def test_numbers_without_a_point_and_no_attention_are_understood(tmp_path):
    file = write_study(tmp_path, configurations={"a": {"dropout": 0.5, "attention": "none"}})
    text = file.read_text(encoding="utf-8")
    assert "dropout: 0.5" in text
    file.write_text(text.replace("dropout: 0.5", "dropout: 5e-1"), encoding="utf-8")
    assert read_study(file).configurations["a"].tagger == {"dropout": 0.5, "attention": None}


def test_a_configuration_changes_the_training_of_the_study(tmp_path):
    configurations = {"a": {"training": {"batch_size": 8}}, "b": {}}
    study = make_study(tmp_path, configurations=configurations)
    assert study.training_of("a").batch_size == 8
    assert study.training_of("a").learning_rate == study.training_of("b").learning_rate == 0.02
    assert study.training_of("b").batch_size == 32


def test_sizes_of_a_data_set_and_of_all(tmp_path):
    data = settings()["data"]
    data["other"] = {**data["titles"], "sizes": ["all", 20]}
    study = make_study(tmp_path, data=data)
    assert study.sizes_of("titles") == [40] and study.sizes_of("other") == ["all", 20]
    assert study.all_sizes() == [20, 40, "all"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizs": [3]}, r"sizs: no such key; possible: output, seeds, sizes, data"),
        ({"seeds": [-1]}, r"seeds\.0: -1 found"),
        ({"configurations": 5}, r"configurations: 5 found"),
        (
            {"configurations": {"a": {"rnn_type": "foo"}}},
            r"configurations\.a: .*'foo'.* makes no tagger",
        ),
        (
            {"configurations": {"a": {"classifier": "pretrain", "rnn_layers": 2}}},
            r"configurations\.a: .*layers",
        ),
        ({"seeds": []}, r"seeds: \[\] found; list should have at least 1 item"),
        ({"sizes": [0]}, r"sizes\.0: 0 found; possible: a number from 1 on, or all$"),
        ({"sizes": ["alle"]}, r"sizes\.0: 'alle' found; possible: a number from 1 on, or all$"),
        ({"seeds": 3}, r"seeds: 3 found; input should be a valid list"),
        (
            {"configurations": {False: {}}},
            r"configurations.*: False found where a name is wanted; .*put the name in quotes",
        ),
        ({"baselines": []}, r"baselines: \[\] found; list should have at least 1 item"),
        ({"training": 5}, r"training: 5 found; keys with values are wanted"),
        (
            {"configurations": {"a": {"only": {"seeds": []}}}},
            r"configurations\.a\.only\.seeds: \[\] found; list should have at least 1 item",
        ),
        (
            {"sizes": ["all"], "configurations": {"a": {"add": "rest"}}},
            r"configurations\.a adds the rest of titles .* at size all",
        ),
        ({"seeds": [1, 2, 1]}, r"seeds: 1 is given more than once"),
        ({"sizes": [20, "all", 20]}, r"sizes: 20 is given more than once"),
        ({"baselines": ["plain", "plain"]}, r"baselines: 'plain' is given more than once"),
        (
            {"vectors": {"settings": {"dimension": "wide"}}},
            r"vectors: settings\.dimension: 'wide' found; input should be a valid integer",
        ),
        ({"training": {"epoch": 3}}, r"training\.epoch: no such key; possible: epochs, batch"),
        ({"training": {"batch_size": "many"}}, r"training\.batch_size: 'many' found"),
        (
            {"vectors": {"settings": {"size": 3}}},
            r"vectors: settings: 'size' found; possible: .*dim",
        ),
        ({"vectors": {"file": "none.bin"}}, r"vectors\.file: there is no .*none\.bin"),
        ({"baselines": "nobody"}, r"baselines: 'nobody' found; possible: plain, joint"),
        (
            {"configurations": {"a": {"attention": "lerned"}}},
            r"configurations\.a: Unknown attention 'lerned': choose None or one of soft",
        ),
        (
            {"configurations": {"a": {"hiden_size": 3}}},
            r"configurations\.a: the tagger: 'hiden_size' found; possible: .*hidden_size",
        ),
        (
            {"configurations": {"a": {"hidden_size": "wide"}}},
            r"configurations\.a: .*'wide'.* makes no tagger",
        ),
        (
            {"configurations": {"a": {"classifier": "yes"}}},
            r"configurations\.a\.classifier: 'yes' found; input should be 'none' or 'pretrain'",
        ),
        (
            {"configurations": {"a": {"training": {"epochs": -1}}}},
            r"configurations\.a\.training\.epochs: -1 found",
        ),
        (
            {"configurations": {"a": {"training": {"epoch": 1}}}},
            r"configurations\.a\.training: 'epoch' found; possible: epochs",
        ),
        (
            {"configurations": {"a": {"add": "less"}}},
            r"configurations\.a\.add, for titles: 'less' found; possible: more, rest",
        ),
        (
            {"configurations": {"a": {"self_training": {"add": "less"}}}},
            r"configurations\.a\.add, for titles: 'less' found",
        ),
        (
            {"configurations": {"a": {"only": {"sizes": [7]}}}},
            r"configurations\.a\.only\.sizes: 7 found; possible: 40",
        ),
        (
            {"configurations": {"a": {"mixing_rate": 0.3}}},
            r"configurations\.a: mixing_rate goes with system: datnet",
        ),
        (
            {"configurations": {"a": {"system": "datnet", "classifier": "pretrain"}}},
            r"configurations\.a: classifier goes with system: joint",
        ),
        (
            {"configurations": {"a": {"system": "datnet", "add": "more"}}},
            r"configurations\.a: add goes with system: joint",
        ),
        (
            {"vectors": {"file": "new.txt", "raw": "new.txt"}},
            r"vectors: file goes without raw, which say how vectors are trained",
        ),
        (
            {"configurations": {"a": {"system": "datnet", "share": "half"}}},
            r"configurations\.a: Unknown share 'half': choose 'full', 'part'",
        ),
        (
            {"configurations": {"a": {"system": "datnet", "attention": "soft"}}},
            r"configurations\.a: the tagger: 'attention' found; possible: .*share",
        ),
        (
            {"configurations": {"a": {"system": "datnet"}}},
            r"configurations\.a learns from a source as well, and titles has none",
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_is_possible(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        read_study(write_study(tmp_path, **changes))


def test_an_unknown_key_of_a_data_set_is_named_with_its_place(tmp_path):
    data = {"titles": {**settings()["data"]["titles"], "tast": "test.conll"}}
    with pytest.raises(
        ValueError, match=r"data\.titles\.tast: no such key; possible: train, .*, dev, test"
    ):
        read_study(write_study(tmp_path, data=data))


def test_a_configuration_that_is_run_nowhere_is_refused(tmp_path):
    data = settings()["data"]
    data["other"] = {**data["titles"], "sizes": [20]}
    rows = {"a": {"only": {"data": "other", "sizes": 40}}}
    with pytest.raises(ValueError, match=r"configurations\.a\.only: none of these data sets has"):
        read_study(write_study(tmp_path, data=data, configurations=rows))


def test_the_keys_of_a_data_set_called_like_a_section_are_its_own(tmp_path):
    data = {"training": {**settings()["data"]["titles"], "tast": "test.conll"}}
    with pytest.raises(ValueError, match=r"training\.tast: no such key; possible: .*, dev, test"):
        read_study(write_study(tmp_path, data=data))


def test_extra_files_that_do_not_exist_are_named(tmp_path):
    data = {"titles": {**settings()["data"]["titles"], "extra": {"more": "rset"}}}
    with pytest.raises(ValueError, match=r"titles\.extra\.more: there is no .*rset; or say rest$"):
        read_study(write_study(tmp_path, data=data))


def test_sections_may_be_empty_and_sizes_one(tmp_path):
    study = make_study(tmp_path, training=None, configurations={"a": None}, sizes="all")
    assert study.training.epochs == 100 and study.configurations["a"].tagger == {}
    assert study.sizes == ["all"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "output: Field required"), ("output: señor", "no YAML in UTF-8"), ("{", "no YAML")],
)
def test_a_file_that_is_no_study_is_named(tmp_path, content, message):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=rf"mine\.yaml[^$]*{message}"):
        read_study(file)


def test_an_unknown_key_of_a_source_is_named_with_what_is_possible(tmp_path):
    source = {"train": "dev.conll", "tast": "test.conll"}
    data = {"titles": {**settings()["data"]["titles"], "source": source}}
    with pytest.raises(ValueError, match=r"source\.tast: no such key; possible: train, vectors"):
        read_study(write_study(tmp_path, data=data))


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        ({"colum": 1}, r"data\.titles: Unknown option 'colum'"),
        ({"file_format": "cols"}, r"data\.titles: Unknown file_format 'cols'"),
        ({"tokenizer": "x"}, r"data\.titles: .*'x'"),
    ],
)
def test_options_of_readers_are_checked(tmp_path, reading, message):
    data = {"titles": {**settings()["data"]["titles"], "reading": reading}}
    with pytest.raises(ValueError, match=message):
        read_study(write_study(tmp_path, data=data))


def test_classes_need_a_class_type(tmp_path):
    data = {"titles": {**settings()["data"]["titles"], "class_type": None}}
    with pytest.raises(ValueError, match="joint learns classes, and titles has class_type null"):
        read_study(write_study(tmp_path, data=data))


def test_a_key_given_twice_is_refused(tmp_path):
    file = write_study(tmp_path)
    text = file.read_text("utf-8").replace("  joint:", "  plain:")
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match="'plain' is given twice, the second time in line"):
        read_study(file)


def test_merged_keys_may_be_given_anew(tmp_path):
    file = write_study(tmp_path, configurations={"a": {"ner_only": True}})
    text = file.read_text("utf-8")
    text = text[: text.index("configurations:")] + (
        "configurations:\n"
        "  a: &a {ner_only: true, attention: soft}\n"
        "  b: &b {<<: *a, attention: learned}\n"
        "  c: {<<: *b, <<: *a}\n"
    )
    file.write_text(text, "utf-8")
    found = read_study(file).configurations
    assert found["b"].ner_only and found["b"].tagger == {"attention": "learned"}
    assert found["c"].ner_only


def test_what_is_no_yaml_is_named(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text("seeds: [1", encoding="utf-8")
    with pytest.raises(ValueError, match=r"study\.yaml is no YAML"):
        read_study(file)
