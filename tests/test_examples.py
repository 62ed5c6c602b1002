"""Each example runs on a few of the sample titles."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flair_jointner.studies.config import Study
from flair_jointner.studies.configuration import (
    Augmentation,
    Only,
    Pretraining,
    SelfTraining,
    Training,
)
from flair_jointner.studies.data_sections import ClassFiles, Data, Vectors

ROOT = Path(__file__).parent.parent


def run(script, *arguments, cwd):
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / script), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with a classifier that was pre-trained for one epoch."""
    folder = tmp_path_factory.mktemp("examples")
    out = run("pretrain_classifier.py", "--epochs", 1, "--hidden-size", 16, cwd=folder)
    assert "Accuracy of the categories on dev" in out
    return folder


@pytest.mark.parametrize("configuration", ["ner", "joint", "pretrained"])
def test_taggers_train_and_tag(work, configuration):
    options = ["--configuration", configuration, "--epochs", 1, "--hidden-size", 16]
    assert f"F1 of {configuration} on test" in run("train_tagger.py", *options, cwd=work)
    titles = ROOT / "resources" / "titles" / "new.txt"
    out = run("tag_titles.py", f"runs/{configuration}/best-model.pt", titles, cwd=work)
    assert all(title in out for title in titles.read_text("utf-8").splitlines())


@pytest.mark.parametrize(
    "options", [("none",), ("full",), ("part", "--perturbation", 1)], ids=lambda given: given[0]
)
def test_a_language_teaches_another(tmp_path, options):
    quick = ("--epochs", 1, "--hidden-size", 8)
    out = run("transfer_tagger.py", "--share", *options, *quick, cwd=tmp_path)
    assert f"F1 of {options[0]} on test" in out
    titles = ROOT / "resources" / "titles" / "new.txt"
    model = f"runs/transfer-{options[0]}/best-model.pt"
    out = run("tag_titles.py", model, titles, cwd=tmp_path)
    assert all(title in out for title in titles.read_text("utf-8").splitlines())


def test_the_demo_ends_with_both_scores(tmp_path):
    out = run("demo.py", "--epochs", 1, "--hidden-size", 8, cwd=tmp_path)
    assert "=== Side by side" in out
    assert [line.split(" on ")[0] for line in out.splitlines()[-2:]] == [
        "F1 of ner",
        "F1 of pretrained",
    ]


def test_the_study_runs_as_it_is_printed_and_holds_every_key(tmp_path):
    example = (ROOT / "examples" / "study.yaml").read_text("utf-8")
    for section in (
        Study,
        Data,
        Vectors,
        ClassFiles,
        Augmentation,
        Training,
        Pretraining,
        Only,
        SelfTraining,
    ):
        for key in section.model_fields:
            assert f"{key}:" in example, key
    assert "| Joint, self-trained |" in run_study("study.yaml", tmp_path)


def test_the_study_of_datnet_runs_as_it_is_printed(tmp_path):
    report = run_study("transfer_study.yaml", tmp_path)
    assert "| DATNet-F |" in report and "Gain over F-transfer" in report


def run_study(name, folder):
    """Runs a study with one epoch and one seed, and returns its report."""
    example = (ROOT / "examples" / name).read_text("utf-8")
    quick = example.replace("../", f"{ROOT}/").replace(f"{ROOT}/runs", str(folder))
    quick = re.sub(r"epochs: 5\b", "epochs: 1", quick).replace("seeds: [1, 2]", "seeds: [1]")
    quick = quick.replace("sizes: [20, all]", "sizes: [20]")
    study = folder / name
    study.write_text(quick, "utf-8")
    command = [sys.executable, "-c", "from flair_jointner.cli.main import main; main()", "study"]
    for options in (["--jobs", "2"], ["--report", folder / "results.md"]):
        done = subprocess.run(
            [*command, str(study), *map(str, options)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
    report = (folder / "results.md").read_text("utf-8")
    assert "failed" not in report
    return report
