"""`jointner augment` as a user types it."""

import pytest
from click.testing import CliRunner

from flair_jointner.cli.main import main
from flair_jointner.data import read_sentences

TRAIN = """# category = A
red	B-COLOUR
wine	B-PRODUCT
glass	I-PRODUCT

# category = B
new	O
bag	B-PRODUCT
"""
TITLES = """__label__A a red bag
__label__B new bag
__label__B new new
__label__C wine glass Red
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.conll").write_text(TRAIN)
    (tmp_path / "titles.txt").write_text(TITLES)
    (tmp_path / "raw.txt").write_text("a red bag,\n\nred\twine\n")
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "nothing.conll").write_text("a\tO\n")
    (tmp_path / "plain.txt").write_text("a red bag\n")
    return tmp_path


def augment(folder, *arguments):
    command = ["augment", "--train", folder / "train.conll", "-o", folder / "out.conll", *arguments]
    return CliRunner().invoke(main, list(map(str, command)))


def written(folder):
    return (folder / "out.conll").read_text()


def test_class_only_titles_keep_their_category(folder):
    result = augment(folder, folder / "titles.txt")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "Dictionary: 3 strings (PRODUCT 2, COLOUR 1); left out: 0 ambiguous between types, 0 too "
        "often outside entities, 0 too rare",
        "Titles: 4 read, 1 left out as annotated already, 2 matched, 1 in which nothing was found",
        f"Written: 2 titles with 3 entities (PRODUCT 2, COLOUR 1): {folder / 'out.conll'}",
    ]
    assert written(folder) == (
        "# category = A\na\tO\nred\tB-COLOUR\nbag\tB-PRODUCT\n\n"
        "# category = C\nwine\tB-PRODUCT\nglass\tI-PRODUCT\nRed\tO\n"
    )
    assert len(read_sentences(folder / "out.conll")) == 2


def test_options(folder):
    result = augment(
        folder, folder / "titles.txt", "--keep-unmatched", "--ignore-case", "--limit", 9
    )
    assert "Written: 3 titles (--limit 9 finds no more) with 4 entities" in result.stdout
    assert "# category = B\nnew\tO\nnew\tO\n" in written(folder)
    assert "Red\tB-COLOUR\n" in written(folder)
    augment(folder, folder / "titles.txt", "--limit", 1)
    assert len(read_sentences(folder / "out.conll")) == 1


@pytest.mark.parametrize(
    ("tokenizer", "expected"),
    [
        ("segtok", "a\tO\nred\tB-COLOUR\nbag\tB-PRODUCT\n,\tO\n\nred\tB-COLOUR\nwine\tO\n"),
        ("space", "a\tO\nred\tB-COLOUR\nbag,\tO\n\nred\tB-COLOUR\nwine\tO\n"),
    ],
)
def test_plain_text_has_no_category(folder, tokenizer, expected):
    result = augment(folder, "--raw", folder / "raw.txt", "--tokenizer", tokenizer)
    assert result.exit_code == 0, result.output
    assert written(folder) == expected


def test_the_key_and_the_encoding_are_those_of_the_files_read(folder):
    train = (folder / "train.conll").read_text().replace("category", "intent")
    (folder / "train.conll").write_text(train.replace("red", "café"), encoding="latin-1")
    (folder / "titles.txt").write_text("__label__A café\n", encoding="latin-1")
    options = ["--class-key", "intent", "--encoding", "latin-1"]
    result = augment(folder, folder / "titles.txt", *options)
    assert result.exit_code == 0, result.output
    assert (folder / "out.conll").read_bytes() == b"# intent = A\ncaf\xe9\tB-COLOUR\n"
    result = augment(folder, "--raw", folder / "titles.txt", *options)
    assert (folder / "out.conll").read_text("latin-1").endswith("café\tB-COLOUR\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{f}/titles.txt", "--train", "{f}/titles.txt", "--min-count", "2"], "3 are too rare"),
        (["{f}/nothing.conll"], "no title has an entity of the dictionary"),
        (["{f}/nothing.conll", "--train", "{f}/nothing.conll"], "of 1 read, all are among"),
        (["{f}/empty.txt", "--raw"], "The files to label hold no title"),
        (["{f}/plain.txt"], "If the files are plain text, pass --raw"),
        (["{f}/titles.txt", "-o", "{f}/train.conll"], "cannot be the --output"),
        (["{f}/titles.txt", "--min-share", "2"], "2.0 is not in the range"),
        (["{f}/titles.txt", "--tag-column", "7"], "enough columns for tag_column=7"),
    ],
)
def test_bad_input_gives_one_message_and_exit_code_2(folder, arguments, message):
    result = augment(folder, *(argument.format(f=folder) for argument in arguments))
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    assert (folder / "train.conll").read_text() == TRAIN
    assert not (folder / "out.conll").exists()


def test_annotated_files_without_entities_are_named(folder):
    command = ["augment", "--train", folder / "nothing.conll", folder / "titles.txt", "-o"]
    result = CliRunner().invoke(main, list(map(str, [*command, folder / "out.conll"])))
    assert result.exit_code == 2
    assert "There is no entity of type 'ner' in the 1 annotated sentence(s)" in result.stderr
