"""Files as data: what is written, and what reading refuses to run."""

import io
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from torch.torch_version import TorchVersion

from flair_jointner.models.state import (
    ModelFileError,
    class_name,
    read_flair_state,
    read_state,
    to_plain,
    write_state,
)


class Thing:
    """An object that is no plain data."""

    def __init__(self):
        self.value = 3


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def state(**more):
    return {"state_dict": {"w": torch.arange(3.0)}, "__cls__": "JointTagger", **more}


VALUES = {
    "none": None,
    "numbers": [1, 2.5, True, (3, "four")],
    "nested": {"a": {"b": [b"bytes"]}},
    "numpy": np.float32(1.5),
    "path": Path("some/where"),
    "version": TorchVersion("2.13.0"),
    "ordered": OrderedDict(x=1),
}


def test_plain_data_comes_back(tmp_path):
    assert write_state(state(**VALUES), tmp_path / "m.pt") == []
    found = read_state(tmp_path / "m.pt")
    assert torch.equal(found["state_dict"]["w"], torch.arange(3.0))
    assert found["nested"] == VALUES["nested"]
    assert found["numbers"] == VALUES["numbers"]
    assert found["numpy"] == 1.5
    assert found["path"] == str(Path("some/where"))
    assert found["version"] == "2.13.0"
    assert found["ordered"] == {"x": 1}
    assert type(found["version"]) is str


def test_a_file_is_read_by_torch_with_weights_only(tmp_path):
    dictionary = tiny.dictionary(add_unk=True)
    write_state(state(d=dictionary, b=io.BytesIO(b"xyz"), **VALUES), tmp_path / "m.pt")
    raw = torch.load(tmp_path / "m.pt", weights_only=True)
    assert raw["__cls__"] == "JointTagger"
    assert raw["needs_trust"] == []


@pytest.mark.parametrize("spans", [True, False])
@pytest.mark.parametrize("add_unk", [True, False])
def test_dictionaries_and_byte_streams_are_rebuilt(tmp_path, add_unk, spans):
    given = tiny.dictionary(["ö", "<START>", "b"], spans, add_unk)
    write_state(state(deep=[{"d": given}], b=io.BytesIO(b"xyz")), tmp_path / "m.pt")
    found = read_state(tmp_path / "m.pt")
    rebuilt = found["deep"][0]["d"]
    assert rebuilt.get_items() == given.get_items()
    assert rebuilt.get_idx_for_item("<START>") == given.get_idx_for_item("<START>")
    assert (rebuilt.add_unk, rebuilt.span_labels) == (add_unk, spans)
    assert found["b"].read() == b"xyz"


def test_objects_are_named_and_need_trust(tmp_path):
    path = tmp_path / "m.pt"
    names = write_state(state(thing=Thing(), more=[Thing()]), path)
    assert len(names) == 1
    assert names[0].endswith("Thing")
    with pytest.raises(ModelFileError, match="(?s)can run any code.*trust=True.*Thing"):
        read_state(path)
    assert read_state(path, trust=True)["thing"].value == 3


@pytest.mark.parametrize("read", [read_state, read_flair_state])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_trap_does_not_go_off(tmp_path, read, protocol):
    path, mark = tmp_path / "m.pt", tmp_path / "sprung"
    torch.save(state(trap=Trap(mark)), path, pickle_protocol=protocol)
    with pytest.raises(ModelFileError):
        read(path)
    assert class_name(path) == "JointTagger"
    assert not mark.exists()
    read(path, trust=True)
    assert mark.exists()


@pytest.mark.parametrize("call", ["builtins.eval", "os.system", "torch.load", "builtins.getattr"])
def test_the_unpickler_for_flairs_files_builds_harmless_classes_only(tmp_path, call):
    module, name = call.split(".")

    class Call:
        def __reduce__(self):
            import importlib

            return getattr(importlib.import_module(module), name), ("0",)

    torch.save(state(call=Call()), tmp_path / "m.pt", pickle_protocol=4)
    with pytest.raises(ModelFileError, match="trust=True"):
        read_flair_state(tmp_path / "m.pt")


