"""Tables."""

import pytest
from small_study import BAD, GOOD, made_up_results, make_study, record, settings

from flair_jointner.studies.records import append_record
from flair_jointner.studies.results import Results
from flair_jointner.studies.statistics import Gain, Interval, Summary
from flair_jointner.studies.tables import (
    accuracy_table,
    f1_table,
    gain_table,
    show_gain,
    show_p,
    show_summary,
    table,
)


@pytest.fixture
def results(tmp_path):
    return made_up_results(tmp_path)


def test_the_table_shows_percent_and_the_best_in_bold(results):
    assert f1_table(results, 40).splitlines() == [
        "|  | titles |",
        "| --- | ---: |",
        "| plain | 28.57 ± 0.00 (2) |",
        "| joint | **85.71 ± 0.00 (2)** |",
    ]
    assert f1_table(results, "all").splitlines()[2:] == ["| plain | **85.71 (1)** |"]


def test_bold_are_all_that_are_equal_over_the_same_seeds(tmp_path):
    study = make_study(tmp_path)
    for name in ("plain", "joint"):
        append_record(study, record(study, configuration=name, counts=GOOD))
    rows = f1_table(Results(study), 40).splitlines()[2:]
    assert rows == ["| plain | **85.71 (1)** |", "| joint | **85.71 (1)** |"]


def test_bold_is_not_for_fewer_seeds_however_high(results):
    append_record(results.study, record(results.study, seed=3, counts=BAD))
    again = Results(results.study)
    assert f1_table(again, 40).splitlines()[2:] == [
        "| plain | **28.57 ± 0.00 (3)** |",
        "| joint | 85.71 ± 0.00 (2) |",
    ]
    assert results.has_equal_seeds() and not again.has_equal_seeds()


def test_a_data_set_may_be_called_mean(tmp_path):
    titles = settings()["data"]["titles"]
    study = make_study(tmp_path, data={"mean": titles, "other": {**titles, "without_seen": True}})
    append_record(study, record(study, data="mean", counts=GOOD))
    append_record(study, record(study, data="other", counts=BAD))
    head, _, plain = f1_table(Results(study), 40).splitlines()
    assert head == "|  | mean | other | mean |"
    assert plain == "| plain | **85.71 (1)** | **28.57 (1)** | 57.14 |"


def test_gains_are_over_the_baseline(results):
    assert gain_table(results, 40, "plain").splitlines()[2:] == ["| joint | +57.14<br>2 seeds |"]


def test_a_bar_in_a_name_does_not_break_the_table():
    assert table(["", "a|b"], [["c", "d"]]).splitlines()[0] == "|  | a\\|b |"


def test_accuracy_is_that_of_those_that_classify(results):
    assert accuracy_table(results, 40).splitlines()[2:] == ["| joint | 75.00 ± 0.00 (2) |"]


def test_numbers_as_they_are_read():
    assert show_summary(Summary(0.61204, 0.0048, 3)) == "61.20 ± 0.48 (3)"
    assert show_p(0.0004) == "p < 0.001" and show_p(0.04) == "p = 0.040"
    gain = Gain(-0.0123, 2, Interval(-0.02, 0.001, 0.08), Interval(-1, 1, 0.5))
    over_sentences = "-1.23 [-2.00, +0.10], p = 0.080"
    assert show_gain(gain) == f"{over_sentences}<br>2 seeds [-100.00, +100.00], p = 0.500"
    one = gain._replace(seeds=1, over_seeds=None)
    assert show_gain(one) == f"{over_sentences}<br>1 seed"
    assert show_gain(one._replace(over_sentences=None)) == "-1.23<br>1 seed"
