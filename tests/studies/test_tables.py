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
    study = make_study(tmp_path, data=data)
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


def test_gains_are_over_the_baseline(results):
    lines = gain_table(results, 40, "plain").splitlines()
    assert len(lines) == 3 and lines[2].startswith("| joint | +57.14 [")


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
    assert show_gain(gain) == "-1.23 [-2.00, +0.10], p = 0.080; seeds p = 0.500"
    assert show_gain(gain._replace(over_seeds=None)).endswith("p = 0.080")


def test_a_study_of_failed_runs_alone_says_so(tmp_path):
    study = make_study(tmp_path)
    append_record(study, record(study, error="KeyError: 3"))
    with pytest.raises(ValueError, match="All 1 runs failed, the first with: KeyError: 3.*--retry"):
        Results(study)


def test_a_study_without_a_result_has_no_table(tmp_path):
    study = make_study(tmp_path)
    with pytest.raises(ValueError, match="No run of this study is finished"):
        Results(study)
