"""Plain text, a sentence per line."""

import gzip

import pytest
from flair.tokenization import SpaceTokenizer

from flair_jointner.data.errors import DataError
from flair_jointner.data.raw_text import read_raw_text


def test_each_line_is_cut_and_empty_lines_are_left_out(tmp_path):
    file = tmp_path / "titles.txt"
    file.write_text("Red shoes, 2\n\n \t \nblue\tbag\r\n", "utf-8")
    assert list(read_raw_text(file)) == [["Red", "shoes", ",", "2"], ["blue", "bag"]]
    assert list(read_raw_text(file, SpaceTokenizer())) == [["Red", "shoes,", "2"], ["blue", "bag"]]


def test_packed_files_and_other_encodings_are_read(tmp_path):
    file = tmp_path / "titles.txt.gz"
    file.write_bytes(gzip.compress("señor\n".encode("latin-1")))
    assert list(read_raw_text(file, encoding="latin-1")) == [["señor"]]
    with pytest.raises(DataError, match=r"titles\.txt\.gz, line 1: found the byte\(s\) F1"):
        list(read_raw_text(file))
