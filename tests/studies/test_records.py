"""Results on disk."""

import json

import pytest
from small_study import make_study, record, settings

from flair_jointner.studies.grid import Run, plan
from flair_jointner.studies.records import append_record, read_records, records_file


def test_what_is_written_is_read_in_the_order_of_the_plan(tmp_path):
    study = make_study(tmp_path)
    written = [record(study, configuration=name) for name in ("joint", "plain")]
    for one in written:
        append_record(study, one)
    assert list(read_records(study).values()) == written[::-1]


def test_names_are_those_that_the_study_has_now(tmp_path):
    append_record(make_study(tmp_path), record(make_study(tmp_path)))
    configurations = settings()["configurations"]
    renamed = {"ner": configurations["plain"], "same": configurations["plain"]}
    study = make_study(tmp_path, configurations=renamed)
    found = read_records(study)
    assert list(found) == [Run("titles", 40, name, 1) for name in ("ner", "same")]
    assert [record["configuration"] for record in found.values()] == ["ner", "same"]


def test_without_a_file_there_are_none(tmp_path):
    assert read_records(make_study(tmp_path)) == {}


def test_the_last_record_of_a_run_counts_and_other_runs_do_not(tmp_path):
    study = make_study(tmp_path)
    append_record(study, record(study, error="broke"))
    append_record(study, record(study, epochs=9))
    append_record(study, {"key": "0123456789abcdef"})
    append_record(study, record(study, error="broke when it was done again for its model"))
    (found,) = read_records(study).values()
    assert found["epochs"] == 9 and "error" not in found


def test_a_torn_line_is_dropped_and_the_next_one_is_whole(tmp_path):
    study = make_study(tmp_path)
    append_record(study, record(study))
    with records_file(study).open("a") as file:
        file.write('{"key": "torn')
    assert list(read_records(study)) == [plan(study)[0]]
    append_record(study, record(study, seed=2))
    assert len(read_records(study)) == 2
    assert all(json.loads(line) for line in records_file(study).read_text().splitlines())


def test_a_whole_line_without_an_end_counts(tmp_path):
    study = make_study(tmp_path)
    append_record(study, record(study))
    file = records_file(study)
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    assert len(read_records(study)) == 1
    append_record(study, record(study, seed=2))
    assert len(read_records(study)) == 2


@pytest.mark.parametrize("line", ["nonsense", "[1]", "{}"])
def test_a_damaged_line_is_named(tmp_path, line):
    study = make_study(tmp_path)
    append_record(study, record(study))
    with records_file(study).open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ValueError, match=r"results\.jsonl, line 2 is no result"):
        read_records(study)
