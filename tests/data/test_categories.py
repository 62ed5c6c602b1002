import csv
import gzip
import logging
from pathlib import Path

import pytest
from flair.tokenization import SegtokTokenizer, TokenizerWrapper

from flair_jointner.data.annotation import is_annotated
from flair_jointner.data.categories import read_fasttext, read_table
from flair_jointner.data.errors import DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the corpora of ../shared/data")


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="f.txt", encoding="utf-8"):
        path = tmp_path / name
        content = text.encode(encoding)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write_file


def content_of(sentences):
    return [
        (sentence.get_label("category").value, [token.text for token in sentence])
        for sentence in sentences
    ]


@pytest.mark.parametrize("name", ["f.txt", "f.txt.gz"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_fasttext(write, name, newline):
    text = "__label__SHOES Red  boots,\tnew\n\n__label__a/b-ç x\u00a0y"
    sentences = read_fasttext(write(text.replace("\n", newline), name))
    assert content_of(sentences) == [
        ("SHOES", ["Red", "boots,", "new"]),
        ("a/b-ç", ["x\u00a0y"]),
    ]
    assert not any(is_annotated(sentence, "ner") for sentence in sentences)


def test_fasttext_with_another_tokenizer_and_prefix(write):
    path = write("#SHOES Red boots, new\n")
    sentences = read_fasttext(
        path, "tag", "category", tokenizer=SegtokTokenizer(), label_prefix="#"
    )
    assert content_of(sentences) == [("SHOES", ["Red", "boots", ",", "new"])]
    assert not is_annotated(sentences[0], "tag") and is_annotated(sentences[0], "ner")


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ("no label", "'no' at the start"),
        ("__label__ nothing", "'__label__' at the start"),
        ("__label__A __label__B text", "2 labels"),
        ("__label__A text __label__B", "2 labels"),
        ("__label__A", "without a text"),
        ("__label__A \t ", "without a text"),
    ],
)
def test_malformed_fasttext_lines(write, caplog, bad, found):
    path = write(f"__label__A one\n\n{bad}\n__label__B two\n")
    with pytest.raises(DataError) as error:
        read_fasttext(path)
    assert error.value.line == 3
    assert found in error.value.found
    with caplog.at_level(logging.WARNING, "flair_jointner"):
        sentences = read_fasttext(path, skip_malformed=True)
    assert content_of(sentences) == [("A", ["one"]), ("B", ["two"])]
    assert "skipped 1 malformed" in caplog.text


def test_a_text_in_which_the_tokenizer_finds_nothing(write):
    path = write("__label__A one\n__label__A ...\n")
    letters = TokenizerWrapper(lambda text: [word for word in text.split() if word.isalpha()])
    with pytest.raises(DataError, match="line 2.*finds no token"):
        read_fasttext(path, tokenizer=letters)


def test_fasttext_encoding_and_empty_files(write):
    path = write("__label__A a\n__label__A ñ\n", encoding="latin-1")
    with pytest.raises(DataError, match="line 2.*not utf-8"):
        read_fasttext(path)
    assert len(read_fasttext(path, encoding="latin-1")) == 2
    with pytest.raises(DataError, match="no sentence"):
        read_fasttext(write(""))


TABLE = 'id,title,kind\n1,"Red, new boots",shoes\n\n2,"A ""felt""\nhat",hats\n3,Cap,hats\n'


@pytest.mark.parametrize(
    ("name", "encoding", "text"),
    [
        ("f.csv", "utf-8", TABLE),
        ("f.csv", "utf-8-sig", TABLE),
        ("f.csv", "utf-8-sig", TABLE.replace("id,", '"id",')),
        ("f.CSV", "utf-8", TABLE.replace("\n", "\r\n")),
        ("f.csv.gz", "utf-8", TABLE),
        ("f.tsv", "utf-8", TABLE.replace(",", "\t").replace("Red\t", "Red,")),
    ],
)
def test_tables(write, name, encoding, text):
    sentences = read_table(write(text, name, encoding), "title", "kind")
    assert content_of(sentences) == [
        ("shoes", ["Red", ",", "new", "boots"]),
        ("hats", ["A", '"', "felt", '"', "hat"]),
        ("hats", ["Cap"]),
    ]
    assert not any(is_annotated(sentence, "ner") for sentence in sentences)


