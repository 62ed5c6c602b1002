"""Studies from the file to the results, in processes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import tiny
import torch
from click.testing import CliRunner
from filelock import FileLock
from small_study import SMALL, make_study, settings, whereabouts, write_study

from flair_jointner import JointTagger
from flair_jointner.cli.main import main
from flair_jointner.models import CharacterCNNEmbeddings, load_tagger
from flair_jointner.studies import processes
from flair_jointner.studies.grid import plan, run_key
from flair_jointner.studies.processes import Processes, Task, _signals_wait
from flair_jointner.studies.records import is_done, read_records, records_file, run_folder
from flair_jointner.studies.runner import run_study

COMMAND = [sys.executable, "-c", "from flair_jointner.cli.main import main; main()", "study"]


def jointner(*arguments):
    return CliRunner().invoke(main, ["study", *map(str, arguments)])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study that has been run with two jobs."""
    study = make_study(tmp_path_factory.mktemp("study"))
    assert run_study(study, jobs=2) == 0
    return study


def test_each_run_leaves_a_record_with_all_that_a_report_needs(finished):
    records = list(read_records(finished).values())
    assert [(r["configuration"], r["seed"]) for r in records] == [
        (run.configuration, run.seed) for run in plan(finished)
    ]
    for record in records:
        assert record["epochs"] == len(record["dev_curve"]) == 2
        assert record["dev"]["f1"] == pytest.approx(max(record["dev_curve"]))
        sizes = {"train": 40, "dev": 30, "test": 30, "unlabelled": 0, "source": 0}
        assert record["sentences"] == sizes
        assert len(record["test"]["counts"]) == 30
        assert (record["test"]["accuracy"] is None) == (record["configuration"] == "plain")
        assert record["versions"]["flair"] and record["versions"]["device"]
        assert record["seconds"] > record["training_seconds"] > 0
        assert record["settings"]["training"]["learning_rate"] == 0.02


def test_vectors_and_classifier_are_made_once_and_models_are_not_kept(finished):
    made = [path.name for path in finished.output.rglob("*") if path.suffix in (".bin", ".pt")]
    assert sorted(name.split(".")[1] for name in made) == ["bin", "pt"]
    assert list((finished.output / "runs").iterdir()) == []


def test_a_finished_study_runs_nothing_again(finished):
    before = records_file(finished).read_bytes()
    assert run_study(finished) == 0
    assert records_file(finished).read_bytes() == before


def test_a_run_gives_the_same_whatever_runs_beside_it(finished, tmp_path):
    alone = make_study(tmp_path, seeds=[2])
    run_study(alone, jobs=2)
    found = read_records(alone)
    for run, record in read_records(finished).items():
        if run.seed == 2:
            assert found[run]["test"] == record["test"]
    assert len(found) == 2


def test_a_run_that_fails_is_recorded_and_the_others_go_on(tmp_path):
    data = settings()["data"]
    rare = {"dimension": 8, "epochs": 1, "min_count": 1000}
    data["broken"] = {**data["titles"], "vectors": {"settings": rare}}
    study = make_study(tmp_path, data=data, seeds=[1])
    blocked = study.output / "runs" / run_key(study, plan(study)[0])
    blocked.parent.mkdir(parents=True)
    blocked.write_text("in the way", encoding="utf-8")
    assert run_study(study, jobs=2) == 3
    records = list(read_records(study).values())
    assert ["error" in record for record in records] == [True, False, True, True]
    assert str(blocked) in records[0]["error"]
    for record in records[2:]:  # what a run needs and cannot have
        assert record["error"].startswith("Word vectors of broken failed")
    result = jointner(tmp_path / "study.yaml")  # not done again
    assert result.exit_code == 1 and "4 runs, 3 failed" in result.stdout
    assert len(records_file(study).read_text().splitlines()) == 4
    blocked.unlink()
    assert run_study(study, retry=True) == 2
    assert len(records_file(study).read_text().splitlines()) == 7


def test_two_studies_do_not_run_in_one_folder(finished):
    with FileLock(finished.output / "lock"), pytest.raises(ValueError, match="A study is running"):
        run_study(finished)


def test_extra_sentences_and_self_training_reach_the_tagger(tmp_path):
    configurations = {
        "added": {**SMALL, "add": ["more", "rest"]},
        "self": {**SMALL, "self_training": {"add": "rest", "confidence": 0.3}},
    }
    study = make_study(tmp_path, configurations=configurations, seeds=[1], keep_models=True)
    assert run_study(study) == 0
    added, taught = read_records(study).values()
    assert added["sentences"]["train"] == 40 + 160 + 60
    assert taught["sentences"]["unlabelled"] == 60
    assert is_done(study, added) and is_done(study, taught)
    folder = study.output / "runs" / taught["key"]
    assert (folder / "round-1/best-model.pt").exists()
    model = JointTagger.load(study.output / "runs" / added["key"] / "best-model.pt")
    assert model.classes and set(model.classes) == set(tiny.CLASSES)


