import gzip
import io

import pytest

from flair_jointner.data import DataError
from flair_jointner.inference.inputs import TextInput, input_format, read_inputs, read_stream


def texts(content: str, file_format, column="text", **options):
    return list(read_stream(io.StringIO(content), "given", column, file_format, **options))


def test_plain_text_keeps_spaces_and_empty_lines():
    assert [item.text for item in texts(" a b\r\n\nc", "text")] == [" a b", "", "c"]


def test_json_lines_give_the_text_and_the_other_fields():
    assert texts('{"title": "a", "id": 3}\n', "jsonl", "title") == [TextInput("a", {"id": 3})]


def test_a_table_gives_quoted_texts_with_line_ends():
    content = 'id,title\n1,"a, b"\n2,"c\nd"\n'
    assert [item.text for item in texts(content, "csv", "title")] == ["a, b", "c\nd"]


@pytest.mark.parametrize(
    ("content", "file_format", "message"),
    [
        ('{"text": "a"}\nnonsense\n', "jsonl", "line 2: found nonsense"),
        ('{"title": "a"}\n', "jsonl", "a text under 'text'"),
        ('{"text": 5}\n', "jsonl", "a text under 'text'"),
        ('{"text": "a"}\n{"text": "b", "price": NaN}\n', "jsonl", "line 2: .*NaN is no JSON"),
        ("[" * 100_000, "jsonl", "line 1: .*a JSON object"),
        ("id,text,id\n1,a,2\n", "csv", "line 1: found id twice; expected a name of its own"),
        ("id,title\n1,a\n", "csv", "found columns id, title; expected a column 'text'"),
        ("", "csv", "found columns \\(none\\)"),
        ("id\ttext\n1\n", "tsv", "line 2: found 1 field"),
        ("text,id,shop\na,1\n", "csv", "line 2: found 2 field.* expected 3, as in the first line"),
        ("id,text\n1,a\n2,Shirt, red\n", "csv", "line 3: found 3 field.* has to be in quotes"),
        ('id\ttext\n1\t"Great\n2\tnice "case"\n3\tlast\n', "tsv", "line 2: .*--plain-quotes"),
        ('text,id\n"a,1\n', "csv", "line 2: .*unexpected end.*--plain-quotes"),
        ('text\n"' + 11_000_000 * "a", "csv", "field limit.*--plain-quotes"),
        ('{"text": "a"}\n{"text": "bad \\ud83d"}\n', "jsonl", "line 2: found one half"),
        ('{"text": "a", "more": ["\\uDE00"]}\n', "jsonl", "line 1: found one half"),
    ],
)
def test_bad_input_says_line_found_and_expected(content, file_format, message):
    with pytest.raises(DataError, match=message):
        texts(content, file_format)


def test_a_number_that_nobody_could_read_again_is_refused():
    with pytest.raises(DataError, match="1e400 is more than a number can be"):
        texts('{"text": "mibal", "price": 1e400}\n', "jsonl")


def test_quotation_marks_may_be_plain_characters():
    content = 'id\ttext\n1\t"Great phone\n2\tnice "case"\n'
    found = texts(content, "tsv", plain_quotes=True)
    assert [item.text for item in found] == ['"Great phone', 'nice "case"']


def test_blank_json_lines_and_a_byte_order_mark_are_passed_over():
    found = texts('\ufeff{"text": "a"}\n\n{"text": "\\ud83d\\ude00"}\n\n', "jsonl")
    assert [item.text for item in found] == ["a", "😀"]
    assert [item.text for item in texts("\ufefftext\na\n", "csv")] == ["a"]


def test_bytes_that_are_no_utf8_are_refused_with_their_line(tmp_path):
    file = tmp_path / "titles.txt"
    file.write_bytes(b"good\nb\xe4d\n")
    with pytest.raises(DataError, match=r"line 2.*--encoding latin-1"):
        list(read_inputs(file))


def test_a_file_may_have_another_encoding(tmp_path):
    file = tmp_path / "titles.txt"
    file.write_bytes(b"good\nb\xe4d\n")
    assert [item.text for item in read_inputs(file, encoding="latin-1")] == ["good", "bäd"]
    with pytest.raises(ValueError, match="unknown encoding: latin-99: name one"):
        list(read_inputs(file, encoding="latin-99"))


def test_gzipped_files_are_read_by_the_name_before_gz(tmp_path):
    file = tmp_path / "titles.jsonl.gz"
    with gzip.open(file, "wt", encoding="utf-8") as stream:
        stream.write('{"text": "á"}\n')
    assert list(read_inputs(file)) == [TextInput("á", {})]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.CSV", "csv"), ("a.tsv.gz", "tsv"), ("a.ndjson", "jsonl"), ("a", "text"), ("a.b", "text")],
)
def test_the_name_tells_the_format(name, expected):
    assert input_format(name) == expected


def test_reading_is_lazy():
    def lines():
        yield '{"text": "a"}\n'
        raise AssertionError("read further than asked for")

    assert next(iter(read_stream(lines(), "given", "text", "jsonl"))).text == "a"


def test_a_long_text_needs_no_quotes():
    (found,) = texts("text\n" + 200_000 * "a" + "\n", "csv")
    assert len(found.text) == 200_000
