"""The commands as a user types them, on tiny data."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
from commands import jointner

from flair_jointner import JointTagger
from flair_jointner.models import load_classifier, load_tagger
from flair_jointner.models.embedding import split_characters

COMMAND = [sys.executable, "-c", "from flair_jointner.cli.main import main; main()"]


pytestmark = pytest.mark.usefixtures("flair_handlers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Annotated and class-only titles, on which a tagger can learn: colours and products."""
    folder = tmp_path_factory.mktemp("cli")
    tiny.write_titles(folder)
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    """The whole journey once: vectors, classifier, joint tagger."""
    steps = [
        ["vectors", folder / "train.conll", folder / "categories.txt", "--dimension", 24,
         "--epochs", 100, "-o", folder / "vectors.bin"],
        ["pretrain", "--train", folder / "categories.txt", "--dev", folder / "dev.conll",
         "--vectors", folder / "vectors.bin", "--hidden-size", 16, "--epochs", 15,
         "--batch-size", 8, "--learning-rate", 0.01, "-o", folder / "classifier"],
        ["train", "--train", folder / "train.conll", "--dev", folder / "dev.conll", "--test",
         folder / "test.conll", "--classifier", folder / "classifier/best-model.pt",
         "--attention", "learned", "--attention-heads", 4, "--hidden-size", 16, "--epochs", 40,
         "--batch-size", 8, "--learning-rate", 0.01, "-o", folder / "joint"],
    ]  # fmt: skip
    results = [jointner(*step) for step in steps]
    for result in results:
        assert result.exit_code == 0, result.output
    return results


def score(output: str, name: str) -> float:
    return float(next(line.split()[-1] for line in output.splitlines() if name in line))


def test_the_journey_learns(trained, folder):
    assert score(trained[1].stdout, "Dev accuracy") > 90
    assert score(trained[2].stdout, "Test F1") > 90
    assert (folder / "joint" / "best-model.pt").exists()


def test_a_tagger_has_characters_where_its_classifier_has(trained, folder):
    settings = ["--hidden-size", 16, "--epochs", 15, "--batch-size", 8, "--learning-rate", 0.01]
    made = jointner(
        "pretrain", "--train", folder / "categories.txt", "--vectors", folder / "vectors.bin",
        "--characters", *settings, "-o", folder / "spelling",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    classifier = load_classifier(folder / "spelling/final-model.pt")
    _, theirs = split_characters(classifier.embeddings.embeddings)
    command = [
        "train", "--train", folder / "train.conll", "--dev", folder / "dev.conll", "--test",
        folder / "test.conll", "--classifier", folder / "spelling/final-model.pt", *settings,
    ]  # fmt: skip
    result = jointner(*command, "-o", folder / "spelt")
    assert result.exit_code == 0, result.output
    assert score(result.stdout, "Test F1") > 90
    _, ours = split_characters(load_tagger(folder / "spelt/best-model.pt").embeddings)
    assert ours.characters == theirs.characters
    refused = jointner(*command, "--no-characters", "-o", folder / "unspelt")
    assert refused.exit_code == 2
    assert "differ in kind of word embeddings" in refused.stderr


def test_evaluate_repeats_the_test_score(trained, folder):
    predictions = folder / "predictions.tsv"
    model = folder / "joint/best-model.pt"
    result = jointner("evaluate", model, folder / "test.conll", "--predictions", predictions)
    assert result.exit_code == 0
    assert 100 * score(result.stdout, "F-score (micro)") == pytest.approx(
        score(trained[2].stdout, "Test F1"), abs=0.01
    )
    assert "category of the sentence (30 sentences)" in result.stdout
    assert len(predictions.read_text().split("\n\n")) == 31


def test_tag_writes_json_lines_in_order_in_a_fresh_process(trained, folder):
    model = folder / "joint/best-model.pt"
    done = subprocess.run(
        [*COMMAND, "tag", str(model), str(folder / "new.txt")],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == (folder / "new.txt").read_text().splitlines()
    assert set(rows[0]) == {"text", "category", "score", "entities"}
    entity = next(entity for row in rows for entity in row["entities"])
    assert set(entity) == {"type", "text", "start", "end", "score"}
    assert "Tagging" in done.stderr
    assert "Warning" not in done.stderr and "Traceback" not in done.stderr


def test_tag_reads_standard_input_and_keeps_fields(trained, folder):
    model = folder / "joint/best-model.pt"
    lines = '{"text": "mibal rofen", "id": 7}\n{"text": "", "id": 8}\n'
    result = jointner("tag", model, "--input-format", "jsonl", "--keep", "id", stdin=lines)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["text"], row["id"]) for row in rows] == [("mibal rofen", 7), ("", 8)]