def test_table_options(write):
    path = write('text|class\n5" pipe|tools\n', "f.txt")
    options = {"delimiter": "|", "quoting": csv.QUOTE_NONE}
    whole = TokenizerWrapper(lambda text: [text])
    sentences = read_table(path, "text", "class", tokenizer=whole, **options)
    assert content_of(sentences) == [("tools", ['5" pipe'])]
    with pytest.raises(ValueError, match="delimiter="):
        read_table(path, "text", "class")


def test_a_missing_column_lists_the_columns(write):
    with pytest.raises(DataError, match="'id', 'title', 'kind'.*'name'"):
        read_table(write(TABLE, "f.csv"), "name", "kind")
    with pytest.raises(DataError, match="no header"):
        read_table(write("", "f.csv"), "title", "kind")
    with pytest.raises(DataError, match="no sentence"):
        read_table(write("title,kind\n", "f.csv"), "title", "kind")


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ("9,only two", "2 field"),
        ("9,a,b,c", "4 field"),
        ("9,,hats", "'title'"),
        ("9, ,hats", "'title'"),
        ("9,Cap,", "'kind'"),
        ('9,"Cap"s,hats', "not CSV"),
    ],
)
def test_malformed_rows_name_their_first_line(write, bad, found):
    path = write(f"{TABLE}{bad}\n4,Hat,hats\n", "f.csv")
    with pytest.raises(DataError) as error:
        read_table(path, "title", "kind")
    assert error.value.line == 7
    assert found in error.value.found
    assert len(read_table(path, "title", "kind", skip_malformed=True)) == 4


def many_rows(*odd):
    """A thousand titles, some of which are replaced."""
    rows = [f"{i},Cap {i},hats" for i in range(1000)]
    for index, row in odd:
        rows[index] = row
    return "\n".join(["id,title,kind", *rows, ""])


def test_an_inch_sign_swallows_no_titles(write, caplog):
    path = write(many_rows((10, '10,"5 inch screen,hats'), (900, '900,Monitor 27",hats')), "f.csv")
    with pytest.raises(DataError, match="more than 100 lines.*--plain-quotes") as error:
        read_table(path, "title", "kind")
    assert error.value.line == 12
    # The quotation mark inside of a field that is not in quotes is a character.
    assert len(read_table(path, "title", "kind", skip_malformed=True)) == 999
    plain = read_table(path, "title", "kind", quoting=csv.QUOTE_NONE)
    assert len(plain) == 1000 and "go over several lines" not in caplog.text


def test_rows_that_go_over_several_lines_are_counted(write, caplog):
    path = write(many_rows((10, '10,"5 inch screen,hats'), (15, '15,Monitor 27",hats')), "f.csv")
    assert len(read_table(path, "title", "kind")) == 995
    assert (
        "1 row(s) in quotes go over several lines, 6 in all, the first from line 12" in caplog.text
    )


def test_what_comes_after_an_open_quote_is_read_again(write):
    path = write(many_rows((997, '997,"Cap,hats')), "f.csv")
    assert len(read_table(path, "title", "kind", skip_malformed=True)) == 999


def test_an_open_quote_names_the_line_where_it_opens(write):
    with pytest.raises(DataError, match="line 7.*QUOTE_NONE"):
        read_table(write(TABLE + '9,"Cap,hats\n8,Cap,hats\n', "f.csv"), "title", "kind")


def test_a_carriage_return_in_a_text_is_a_space(write):
    (sentence,) = read_table(write('title,kind\n"T-\rshirt x",hats\n', "f.csv"), "title", "kind")
    assert [token.text for token in sentence][-1] == "x"


def test_undecodable_rows(write):
    path = write("title,kind\nCap,hats\nñ,hats\n", "f.csv", "latin-1")
    with pytest.raises(DataError, match="line 3.*not utf-8"):
        read_table(path, "title", "kind")
    assert len(read_table(path, "title", "kind", skip_malformed=True)) == 1


@needs_data
@pytest.mark.parametrize(
    ("name", "count", "categories"),
    [
        ("titles-id/categories-shopee.txt", 1392, 5),
        ("titles-id/categories-tokopedia.dev.txt", 1000, 8),
        ("titles-vi/categories.train.txt", 3092, 12),
    ],
)
def test_real_files(name, count, categories):
    sentences = read_fasttext(SHARED / name)
    assert len(sentences) == count
    assert len({sentence.get_label("category").value for sentence in sentences}) == categories
    words = [len(line.split(" ")) - 1 for line in (SHARED / name).read_text("utf-8").splitlines()]
    assert [len(sentence) for sentence in sentences] == words
