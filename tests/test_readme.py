"""The README's code runs as printed, but on a few of the sample titles and for fewer epochs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
# `make` builds an environment and installs: .ci/run does both from a clean clone.
RUNNABLE = ("python", "bash")


@pytest.fixture
def few_titles(tmp_path):
    """A folder with the head of every sample file at the place that the README names."""
    for name in ("titles", "transfer"):
        folder = tmp_path / "resources" / name
        folder.mkdir(parents=True)
        for file in (ROOT / "resources" / name).iterdir():
            text = file.read_text("utf-8")
            if file.suffix == ".conll":
                text = "\n\n".join(text.split("\n\n")[:60]) + "\n"
            else:
                text = "".join(line + "\n" for line in text.splitlines()[:300])
            (folder / file.name).write_text(text, "utf-8")
    (tmp_path / "examples").mkdir()
    study = (ROOT / "examples" / "study.yaml").read_text("utf-8")
    fewer = study.replace("[100", "[40")  # of the sixty titles
    (tmp_path / "examples" / "study.yaml").write_text(fewer, "utf-8")
    return tmp_path


@pytest.mark.parametrize("language", RUNNABLE)
def test_the_code_runs_as_printed(few_titles, language):
    code = "\n".join(text for kind, text in BLOCKS if kind == language)
    code = re.sub(r"(max_epochs=|--epochs )\d+", r"\g<1>2", code)
    assert code.count("\n") > 5
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-c", code] if language == "python" else ["bash", "-ec", code]
    done = subprocess.run(
        command, cwd=few_titles, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr[-3000:]
    if language == "bash":
        rows = (few_titles / "entities.jsonl").read_text("utf-8").splitlines()
        assert len(rows) == len((ROOT / "resources/titles/new.txt").read_text("utf-8").splitlines())


def test_no_block_of_the_readme_goes_unread():
    assert {kind for kind, _ in BLOCKS} == {*RUNNABLE, "json"}