def test_tag_reads_another_encoding(trained, folder):
    (folder / "latin.txt").write_bytes(b"mibal caf\xe9\n")
    result = jointner(
        "tag", folder / "joint/best-model.pt", folder / "latin.txt", "--encoding", "latin-1"
    )
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == ["mibal café"]
    unknown = jointner("tag", folder / "joint/best-model.pt", "--encoding", "latin-99", stdin="a")
    assert unknown.exit_code == 2
    assert "unknown encoding" in unknown.stderr


def test_without_a_text_the_output_is_there_and_empty(trained, folder):
    output = folder / "old.jsonl"
    output.write_text("{}\n")
    assert jointner("tag", folder / "joint/best-model.pt", "-o", output, stdin="").exit_code == 0
    assert output.read_text() == ""


def test_the_same_seed_gives_the_same_model(trained, folder):
    scores = set()
    for name in ("first", "second"):
        result = jointner(
            "train", "--train", folder / "train.conll", "--dev", folder / "dev.conll",
            "--vectors", folder / "vectors.bin", "--ner-only", "--hidden-size", 8, "--epochs", 3,
            "--seed", 5, "-o", folder / name,
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        scores.add((folder / name / "loss.tsv").read_text().split("\n")[-2].split("\t", 2)[2])
    assert len(scores) == 1


def test_an_output_with_a_model_is_not_lost(trained, folder):
    result = jointner(
        "train", "--train", folder / "train.conll", "--dev", folder / "dev.conll",
        "--vectors", folder / "vectors.bin", "-o", folder / "joint",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "--overwrite" in result.stderr
    assert (folder / "joint" / "best-model.pt").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tag", "{f}/nothing.pt"], "does not exist"),
        (["tag", "{f}/new.txt"], "not a model file"),
        (["tag", "{f}/classifier/best-model.pt"], "holds a TextClassifier, not a JointTagger"),
        (["tag", "{f}/joint/best-model.pt", "{f}/new.txt", "--keep", "id"], "no field id to keep"),
        (
            ["tag", "{f}/joint/best-model.pt", "{f}/new.txt", "--keep", "category"],
            "--keep category would overwrite what the tagger says",
        ),
        (
            ["tag", "{f}/joint/best-model.pt", "{f}/new.txt", "-o", "{f}/new.txt"],
            "cannot be the --output",
        ),
        (["tag", "{f}/joint/best-model.pt", "-o", "{f}/joint/best-model.pt"], "be the --output"),
        (["vectors", "--raw", "{f}/new.txt", "-o", "{f}/new.txt"], "cannot be the --output"),
        (
            ["vectors", "--raw", "{f}/new.txt", "--text-column", "title", "-o", "{f}/x.bin"],
            "--raw reads plain text, and --text-column is for annotated files",
        ),
        (["segmenter", "train", "{f}/new.txt", "-o", "{f}/new.txt"], "cannot be the --output"),
        (
            ["evaluate", "{f}/joint/best-model.pt", "{f}/new.txt", "--predictions", "{f}/new.txt"],
            "cannot be the --predictions",
        ),
        (
            ["train", "--train", "{f}/train.conll", "--dev", "{f}/dev.conll", "-o", "{f}/x",
             "--classifier", "{f}/classifier/best-model.pt", "--extra-words", "5"],
            "--extra-words changes nothing without --vectors",
        ),
        (
            ["train", "--train", "{f}/categories.txt", "--dev", "{f}/dev.conll", "-o", "{f}/x",
             "--vectors", "{f}/vectors.bin", "--ner-only"],
            "leave the file out where categories are not learnt (--ner-only",
        ),
        (["explain", "{f}/joint/best-model.pt", "mibal", "-o", "{f}/x.gif"], ".png, .svg, .pdf"),
        (["vectors", "--raw", "{f}/new.txt", "-o", "{f}/x.foo"], "name it .bin, .txt or .vec"),
        (
            ["train", "--train", "{f}/train.conll", "--dev", "{f}/dev.conll", "-o", "{f}/x",
             "--vectors", "{f}/vectors.bin", "--ner-only", "--class-loss-weight", "2"],
            "--class-loss-weight changes nothing with --ner-only: leave it out",
        ),
        (
            ["train", "--train", "{f}/train.conll", "--dev", "{f}/dev.conll", "-o", "{f}/x",
             "--vectors", "{f}/vectors.bin", "--attention", "soft", "--attention-heads", "4"],
            "--attention-heads changes nothing with --attention soft: leave it out",
        ),
        (["explain", "{f}/joint/best-model.pt", " "], "no token"),
        (["explain", "{f}/classifier/best-model.pt", "mibal"], "not a JointTagger"),
        (["evaluate", "{f}/joint/best-model.pt", "{f}/bad.conll"], "bad.conll, line 2"),
        (["evaluate", "{f}/joint/best-model.pt", "{f}/empty.conll"], "at least one sentence"),
        (
            ["train", "--train", "{f}/train.conll", "--dev", "{f}/dev.conll", "-o", "{f}/x"],
            "pass --vectors FILE",
        ),
        (
            ["train", "--train", "{f}/train.conll", "--dev", "{f}/dev.conll", "-o", "{f}/x",
             "--vectors", "{f}/vectors.bin", "--class-key", "intent"],
            "category",
        ),
        (
            ["train", "--train", "{f}/train.conll", "--dev", "{f}/categories.txt", "-o", "{f}/x",
             "--vectors", "{f}/vectors.bin"],
            "dev data hold no label of type 'ner'",
        ),
        (
            ["train", "--train", "{f}/unclassed.conll", "--dev", "{f}/dev.conll", "-o", "{f}/x",
             "--vectors", "{f}/vectors.bin"],
            "no label of type 'category'",
        ),
        (
            ["train", "--train", "{f}/train.conll", "--dev", "{f}/dev.conll", "-o", "{f}/x",
             "--classifier", "{f}/classifier/best-model.pt"],
            "hidden size per direction: 16 in the classifier, 256 in the tagger",
        ),
        (
            ["train", "--train", "{f}/train.conll", "--dev", "{f}/dev.conll", "-o", "{f}/x",
             "--classifier", "{f}/classifier/best-model.pt", "--characters"],
            "pre-train it with them (with_characters=True; `jointner pretrain --characters`)",
        ),
        (["pretrain", "--train", "{f}/new.txt", "--vectors", "{f}/vectors.bin", "-o", "{f}/x"], ""),
    ],
)  # fmt: skip
def test_bad_input_gives_one_message_and_exit_code_2(trained, folder, arguments, message):
    (folder / "bad.conll").write_text("mibal\tB-COLOUR\nrofen\n")
    (folder / "empty.conll").write_text("")
    (folder / "unclassed.conll").write_text("mibal\tB-COLOUR\n")
    texts = (folder / "new.txt").read_text()
    result = jointner(*(argument.format(f=folder) for argument in arguments))
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert (folder / "new.txt").read_text() == texts


