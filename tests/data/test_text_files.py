import gzip

import pytest

from flair_jointner.data.errors import DataError
from flair_jointner.data.text_files import check_decoded, read_lines, read_raw_lines


def test_only_line_feeds_end_lines(tmp_path):
    path = tmp_path / "f"
    path.write_bytes("a\u2028b\u0085c\x0bd\r\ne\n\nf".encode())
    assert read_lines(path) == ["a\u2028b\u0085c\x0bd", "e", "", "f"]
    assert read_raw_lines(path)[0].endswith("\r\n")


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig"])
def test_a_byte_order_mark_is_dropped(tmp_path, encoding):
    path = tmp_path / "f"
    path.write_bytes(b"\xef\xbb\xbfa\n")
    assert read_lines(path, encoding) == ["a"]


def test_gz_is_unpacked(tmp_path):
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress("ä\nb\n".encode()))
    assert read_lines(path) == ["ä", "b"]


def test_bad_bytes_are_named_with_their_line(tmp_path):
    path = tmp_path / "f"
    path.write_bytes("good\nma\xf1ana\n".encode("latin-1"))
    first, second = read_lines(path)
    check_decoded(path, 1, first, "utf-8")
    with pytest.raises(DataError, match="F1, which are not utf-8.*encoding='latin-1'") as error:
        check_decoded(path, 2, second, "utf-8")
    assert error.value.line == 2


def test_utf_16_works_and_its_bad_bytes_are_an_error(tmp_path):
    path = tmp_path / "f"
    path.write_bytes("a\nb\n".encode("utf-16"))
    assert read_lines(path, "utf-16") == ["a", "b"]
    path.write_bytes("a\nb\n".encode("utf-16")[:-1])
    with pytest.raises(DataError, match="not utf-16"):
        read_lines(path, "utf-16")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.conll"):
        read_lines(tmp_path / "nowhere.conll")


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"mibal\n" * 9999, mtime=0)[:-40], b"mibal\n"],
    ids=["cut off", "no gzip at all"],
)
def test_damaged_gzip_data_are_named(tmp_path, content):
    path = tmp_path / "cut.txt.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cut\.txt\.gz: found damaged data .*a whole gzip file"):
        read_lines(path)


@pytest.mark.parametrize("name", ["utf-99", "rot13"])
def test_an_encoding_that_is_none_of_texts_is_refused(tmp_path, name):
    path = tmp_path / "a.txt"
    path.write_bytes(b"mibal\n")
    with pytest.raises(ValueError, match="name one that Python knows"):
        read_lines(path, name)
