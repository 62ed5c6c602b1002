import logging

import pytest

from flair_jointner.data.errors import DataError, MalformedData, MissingPackage


def test_the_message_says_where_what_and_what_else():
    error = DataError("a/b.conll", 7, "3 columns", "2 columns")
    assert str(error) == "a/b.conll, line 7: found 3 columns; expected 2 columns"
    assert (str(error.path), error.line) == ("a/b.conll", 7)
    assert isinstance(error, ValueError)


def test_without_a_line_the_whole_file_is_meant():
    assert str(DataError("f", None, "nothing", "text")) == "f: found nothing; expected text"


def test_the_first_error_is_raised_unless_skipped():
    with (
        MalformedData(skip=False) as malformed,
        pytest.raises(DataError, match="line 1"),
        malformed.catch(),
    ):
        raise DataError("f", 1, "x", "y")


def test_skipped_errors_are_counted_for_each_file(caplog):
    with caplog.at_level(logging.WARNING, "flair_jointner"), MalformedData(skip=True) as malformed:
        for path, lines in (("f", 5), ("g", 1)):
            for line in range(lines):
                with malformed.catch():
                    raise DataError(path, line + 1, "x", "y")
    assert [record.message.split(",")[0] for record in caplog.records] == [
        "f: skipped 5 malformed sentence(s)",
        "g: skipped 1 malformed sentence(s)",
    ]
    assert caplog.records[0].message.count("found x") == 3


def test_nothing_is_logged_without_errors(caplog):
    with MalformedData(skip=True) as malformed, malformed.catch():
        pass
    assert not caplog.records


def test_other_errors_are_never_skipped():
    with (
        MalformedData(skip=True) as malformed,
        pytest.raises(KeyError),
        malformed.catch(),
    ):
        raise KeyError("a fault of the program, not of the data")


def test_a_missing_package_is_an_import_error_that_the_command_line_prints():
    error = MissingPackage("pkg", "to do this", extra="some")
    assert isinstance(error, ImportError) and isinstance(error, ValueError)
    assert str(error) == (
        "pkg is needed to do this and is not installed. Type: pip install 'flair-jointner[some]'"
    )
