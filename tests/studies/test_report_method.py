"""What a report says of how its study was run."""

import tiny
from small_study import made_up_results, make_study, record, settings

from flair_jointner.studies.records import append_record
from flair_jointner.studies.report_method import how_it_was_run
from flair_jointner.studies.results import Results


def test_it_counts_sentences_and_runs_and_shows_all_settings(tmp_path):
    lines = how_it_was_run(made_up_results(tmp_path)).splitlines()
    assert lines[0] == "## How it was run"
    assert "| titles, 40 | 40 | 30 | 2 | 0 | 4 | 2 | 2 |" in lines
    assert "| other, all | 40 | 30 | 2 | 0 | 1 | 2 | 2 |" in lines
    assert "- Versions: python 3; flair 0.15.1." in lines
    assert '| plain | `{"ner_only": true, "hidden_size": 8, "attention_heads": 2}` |' in lines


def test_epochs_and_seconds_are_means_and_all_versions_are_named(tmp_path):
    study = make_study(tmp_path)
    append_record(study, record(study, seed=1, epochs=10, seconds=4.0))
    versions = {"python": "3", "flair": "0.15.2"}
    append_record(study, record(study, seed=2, epochs=20, seconds=7.2, versions=versions))
    lines = how_it_was_run(Results(study)).splitlines()
    assert "| titles, 40 | 40 | 30 | 2 | 0 | 2 | 15 | 6 |" in lines
    assert "- Versions: python 3; flair 0.15.1, 0.15.2." in lines


def test_it_says_what_each_word_vectors_were_trained_on(tmp_path):
    tiny.write_titles(tmp_path)
    titles = settings()["data"]["titles"]
    (tmp_path / "own.bin").write_bytes(b"")
    data = {
        "titles": {**titles, "classes": {"train": "categories.txt"}},
        "bare": {**titles, "extra": {}, "vectors": {"raw": "raw.txt"}},
        "given": {**titles, "vectors": {"file": "own.bin"}},
        "transfer": {**titles, "extra": {}, "source": {"train": "dev.conll", "vectors": {}}},
    }
    (tmp_path / "raw.txt").write_text("mibal\n", encoding="utf-8")
    study = make_study(tmp_path, data=data)
    append_record(study, record(study))
    text = how_it_was_run(Results(study))
    (line,) = [line for line in text.splitlines() if line.startswith("- Word vectors: ")]
    texts = "trained on the texts of training and dev data, whatever the size"
    made = "dimension 8, epochs 2, workers 1"
    assert line == (
        f"- Word vectors: titles: {made}, {texts} and class files and extra files; "
        f"bare: defaults, {texts} and raw.txt; given: own.bin; "
        f"transfer: {made}, {texts} (the source's: trained on its own texts)."
    )
