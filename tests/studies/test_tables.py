"""Cells and tables."""

import pytest
from small_study import make_study, record, settings

from flair_jointner.studies.records import append_record
from flair_jointner.studies.statistics import Gain, Interval, Summary
from flair_jointner.studies.tables import (
    Results,
    accuracy_table,
    f1_table,
    gain_table,
    show_gain,
    show_p,
    show_summary,
    table,
)

GOOD, BAD = [[2, 0, 0], [1, 0, 1]], [[1, 1, 1], [0, 1, 2]]


@pytest.fixture
def results(tmp_path):
    data = settings()["data"]
    data["other"] = {**data["titles"], "sizes": ["all"]}
    study = make_study(tmp_path, data=data, seeds=[1, 2, 3])
    for seed in (1, 2):
        append_record(study, record(study, seed=seed, counts=BAD, dev_f1=0.9))
        append_record(
            study,
            record(study, configuration="joint", seed=seed, counts=GOOD, dev_f1=0.8, accuracy=0.75),
        )
    append_record(study, record(study, data="other", size="all", counts=GOOD))
    append_record(study, record(study, data="other", size="all", seed=2, error="Boom: no"))
    return Results(study)


def test_cells_hold_the_runs_by_seed(results):
    assert [r["seed"] for r in results.cell("titles", 40, "joint")] == [1, 2]
    assert results.cell("other", "all", "joint") == []
    assert results.places == [("titles", 40), ("other", "all")]
    assert [record["error"] for record in results.failed] == ["Boom: no"]


def test_the_best_is_chosen_on_dev_data(results):
    assert results.best("titles", 40) == "plain"  # worse on the test data
    assert results.f1("titles", 40, "joint").mean > results.f1("titles", 40, "plain").mean
    assert results.best("other", "all") == "plain"


def test_the_table_shows_percent_and_the_best_in_bold(results):
    assert f1_table(results, 40).splitlines() == [
        "|  | titles |",
        "| --- | ---: |",
        "| plain | 28.57 ± 0.00 (2) |",
        "| joint | **85.71 ± 0.00 (2)** |",
    ]
    assert f1_table(results, "all").splitlines()[2:] == ["| plain | **85.71 (1)** |"]


def test_bold_is_not_for_fewer_seeds_however_high(results):
    append_record(results.study, record(results.study, seed=3, counts=BAD))
    again = Results(results.study)
    assert f1_table(again, 40).splitlines()[2:] == [
        "| plain | **28.57 ± 0.00 (3)** |",
        "| joint | 85.71 ± 0.00 (2) |",
    ]
    assert results.has_equal_seeds() and not again.has_equal_seeds()


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
    assert f1_table(results, 40).splitlines()[3] == "| joint | **66.67 ± 0.00 (2)** |"


def test_a_data_set_may_be_called_mean(tmp_path):
    titles = settings()["data"]["titles"]
    study = make_study(tmp_path, data={"mean": titles, "other": {**titles, "without_seen": True}})
    append_record(study, record(study, data="mean", counts=GOOD))
    append_record(study, record(study, data="other", counts=BAD))
    head, _, plain = f1_table(Results(study), 40).splitlines()
    assert head == "|  | mean | other | mean |"
    assert plain == "| plain | **85.71 (1)** | **28.57 (1)** | 57.14 |"


def test_gains_are_over_the_baseline(results):
    assert gain_table(results, 40, "plain").splitlines()[2:] == ["| joint | +57.14; 2 seeds |"]


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
    assert f1_table(results, 40).splitlines()[2].endswith("| 80.36 |")
    append_record(study, record(study, data="other", configuration="joint", dev_f1=0.1))
    assert Results(study).best_overall(40) == "joint"


def test_a_bar_in_a_name_does_not_break_the_table():
    assert table(["", "a|b"], [["c", "d"]]).splitlines()[0] == "|  | a\\|b |"


def test_accuracy_is_that_of_those_that_classify(results):
    assert accuracy_table(results, 40).splitlines()[2:] == ["| joint | 75.00 ± 0.00 (2) |"]


def test_numbers_as_they_are_read():
    assert show_summary(Summary(0.61204, 0.0048, 3)) == "61.20 ± 0.48 (3)"
    assert show_p(0.0004) == "p < 0.001" and show_p(0.04) == "p = 0.040"
    gain = Gain(-0.0123, 2, Interval(-0.02, 0.001, 0.08), Interval(-1, 1, 0.5))
    over_sentences = "-1.23 [-2.00, +0.10], p = 0.080"
    assert show_gain(gain) == f"{over_sentences}; 2 seeds [-100.00, +100.00], p = 0.500"
    one = gain._replace(seeds=1, over_seeds=None)
    assert show_gain(one) == f"{over_sentences}; 1 seed"
    assert show_gain(one._replace(over_sentences=None)) == "-1.23; 1 seed"


def test_a_study_of_failed_runs_alone_says_so(tmp_path):
    study = make_study(tmp_path)
    append_record(study, record(study, error="KeyError: 3"))
    with pytest.raises(ValueError, match="All 1 runs failed, the first with: KeyError: 3.*--retry"):
        Results(study)


def test_a_study_without_a_result_has_no_table(tmp_path):
    study = make_study(tmp_path)
    with pytest.raises(ValueError, match="No run of this study is finished"):
        Results(study)
