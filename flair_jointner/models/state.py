"""Model files that are data: writing one is atomic, and reading one runs no code from it."""

import io
import pickle
import pickletools
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
import torch
from flair.data import Dictionary
from torch import Tensor

from flair_jointner.data.whole_files import written_whole

_KIND = "__kind__"


class ModelFileError(ValueError):
    """A model file that cannot be read as asked."""


def write_state(state: Mapping[str, Any], path: str | Path) -> list[str]:
    """Writes a model's state so that a crash leaves the old file whole.

    Args:
        state: The state; what is not plain data in it is turned into plain data where possible.
        path: The file to write.

    Returns:
        Class names of the objects that are not plain data. A file that holds any can only be read
        with ``trust=True``.
    """
    path = Path(path)
    objects: list[str] = []

    def keep(value: Any) -> Any:
        objects.append(f"{type(value).__module__}.{type(value).__qualname__}")
        return value

    # The class name comes first, so that `class_name` finds it without reading on.
    plain = {"__cls__": state["__cls__"], **to_plain(dict(state), keep)}
    plain["needs_trust"] = sorted(set(objects))
    # torch writes the name of a path into the file, but not that of an open file.
    with written_whole(path) as temporary, temporary.open("wb") as file:
        _save(plain, file)
    return plain["needs_trust"]


def _save(state: dict[str, Any], file: BinaryIO) -> None:
    """Lets Ctrl-C through, which torch covers with an error over its half-written file."""
    try:
        torch.save(state, file)
    except RuntimeError as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise


def read_state(path: str | Path, trust: bool = False) -> dict[str, Any]:
    """Reads the state of a model of this package on the CPU.

    Args:
        path: A file that :func:`write_state` wrote.
        trust: Whether the file may run code while it is read.

    Returns:
        The state with its Flair objects rebuilt.

    Raises:
        FileNotFoundError: If there is no such file.
        ModelFileError: If it is no model file, or holds objects and is not trusted.
    """
    return decode_state(_read(path, weights_only=not trust))


def read_flair_state(path: str | Path, trust: bool = False) -> dict[str, Any]:
    """Reads the state of a model that Flair itself saved, on the CPU.

    Flair writes its files so that torch's ``weights_only=True`` refuses them all. Here they are
    unpickled with a short list of harmless classes, which the models that this package starts from
    need no more than.

    Args:
        path: A file that Flair wrote.
        trust: Whether the file may run code while it is read.

    Returns:
        The state.

    Raises:
        FileNotFoundError: If there is no such file.
        ModelFileError: If it is no model file, or holds other objects and is not trusted.
    """
    return _read(path, weights_only=False, pickle_module=pickle if trust else _harmless_pickle)


class _HarmlessUnpickler(pickle.Unpickler):
    """Builds tensors, containers and Flair dictionaries, and nothing else."""

    _classes = frozenset(
        {
            ("_io", "BytesIO"),
            ("builtins", "int"),
            ("collections", "OrderedDict"),
            ("collections", "defaultdict"),
            ("flair.data", "Dictionary"),
            ("torch", "Size"),
            ("torch._utils", "_rebuild_parameter"),
            ("torch._utils", "_rebuild_tensor_v2"),
            ("torch.torch_version", "TorchVersion"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._classes:
            raise UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


_harmless_pickle = ModuleType("harmless_pickle")
_harmless_pickle.Unpickler = _HarmlessUnpickler  # type: ignore[attr-defined]


def _read(path: str | Path, **torch_load: Any) -> dict[str, Any]:
    path = Path(path)
    if not path.is_file():
        hint = f", but a folder: name a file in it, such as {path / 'best-model.pt'}"
        found = hint if path.is_dir() else ""
        raise FileNotFoundError(f"There is no model file {path} (looked in {Path.cwd()}){found}.")
    if not zipfile.is_zipfile(path):
        raise ModelFileError(f"{path} is not a model file, or a damaged one.")
    try:
        state = torch.load(path, map_location="cpu", **torch_load)
    except UnpicklingError as error:
        raise ModelFileError(
            f"{path} holds more than tensors and plain data, and reading that can run any code. "
            f"If you know where the file comes from, pass trust=True (--trust). ({_reason(error)})"
        ) from error
    except (RuntimeError, EOFError, OSError, KeyError) as error:
        raise ModelFileError(
            f"{path} is not a model file, or a damaged one: {_first_line(error)}"
        ) from error
    if not isinstance(state, dict) or "state_dict" not in state:
        raise ModelFileError(f"{path} holds no model, but a {type(state).__name__}.")
    return state


def decode_state(state: dict[str, Any]) -> dict[str, Any]:
    """Rebuilds the Flair objects in a state; one that is decoded already stays as it is."""
    return _decode(state)


def class_name(path: str | Path) -> str | None:
    """The class that a model file holds, found without executing anything in it.

    Args:
        path: A file written by Flair or by this package.

    Returns:
        The class name; None for a file that names none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            with archive.open(name) as pickled:
                return _string_after_key(pickled, "__cls__")
    except (OSError, StopIteration, zipfile.BadZipFile, ValueError):
        return None


def _string_after_key(pickled: Any, key: str) -> str | None:
    previous = None
    for opcode, argument, _ in pickletools.genops(pickled):
        if isinstance(argument, str) and "UNICODE" in opcode.name:
            if previous == key:
                return argument
            previous = argument
    return None


def to_plain(value: Any, on_object: Callable[[Any], Any]) -> Any:
    """Turns a value into tensors, plain data and dictionaries that :func:`decode_state` rebuilds.

    Args:
        value: Any value.
        on_object: What to do with an object that has no such form.

    Returns:
        The plain value.
    """
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if isinstance(value, Mapping):
        return {to_plain(key, on_object): to_plain(item, on_object) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(to_plain(item, on_object) for item in value)
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, Dictionary):
        flags = {name: getattr(value, name) for name in ("add_unk", "multi_label", "span_labels")}
        return {_KIND: "Dictionary", "items": value.get_items(), **flags}
    if isinstance(value, io.BytesIO):
        return {_KIND: "BytesIO", "data": value.getvalue()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (str, Path)):  # subclasses of str too, such as torch's version
        return str(value)
    return on_object(value)


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        kind = value.get(_KIND)
        if kind == "Dictionary":
            return _decode_dictionary(value)
        if kind == "BytesIO":
            return io.BytesIO(value["data"])
        return {key: _decode(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_decode(item) for item in value)
    return value


def _decode_dictionary(value: dict[str, Any]) -> Dictionary:
    dictionary = Dictionary(add_unk=False)
    for item in value["items"]:
        dictionary.add_item(item)
    dictionary.add_unk = value["add_unk"]
    dictionary.multi_label = value["multi_label"]
    dictionary.span_labels = value["span_labels"]
    return dictionary


def _reason(error: UnpicklingError) -> str:
    """What an unpickler found; torch's has it in the middle of much advice."""
    found = re.search(r"WeightsUnpickler error: (.*?)(\. |$)", str(error), re.MULTILINE)
    return found[1] if found else _first_line(error)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
