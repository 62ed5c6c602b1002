"""Saving and loading for models of this package."""

import logging
from pathlib import Path
from typing import Any, TypeVar

import flair
from flair.models import SequenceTagger
from huggingface_hub.utils import HFValidationError, validate_repo_id

from flair_jointner.models.state import (
    ModelFileError,
    class_name,
    decode_state,
    read_state,
    to_plain,
    write_state,
)

log = logging.getLogger("flair_jointner")

_Class = TypeVar("_Class")
_SUFFIXES = (".pt", ".pth", ".bin", ".pkl", ".safetensors")
"""Of model files; a name on the hub may hold a dot."""
_saved: dict[Path, tuple[int, int, int]] = {}
"""Files that this process has written, and what to know them by."""


class ModelFile(SequenceTagger):
    """A ``SequenceTagger`` whose files hold tensors and plain data only."""

    def save(self, model_file: str | Path, checkpoint: bool = False) -> None:
        """Writes the model; if writing breaks off, an older file of that name stays whole.

        Args:
            model_file: The file.
            checkpoint: Without effect, as in Flair 0.15.1.
        """
        state = self._get_state_dict()
        if self.model_card is not None:
            # The card is for people: what is not plain data (a sampler, say) is named in it.
            state["model_card"] = to_plain(self.model_card, on_object=repr)
        objects = write_state(state, model_file)
        if objects:
            _remember(Path(model_file))
            log.warning(
                "%s holds objects of %s: it can be loaded with trust=True only.",
                model_file,
                ", ".join(objects),
            )

    @classmethod
    def load(cls, model_path: str | Path | dict[str, Any], trust: bool = False) -> Any:
        """Loads a model from a file, from the Hugging Face hub or from a state.

        Args:
            model_path: File, name on the hub (``owner/name``), or the state that a file holds.
            trust: Whether the file may hold objects, the reading of which can run any code. One
                that this process has saved may, and has to: the trainer reads its best model back.

        Returns:
            The model, ready to predict.

        Raises:
            FileNotFoundError: If there is no such file.
            ModelFileError: If the file holds another class, is damaged, or needs trust.
        """
        if isinstance(model_path, dict):
            state = decode_state(model_path)
        else:
            path = find_model(model_path)
            cls._check_class(path, class_name(path))
            state = read_state(path, trust or _is_own(path))
        model = cls._init_model_with_state_dict(state)
        model.model_card = state.get("model_card")
        model.eval()
        return model.to(flair.device)

    def _generate_model_card(self, repo_id: str) -> str:
        return f"""---
tags:
- flair
- token-classification
---

A {type(self).__name__} of flair_jointner, a plugin of [Flair](https://github.com/flairNLP/flair):
`pip install flair_jointner`

```python
from flair.data import Sentence
from flair_jointner.models import load_tagger

tagger = load_tagger("{repo_id}")
sentence = Sentence("A text to tag")
tagger.predict(sentence)
print(sentence)
```
"""

    @classmethod
    def _check_class(cls, path: Path, name: str | None) -> None:
        if name in (None, cls.__name__):
            return
        message = f"{path} holds a {name}, not a {cls.__name__}."
        if name == "SequenceTagger":
            raise ModelFileError(
                f"{message} To start from its weights: JointTagger.from_sequence_tagger(path)."
            )
        if name == "TextClassifier":
            raise ModelFileError(
                f"{message} To start a tagger from its weights: tagger.init_from_classifier(path), "
                "or jointner train --classifier."
            )
        if name in {known.__name__ for known in classes_below(ModelFile)}:
            raise ModelFileError(f"{message} Load it with {name}.load or load_tagger.")
        raise ModelFileError(f"{message} This package does not load such a file.")

    @classmethod
    def _fetch_model(cls, model_name: Any) -> Any:
        """Sends ``flair.nn.Classifier.load`` to our own loader for our own files.

        Flair's abstract loader asks every class in turn where a model lies, and hands the file to
        the first whose answer differs from the question; what no class claims it unpickles
        unsafely. A path of another type differs.
        """
        path = find_model(model_name)
        if path.is_file() and class_name(path) == cls.__name__:
            return str(path) if isinstance(model_name, Path) else path
        return model_name


def _remember(file: Path) -> None:
    _saved[file.resolve()] = _identity(file)


def _is_own(file: Path) -> bool:
    """Whether this process has written a file, and nobody since."""
    return file.is_file() and _saved.get(file.resolve()) == _identity(file)


def _identity(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def classes_below(parent: type[_Class]) -> list[type[_Class]]:
    """A class and those that are made from it.

    Args:
        parent: The class.

    Returns:
        All that are imported.
    """
    return [parent, *(made for child in parent.__subclasses__() for made in classes_below(child))]


def find_model(name: str | Path) -> Path:
    """Where a model lies.

    Args:
        name: A file, or a name on the hub (``owner/name``), from where it is downloaded.

    Returns:
        The file, which may not exist.
    """
    return Path(SequenceTagger._fetch_model(str(name))) if _is_hub_name(str(name)) else Path(name)


def _is_hub_name(name: str) -> bool:
    """Whether a name can be ``owner/model`` or ``owner/model@revision``: no file, and no suffix."""
    repository = name.split("@")[0]
    if Path(name).exists() or name.count("/") != 1 or Path(repository).suffix in _SUFFIXES:
        return False
    try:
        validate_repo_id(repository)
    except HFValidationError:
        return False
    return True
