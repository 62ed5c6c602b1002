import pytest

from flair_jointner.data.whole_files import written_whole


def test_the_file_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    with written_whole(path) as temporary:
        assert temporary.parent == tmp_path
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_after_an_error_the_old_file_is_as_it_was(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="full"), written_whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("the disk is full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_or_device_is_not_replaced(tmp_path):
    message = "is not a file that can be replaced"
    with pytest.raises(ValueError, match=message), written_whole(tmp_path):
        pass


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "no" / "f") as temporary:
        temporary.write_text("new")
