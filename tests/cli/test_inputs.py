"""What the commands refuse before they read anything."""

import pytest

from flair_jointner.cli.inputs import check_output


@pytest.mark.parametrize("model", ["best-model.pt", "final-model.pt", "round-0/best-model.pt"])
def test_a_folder_with_models_is_left_alone_unless_asked_for(tmp_path, model):
    (tmp_path / model).parent.mkdir(exist_ok=True)
    (tmp_path / model).touch()
    with pytest.raises(ValueError, match=f"holds {model}: choose another --output"):
        check_output({"output": tmp_path, "overwrite": False})
    check_output({"output": tmp_path, "overwrite": True})


def test_other_folders_and_other_files_are_no_hindrance(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "best-model.pt").touch()
    (tmp_path / "training.log").touch()
    check_output({"output": tmp_path, "overwrite": False})