def nothing_here(path: Path):
    return path


def empty(path: Path):
    path.write_bytes(b"")


def text(path: Path):
    path.write_text("This is a text, no model.\n" * 20, encoding="utf-8")


def noise(path: Path):
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def folder(path: Path):
    path.mkdir()


def cut(path: Path):
    write_state(state(), path)
    path.write_bytes(path.read_bytes()[:-200])


def bare_pickle(path: Path):
    path.write_bytes(pickle.dumps({"state_dict": 1}))


def no_model(path: Path):
    torch.save([1, 2], path)


@pytest.mark.parametrize("read", [read_state, read_flair_state])
@pytest.mark.parametrize("trust", [True, False])
@pytest.mark.parametrize("make", [empty, text, noise, cut, bare_pickle])
def test_what_is_no_model_file_is_named_so_and_needs_no_trust(tmp_path, make, trust, read):
    path = tmp_path / "m.pt"
    make(path)
    with pytest.raises(ModelFileError, match="m.pt is not a model file") as caught:
        read(path, trust)
    assert "trust" not in str(caught.value)
    assert class_name(path) is None


@pytest.mark.parametrize("read", [read_state, read_flair_state])
def test_a_file_with_something_else_says_what(tmp_path, read):
    no_model(tmp_path / "m.pt")
    with pytest.raises(ModelFileError, match="holds no model, but a list"):
        read(tmp_path / "m.pt")


@pytest.mark.parametrize("read", [read_state, read_flair_state])
@pytest.mark.parametrize("make", [nothing_here, folder])
def test_a_missing_file_is_named_with_the_folder_looked_in(tmp_path, make, read):
    make(tmp_path / "m.pt")
    with pytest.raises(FileNotFoundError, match=r"no model file .*m\.pt .looked in"):
        read(tmp_path / "m.pt")


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, MemoryError])
def test_a_crash_while_writing_leaves_the_old_file_whole(tmp_path, monkeypatch, error):
    path = tmp_path / "m.pt"
    write_state(state(version="old"), path)

    def crash(value, file):
        file.write(b"half a")
        raise error

    monkeypatch.setattr(torch, "save", crash)
    with pytest.raises(error):
        write_state(state(version="new"), path)
    monkeypatch.undo()
    assert read_state(path)["version"] == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["m.pt"]


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_ctrl_c_while_torch_writes_stays_ctrl_c(tmp_path, monkeypatch, writes):
    """Torch closes its half-written file with a RuntimeError, which no trainer takes for Ctrl-C."""

    class Interrupted(io.BytesIO):
        left = writes

        def write(self, data):
            self.left -= 1
            if self.left == -1:
                raise KeyboardInterrupt
            return super().write(data)

    monkeypatch.setattr(Path, "open", lambda *_: Interrupted())
    with pytest.raises(KeyboardInterrupt):
        write_state(state(weights=torch.zeros(100)), tmp_path / "m.pt")


def test_the_class_is_found_in_files_of_torch_and_flair(tmp_path):
    write_state(state(), tmp_path / "ours.pt")
    torch.save({"state_dict": {}, "__cls__": "TextClassifier"}, tmp_path / "theirs.pt")
    torch.save(
        {"state_dict": {}, "__cls__": "SequenceTagger"}, tmp_path / "old.pt", pickle_protocol=4
    )
    torch.save({"state_dict": {}}, tmp_path / "none.pt")
    names = [class_name(tmp_path / f"{name}.pt") for name in ("ours", "theirs", "old", "none")]
    assert names == ["JointTagger", "TextClassifier", "SequenceTagger", None]


def test_what_has_no_plain_form_is_handed_over():
    thing = Thing()
    found = to_plain({"a": [thing, 1], "b": {2, 3}}, on_object=lambda value: type(value).__name__)
    assert found == {"a": ["Thing", 1], "b": "set"}


def test_written_tensors_carry_no_graph(tmp_path):
    weight = torch.nn.Parameter(torch.ones(2))
    write_state(state(result=weight * 2), tmp_path / "m.pt")
    assert not read_state(tmp_path / "m.pt")["result"].requires_grad
