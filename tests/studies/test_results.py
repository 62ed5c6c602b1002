"""Cells of the grid, and which configuration is the best."""

import pytest
from small_study import BAD, GOOD, made_up_results, make_study, record, settings

from flair_jointner.studies.records import append_record
from flair_jointner.studies.results import Results


@pytest.fixture
def results(tmp_path):
    return made_up_results(tmp_path)


def test_cells_hold_the_runs_by_seed(results):
    assert [r["seed"] for r in results.cell("titles", 40, "joint")] == [1, 2]
    assert results.cell("other", "all", "joint") == []
    assert results.places == [("titles", 40), ("other", "all")]
    assert [record["error"] for record in results.failed] == ["Boom: no"]


def test_the_best_is_chosen_on_dev_data(results):
    assert results.best("titles", 40) == "plain"  # worse on the test data
    assert results.f1("titles", 40, "joint").mean > results.f1("titles", 40, "plain").mean
    assert results.best("other", "all") == "plain"


def test_what_is_to_have_fewer_seeds_is_compared_over_those(tmp_path):
    fewer = {**settings()["configurations"]["joint"], "only": {"seeds": [1, 2]}}
    plain = settings()["configurations"]["plain"]
    study = make_study(tmp_path, seeds=[1, 2, 3], configurations={"plain": plain, "joint": fewer})
    for seed, counts, dev_f1 in ((1, BAD, 0.5), (2, BAD, 0.5), (3, GOOD, 1.0)):
        append_record(study, record(study, seed=seed, counts=counts, dev_f1=dev_f1))
    joint = {"configuration": "joint", "counts": [[1, 1, 0], [1, 0, 1]], "dev_f1": 0.6}
    append_record(study, record(study, seed=1, **joint))
    assert Results(study).compared("titles", 40, "dev") == {"plain": pytest.approx(2 / 3)}
    append_record(study, record(study, seed=2, **joint))
    results = Results(study)
    assert results.compared("titles", 40, "dev") == {"plain": 0.5, "joint": pytest.approx(0.6)}
    assert results.best("titles", 40) == results.best_overall(40) == "joint"
    assert results.f1("titles", 40, "plain", "dev").mean > 0.6


def test_an_unfinished_configuration_is_compared_over_the_seeds_of_the_finished_ones(tmp_path):
    plain, joint = settings()["configurations"].values()
    once = {**plain, "hidden_size": 4, "only": {"seeds": [1]}}
    configurations = {"plain": plain, "joint": joint, "once": once}
    study = make_study(tmp_path, seeds=[1, 2, 3], configurations=configurations)
    for seed in (1, 2, 3):
        append_record(study, record(study, seed=seed, dev_f1=0.5))
    append_record(study, record(study, configuration="joint", dev_f1=0.9))  # the first of three
    assert Results(study).best("titles", 40) == "plain"
    append_record(study, record(study, configuration="once", dev_f1=0.4))
    found = Results(study).compared("titles", 40, "dev")
    assert found == {"plain": 0.5, "joint": pytest.approx(0.9), "once": pytest.approx(0.4)}


def test_a_seed_more_of_others_leaves_no_configuration_out(tmp_path):
    plain, joint = settings()["configurations"].values()
    few = {**plain, "hidden_size": 4, "only": {"seeds": [1, 2]}}
    configurations = {"plain": plain, "joint": joint, "few": few}
    study = make_study(tmp_path, seeds=[1, 2, 3, 4], configurations=configurations)
    for seed in (1, 2):
        for name, dev_f1 in (("plain", 0.5), ("joint", 0.9), ("few", 0.6)):
            append_record(study, record(study, configuration=name, seed=seed, dev_f1=dev_f1))
    append_record(study, record(study, seed=3, dev_f1=0.5))
    append_record(study, record(study, configuration="joint", seed=3, error="killed"))
    assert Results(study).best("titles", 40) == "joint"
    assert len(Results(study).compared("titles", 40, "dev")) == 3


def test_other_seeds_do_not_compare(tmp_path):
    plain, joint = settings()["configurations"].values()
    configurations = {
        "plain": {**plain, "only": {"seeds": [1, 2]}},
        "joint": {**joint, "only": {"seeds": [3]}},
    }
    study = make_study(tmp_path, seeds=[1, 2, 3], configurations=configurations)
    for seed in (1, 2):
        append_record(study, record(study, seed=seed, dev_f1=0.5))
    append_record(study, record(study, configuration="joint", seed=3, dev_f1=0.9))
    assert Results(study).compared("titles", 40, "dev") == {"plain": 0.5}


def test_the_best_overall_has_runs_on_all_data_sets(tmp_path):
    data = settings()["data"]
    data["other"] = {**data["titles"], "without_seen": True}
    study = make_study(tmp_path, data=data)
    append_record(study, record(study, dev_f1=0.2))
    append_record(study, record(study, configuration="joint", dev_f1=0.9))
    assert Results(study).best_overall(40) == "joint"
    append_record(study, record(study, data="other", counts=GOOD, dev_f1=0.4))
    results = Results(study)
    assert results.best_overall(40) == "plain"
    assert results.mean_f1(40, "plain", "dev") == pytest.approx(0.3)
    assert results.mean_f1(40, "joint") is None
    assert results.mean_f1(40, "plain") == pytest.approx(0.8036, abs=1e-4)
    append_record(study, record(study, data="other", configuration="joint", dev_f1=0.1))
    assert Results(study).best_overall(40) == "joint"


def test_a_study_of_failed_runs_alone_says_so(tmp_path):
    study = make_study(tmp_path)
    append_record(study, record(study, error="KeyError: 3"))
    with pytest.raises(ValueError, match="All 1 runs failed, the first with: KeyError: 3.*--retry"):
        Results(study)


def test_a_study_without_a_result_has_no_table(tmp_path):
    study = make_study(tmp_path)
    with pytest.raises(ValueError, match="No run of this study is finished"):
        Results(study)
