"""The main job from end to end on the sample titles of this project, in a few minutes.

Word vectors, a classifier pre-trained on titles that have a category only, a plain tagger, the
joint tagger that starts from the classifier, both scored on test, and new titles tagged.

    make demo
"""

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
RUNS = Path("runs") / "demo"


def run(title: str, script: str, *arguments: str) -> str:
    """Runs an example with its progress on the terminal, and returns the last line it printed."""
    print(f"\n=== {title}", flush=True)
    started = time.monotonic()
    command = [sys.executable, str(HERE / script), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    if process.returncode:
        sys.exit(f"{script} failed with exit code {process.returncode}.")
    print(f"--- {time.monotonic() - started:.0f} seconds", flush=True)
    return lines[-1]


def main() -> None:
    runs = ["--runs", str(RUNS), *sys.argv[1:]]
    run("A classifier, pre-trained on categories", "pretrain_classifier.py", *runs)
    scores = [
        run(title, "train_tagger.py", "--configuration", configuration, *runs)
        for title, configuration in (
            ("A plain tagger: entities only", "ner"),
            ("A joint tagger, started from the classifier", "pretrained"),
        )
    ]
    model = str(RUNS / "pretrained" / "best-model.pt")
    titles = str(HERE.parent / "resources" / "titles" / "new.txt")
    run("New titles, tagged by the joint tagger", "tag_titles.py", model, titles)
    print("\n=== Side by side", *scores, sep="\n")


if __name__ == "__main__":
    main()
