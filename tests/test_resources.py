"""The sample titles of `resources/`: made again alike, well formed, and as their README says."""

import re
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

RESOURCES = Path(__file__).parents[1] / "resources"
TITLES = RESOURCES / "titles"
CONLL = ("train.conll", "dev.conll", "test.conll")
FASTTEXT = ("categories.train.txt", "categories.dev.txt")
FILES = (*CONLL, *FASTTEXT, "new.txt")
CATEGORIES = {"FASHION", "HEALTH_BEAUTY", "ELECTRONICS", "HOME_FURNITURE", "MOTORS", "OTHER"}
TYPES = ("PRODUCT", "BRAND", "MATERIAL", "COLOR", "PATTERN", "CONSUMER_GROUP")


def read_text(name: str) -> str:
    return (TITLES / name).read_bytes().decode("utf-8")


def read_conll(name: str) -> list[tuple[str, list[str], list[str]]]:
    """Read each title as its category, its tokens and its tags."""
    titles = []
    for block in read_text(name).removesuffix("\n").split("\n\n"):
        head, *lines = block.split("\n")
        tokens, tags = zip(*(line.split("\t") for line in lines), strict=True)
        titles.append((head.removeprefix("# category = "), list(tokens), list(tags)))
    return titles


def read_fasttext(name: str) -> list[tuple[str, str]]:
    """Read each title as its category and its text."""
    lines = read_text(name).splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return [(label.removeprefix("__label__"), text) for label, text in pairs]


def texts(name: str) -> list[str]:
    """Read the text of each title of a file of any kind."""
    if name in CONLL:
        return [" ".join(tokens) for _, tokens, _ in read_conll(name)]
    if name in FASTTEXT:
        return [text for _, text in read_fasttext(name)]
    return read_text(name).splitlines()


def entity_counts(name: str) -> Counter[str]:
    """Count the entities of each type."""
    return Counter(tag[2:] for _, _, tags in read_conll(name) for tag in tags if tag[0] == "B")


def make(out: Path, *options: str) -> None:
    script = str(RESOURCES / "make_titles.py")
    # -B: the test leaves no compiled files in resources/.
    subprocess.run([sys.executable, "-B", script, "--out", str(out), *options], check=True)


def test_made_again_the_files_are_the_same_bytes(tmp_path):
    make(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (TITLES / name).read_bytes(), name


def test_another_seed_gives_other_titles(tmp_path):
    make(tmp_path, "--seed", "14")
    assert (tmp_path / "train.conll").read_bytes() != (TITLES / "train.conll").read_bytes()


def test_the_folder_is_small():
    sizes = [path.stat().st_size for path in TITLES.iterdir()]
    assert max(sizes) < 500_000
    assert sum(sizes) < 1_200_000


@pytest.mark.parametrize(
    ("name", "count"), list(zip(FILES, (400, 200, 300, 5000, 400, 12), strict=True))
)
def test_each_file_has_its_number_of_titles(name, count):
    assert len(texts(name)) == count


@pytest.mark.parametrize("name", FILES)
def test_text_is_composed_unicode_with_single_spaces(name):
    assert unicodedata.is_normalized("NFC", read_text(name))
    for text in texts(name):
        assert text == " ".join(text.split()) != ""


@pytest.mark.parametrize("name", CONLL)
def test_tags_are_valid_bio(name):
    known = {f"{prefix}-{kind}" for prefix in "BI" for kind in TYPES} | {"O"}
    for _, tokens, tags in read_conll(name):
        assert set(tags) <= known
        for before, tag in zip(["O", *tags], tags, strict=False):
            assert not tag.startswith("I-") or before[2:] == tag[2:], tokens


@pytest.mark.parametrize("name", CONLL)
def test_every_category_and_type_occurs(name):
    assert {category for category, _, _ in read_conll(name)} == CATEGORIES
    assert set(entity_counts(name)) == set(TYPES)


@pytest.mark.parametrize("name", FASTTEXT)
def test_every_category_occurs_in_the_class_only_titles(name):
    assert {category for category, _ in read_fasttext(name)} == CATEGORIES


@pytest.mark.parametrize("name", CONLL)
def test_some_titles_have_no_entity(name):
    assert any(set(tags) == {"O"} for _, _, tags in read_conll(name))


def test_no_title_occurs_twice():
    counts = Counter(text.casefold() for name in FILES for text in texts(name))
    assert [text for text, count in counts.items() if count > 1] == []


def test_unseen_words_of_test_entities_are_in_the_class_only_titles():
    train = {token.casefold() for _, tokens, _ in read_conll("train.conll") for token in tokens}
    class_only = set(" ".join(texts("categories.train.txt")).casefold().split())
    unseen = [
        token.casefold()
        for _, tokens, tags in read_conll("test.conll")
        for token, tag in zip(tokens, tags, strict=True)
        if tag != "O" and token.casefold() not in train
    ]
    assert len(unseen) > 100
    assert sum(token in class_only for token in unseen) > 0.95 * len(unseen)


def readme_counts() -> dict[str, list[str]]:
    """Read the cells of each row of the README's table by its file."""
    readme = (RESOURCES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", readme, flags=re.MULTILINE)
    return {name: cells.replace(",", "").split(" | ") for name, cells in rows}


def test_readme_counts_every_file():
    assert set(readme_counts()) == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_readme_counts_are_true(name):
    titles, tokens, *entities = readme_counts()[name]
    assert int(titles) == len(texts(name))
    assert int(tokens) == sum(len(text.split()) for text in texts(name))
    counts = entity_counts(name) if name in CONLL else {}
    assert entities == [str(counts.get(kind, "–")) for kind in TYPES]


# ----- the titles of two languages -----

TRANSFER = RESOURCES / "transfer"


def test_the_titles_of_two_languages_are_made_again_alike_and_are_as_many_as_the_readme_says(
    tmp_path,
):
    script = str(RESOURCES / "make_transfer.py")
    subprocess.run([sys.executable, "-B", script, "--out", str(tmp_path)], check=True)
    names = sorted(path.name for path in TRANSFER.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    counts = {}
    for name in names:
        made = (tmp_path / name).read_bytes()
        assert made == (TRANSFER / name).read_bytes(), name
        text = made.decode("utf-8")
        counts[name] = text.count("# category = " if name.endswith(".conll") else "\n")
    assert counts == {
        "source.train.conll": 400, "source.txt": 2000,
        "target.train.conll": 20, "target.dev.conll": 100, "target.test.conll": 200,
        "target.txt": 2000,
    }  # fmt: skip


def test_both_languages_have_every_type_and_share_few_words_but_the_brands():
    words = {}
    for resource in ("source", "target"):
        lines = (TRANSFER / f"{resource}.train.conll").read_text("utf-8").splitlines()
        rows = [line.split("\t") for line in lines if "\t" in line]
        assert {tag[2:] for _, tag in rows if tag[0] == "B"} == set(TYPES)
        words[resource] = {word.casefold() for word, tag in rows if tag.endswith("-PRODUCT")}
    assert len(words["source"] & words["target"]) < 0.1 * len(words["target"])
