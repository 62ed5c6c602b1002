"""The segmenter's commands as a user types them, and tokenizers by name."""

import json

import pytest
import tiny
from commands import jointner

pytest.importorskip("pythainlp", reason="the extra [thai] is not installed")
pytest.importorskip("pycrfsuite", reason="the extra [thai] is not installed")

SENTENCES = ["เสื้อ ยืด สี แดง", "นาฬิกา ปลุก สี แดง", "กางเกง ขา สั้น", "เสื้อ ยืด ผู้ หญิง"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("segmenter")
    best = "".join(f"{s.replace(' ', '|')}|\n" for s in SENTENCES * 5)
    (folder / "best.txt").write_text(best, "utf-8")
    (folder / "test.txt").write_text("นาฬิกา ปลุก สี แดง\nกางเกง สี แดง\n", "utf-8")
    blocks = ("".join(f"{word}\tO\n" for word in s.split()) for s in SENTENCES * 5)
    (folder / "train.conll").write_text("\n".join(blocks), "utf-8")
    result = jointner(
        "segmenter", "train", folder / "best.txt", "--separator", "|", "-o", folder / "words.json"
    )
    assert result.exit_code == 0, result.output
    assert result.stdout == f"Segmenter: {folder / 'words.json'}\n"
    assert "Training" in result.stderr
    return folder


def test_evaluate_beside_newmm(folder):
    model = folder / "words.json"
    result = jointner("segmenter", "evaluate", model, folder / "test.txt", "--separator", " ")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "2 sentences",
        f"{model}: word precision 100.00, recall 100.00, F1 100.00",
        # นาฬิกาปลุก, สีแดง, กางเกง, สีแดง: one word of seven
        "newmm: word precision 25.00, recall 14.29, F1 18.18",
    ]


def test_texts_of_training_can_be_left_out(folder):
    (folder / "known.txt").write_text("นาฬิกา ปลุก สี แดง\n", "utf-8")
    arguments = ("segmenter", "evaluate", folder / "words.json", folder / "test.txt")
    result = jointner(*arguments, "--separator", " ", "--without", folder / "known.txt")
    assert result.stdout.startswith("1 sentences\n")
    result = jointner(*arguments, "--separator", " ", "--without", folder / "test.txt")
    assert result.exit_code == 2
    assert "no sentence to score" in result.stderr


def test_annotated_files_give_the_same_model(folder):
    result = jointner("segmenter", "train", folder / "train.conll", "-o", folder / "again.json")
    assert result.exit_code == 0, result.output
    assert (folder / "again.json").read_bytes() == (folder / "words.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "{f}/best.txt", "-o", "{f}/x", "--separator", "|", "--tag-column", 1],
         "--tag-column is for annotated files"),
        (["train", "{f}/best.txt", "-o", "{f}/x", "--separator", ""], "separator is empty"),
        (["train", "{f}/best.txt", "-o", "{f}/x", "--separator", "|", "--l1", -1], "--l1"),
        (["evaluate", "{f}/best.txt", "{f}/test.txt"], "best.txt is no segmenter"),
    ],
)  # fmt: skip
def test_bad_input_gives_one_message_and_exit_code_2(folder, arguments, message):
    result = jointner("segmenter", *(str(argument).format(f=folder) for argument in arguments))
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert not (folder / "x").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [("thai", "เสื้อยืด"), ("thai-cluster", "เสื้อ"), ("segmenter:{f}/words.json", "เสื้อ")],
)
def test_tag_with_each_tokenizer(folder, name, text):
    tagger = tiny.joint_tagger(tiny.words(vocabulary=[text]))
    tagger.save(folder / "model.pt")
    (folder / "titles.txt").write_text("เสื้อยืดผู้หญิง  สีแดง\n", "utf-8")
    result = jointner(
        "tag", folder / "model.pt", folder / "titles.txt", "--tokenizer", name.format(f=folder)
    )
    assert result.exit_code == 0, result.output
    row = json.loads(result.stdout)
    assert row["entities"]
    for entity in row["entities"]:
        assert row["text"][entity["start"] : entity["end"]] == entity["text"]


def test_vectors_of_raw_thai_text(folder):
    (folder / "titles.txt").write_text("เสื้อยืดผู้หญิง  สีแดง\n" * 5, "utf-8")
    result = jointner(
        "vectors", "--raw", folder / "titles.txt", "--tokenizer", "thai", "--dimension", 5,
        "--epochs", 1, "-o", folder / "vectors.txt",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    words = [line.split()[0] for line in (folder / "vectors.txt").read_text("utf-8").splitlines()]
    assert set(words[1:]) == {"เสื้อยืด", "ผู้หญิง", "สีแดง"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("deepcut", "possible: segtok, space"),
        ("segmenter:nowhere.json", "There is no segmenter at nowhere.json"),
        ("segmenter:", "it has to be segmenter:FILE"),
    ],
)
def test_a_tokenizer_that_is_not_there(folder, name, expected):
    result = jointner("vectors", "--raw", folder / "best.txt", "--tokenizer", name, "-o", "x.bin")
    assert result.exit_code == 2
    assert expected in result.stderr


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_help_shows_an_example(command):
    result = jointner("segmenter", command, "--help")
    assert result.exit_code == 0
    assert f"jointner segmenter {command} " in result.stdout.split("Usage:")[1].split("\n", 1)[1]