@pytest.mark.parametrize(
    "command", ["vectors", "augment", "pretrain", "train", "evaluate", "tag", "explain", "study"]
)
def test_help_shows_an_example(command):
    result = jointner(command, "--help")
    assert result.exit_code == 0
    assert f"jointner {command} " in result.stdout.split("Usage:")[1].split("\n", 1)[1]


def test_ctrl_c_keeps_the_best_model_and_says_where(trained, folder):
    output = folder / "interrupted"
    arguments = [
        "train", "--train", folder / "train.conll", "--dev", folder / "dev.conll", "--vectors",
        folder / "vectors.bin", "--hidden-size", 64, "--epochs", 5000, "-o", output,
        "--bad-epochs", 5000,  # so that nothing but the interruption ends it
    ]  # fmt: skip
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=tiny.listen_to_ctrl_c,
    ) as process:
        wait_for(output / "best-model.pt", process)
        time.sleep(1)  # into the middle of training
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=120)
    assert f"The best model so far: {output / 'best-model.pt'}" in stderr
    assert "Traceback" not in stderr
    assert jointner("evaluate", output / "best-model.pt", folder / "dev.conll").exit_code == 0


def wait_for(file: Path, process) -> None:
    deadline = time.monotonic() + 120
    while not file.exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_evaluate_says_how_far_scores_are_to_be_trusted(trained, folder, tmp_path):
    model = tmp_path / "model.pt"
    model.write_bytes((folder / "joint/best-model.pt").read_bytes())
    result = jointner(
        "evaluate", model, folder / "dev.conll", "--fit-temperature", "--plots", tmp_path / "p"
    )
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    errors = [float(line.split()[-3]) for line in lines if "error of the entities" in line]
    assert len(errors) == 2 and all(0 <= error < 0.5 for error in errors)
    assert "error of the classes' scores" in result.stdout
    assert any(line.startswith("  0.9  precision") for line in lines)
    assert {path.name for path in (tmp_path / "p").iterdir()} == {
        "reliability.png",
        "thresholds.png",
    }
    again = JointTagger.load(model)
    assert f"Temperature of the tags {again.tag_temperature:.3f}" in result.stdout
    assert again.class_temperature != 1.0