def test_datnet_learns_from_its_source(tmp_path):
    base = {"ner_only": True, "characters": True, "hidden_size": 8, "perturbation": 1.0}
    transfer = {"system": "datnet", "hidden_size": 8, "mixing_rate": 0.3}
    tiny.write_titles(tmp_path)
    titles = {**settings()["data"]["titles"], "extra": {}, "sizes": [10]}
    own = {"settings": {"dimension": 8, "epochs": 1, "workers": 1}}
    apart = {**titles, "source": {"train": "test.conll", "vectors": own}}
    shared = {**titles, "source": {"train": "test.conll"}}
    study = make_study(
        tmp_path,
        data={"apart": apart, "shared": shared},
        configurations={"base": base, "part": {**transfer, "share": "part"}},
        training={"epochs": 2, "decay": 0.05},
        seeds=[1],
        keep_models=True,
    )
    assert run_study(study) == 0
    models = {}
    for record in read_records(study).values():
        learns = record["configuration"] == "part"
        assert record["sentences"]["source"] == (30 if learns else 0)
        assert record["sentences"]["train"] == 10
        model = load_tagger(study.output / "runs" / record["key"] / "best-model.pt")
        models[record["data"], record["configuration"]] = model
    assert models["apart", "part"].source_embeddings is not None
    assert models["shared", "part"].source_embeddings is None
    for (_, name), model in models.items():
        characters = [m for m in model.modules() if isinstance(m, CharacterCNNEmbeddings)]
        assert len(characters) == 1
        assert model.perturbation == (1.0 if name == "base" else None)


def test_the_command_lists_runs_and_reports(finished, tmp_path):
    config = finished.output.parent / "study.yaml"
    assert jointner(config, "--dry-run").stdout.splitlines() == [
        f"done   titles, 40 sentences, {name}, seed {seed}"
        for seed in (1, 2)
        for name in ("plain", "joint")
    ]
    result = jointner(config, "--report")
    assert result.exit_code == 0, result.output
    report = finished.output / "report.md"
    assert "Gain over plain, 40 training sentences" in report.read_text(encoding="utf-8")
    elsewhere = jointner(config, "--output", tmp_path / "none", "--dry-run").stdout
    assert elsewhere.startswith("to do  titles")
    result = jointner(config, "--output", tmp_path / "none", "--report", tmp_path / "x.md")
    assert result.exit_code == 2 and "No run of this study is finished" in result.output


@pytest.mark.parametrize(
    ("jobs", "allowed", "threads"), [(1, 1, 1), (1, 2, 2), (2, 8, 2), (9, 1, 1)]
)
def test_threads_are_divided_and_no_more_than_allowed(
    tmp_path, monkeypatch, jobs, allowed, threads
):
    monkeypatch.setattr(processes, "_available_cores", lambda: 4)
    monkeypatch.setattr(torch, "get_num_threads", lambda: allowed)
    with Processes(tmp_path / "logs", jobs) as made:
        assert made.threads == threads


@pytest.mark.parametrize(("gpu", "kind"), [(False, "ForkServerProcess"), (True, "SpawnProcess")])
def test_beside_a_gpu_no_process_is_forked(tmp_path, monkeypatch, gpu, kind):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    with Processes(tmp_path / "logs", jobs=1) as made:
        (outcome,) = made.over([Task("a run", "run.log", whereabouts, epochs=1)])
    assert outcome.error is None and outcome.record["process"] == kind


def test_ctrl_c_waits_until_a_process_has_started():
    before = signal.getsignal(signal.SIGINT)
    tiny.listen_to_ctrl_c()  # tests that run in the background ignore it
    done = []
    try:
        with pytest.raises(KeyboardInterrupt), _signals_wait():
            signal.raise_signal(signal.SIGINT)
            done.append("started")
        assert done == ["started"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_before_the_first_run_ends_it_quietly(tmp_path):
    config = write_study(tmp_path)
    with subprocess.Popen(
        [*COMMAND, str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=tiny.listen_to_ctrl_c,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "out/logs").exists():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.5)  # what it starts is loading, and a terminal sends Ctrl-C to all of them
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "0 of 4 runs are finished; the same command goes on." in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report", "study.yaml"], "It comes before --report: study.yaml --report"),
        ([], "Missing argument 'CONFIG'."),
        (["study.yaml", "--report", "--dry-run", "--retry"], "leave out --dry-run and --retry"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path)
    result = jointner(*arguments)
    assert result.exit_code == 2 and message in result.output


def test_models_that_shall_be_kept_are_made_again(finished, tmp_path):
    with_models = finished.model_copy(update={"keep_models": True, "output": tmp_path})
    copy = records_file(with_models)
    copy.write_bytes(records_file(finished).read_bytes())
    assert not any(is_done(with_models, record) for record in read_records(with_models).values())
    record = next(iter(read_records(with_models).values()))
    folder = run_folder(with_models, record["key"])
    folder.mkdir(parents=True)
    (folder / "best-model.pt").touch()  # of the first epoch, say, when the run was interrupted
    assert not is_done(with_models, record)
    assert is_done(with_models, {**record, "kept": True})
    (folder / "best-model.pt").unlink()
    assert not is_done(with_models, {**record, "kept": True})


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_it_goes_on_after_the_last_finished_run(tmp_path, kind):
    config = write_study(
        tmp_path,
        seeds=[1, 2, 3],
        training={"epochs": 12, "learning_rate": 0.02, "least_updates": 8},
    )
    output = tmp_path / "out/results.jsonl"
    with subprocess.Popen(
        [*COMMAND, str(config), "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=tiny.listen_to_ctrl_c,
    ) as process:
        deadline = time.monotonic() + 120
        while not output.exists() or output.read_bytes().count(b"\n") < 2:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(kind)
        _, errors = process.communicate(timeout=60)
    before = output.read_text().splitlines()
    assert 2 <= len(before) < 6, before
    if kind != signal.SIGKILL:
        assert process.returncode == 128 + kind
        assert "Traceback" not in errors and "Warning" not in errors
        assert f"{len(before)} of 6 runs are finished; the same command goes on." in errors
    done = subprocess.run([*COMMAND, str(config), "--jobs", "2"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = output.read_text().splitlines()
    assert lines[: len(before)] == before and len(lines) == 6
    assert len({json.loads(line)["key"] for line in lines}) == 6
    assert os.listdir(tmp_path / "out/runs") == []
