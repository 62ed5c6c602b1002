"""Saving and loading for models of this package."""

import logging
from pathlib import Path
from typing import Any

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
            trust: Whether the file may hold objects, the reading of which can run any code.

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
            state = read_state(path, trust)
        model = cls._init_model_with_state_dict(state)
        model.model_card = state.get("model_card")
        model.eval()
        return model.to(flair.device)

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
        if name in _names_below(ModelFile):
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


def _names_below(parent: type) -> set[str]:
    """Names of the classes that are made from one."""
    children: list[type] = parent.__subclasses__()
    return {child.__name__ for child in children}.union(*map(_names_below, children))


def find_model(name: str | Path) -> Path:
    """Where a model lies.

    Args:
        name: A file, or a name on the hub (``owner/name``), from where it is downloaded.

    Returns:
        The file, which may not exist.
    """
    return Path(SequenceTagger._fetch_model(str(name))) if _is_hub_name(str(name)) else Path(name)


def _is_hub_name(name: str) -> bool:
    """Whether a name can be ``owner/model`` on the hub: no file, no suffix of one."""
    if Path(name).exists() or name.count("/") != 1 or Path(name).suffix:
        return False
    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True