def test_workers_and_bfloat16_write_the_same_lines(trained, folder):
    model, titles = folder / "joint/best-model.pt", folder / "new.txt"
    plain = jointner("tag", model, titles)
    two = subprocess.run(
        [*COMMAND, "tag", str(model), str(titles), "--workers", "2", "--bfloat16"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )

    def rows(output):
        found = [json.loads(line) for line in output.splitlines()]
        return [(row["text"], row["category"], len(row["entities"])) for row in found]

    assert rows(two.stdout) == rows(plain.stdout)


@pytest.mark.parametrize(("name", "start"), [("a.svg", "<?xml"), ("a.html", "<!DOCTYPE html>")])
def test_explain_prints_each_token_and_draws(trained, folder, tmp_path, name, start):
    model = folder / "joint/best-model.pt"
    result = jointner("explain", model, "mibal, ror", "--tokenizer", "space", "-o", tmp_path / name)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert "learned attention, 4 heads, temperatures between 1 and" in result.stdout
    table = [line.split() for line in lines[2:5]]
    assert [row[:2] for row in table[1:]] == [["1", "mibal,"], ["2", "ror"]]
    assert 1 <= float(table[1][4]) <= 4
    assert lines[-1] == f"Picture: {tmp_path / name}"
    assert (tmp_path / name).read_text("utf-8").startswith(start)


def test_explain_without_an_output_prints_only(trained, folder, tmp_path):
    result = jointner("explain", folder / "joint/best-model.pt", "mibal rofen")
    assert result.exit_code == 0, result.output
    assert "Picture" not in result.stdout and len(result.stdout.splitlines()) == 5


def test_a_tagger_without_attention_cannot_be_explained(tmp_path):
    tiny.joint_tagger().save(tmp_path / "plain.pt")
    result = jointner("explain", tmp_path / "plain.pt", "mibal")
    assert result.exit_code == 2
    assert "jointner train --attention learned" in " ".join(result.stderr.split())
