"""A tagger from its file, whichever system it is."""

from pathlib import Path

from flair_jointner.models.joint import JointTagger
from flair_jointner.models.model_file import classes_below, find_model
from flair_jointner.models.state import class_name
from flair_jointner.models.tagger import BaseTagger


def load_tagger(path: str | Path, trust: bool = False) -> BaseTagger:
    """Loads a tagger of any system of this package, or of a subclass that is imported.

    Args:
        path: A file that one of them saved, or a name on the Hugging Face hub (``owner/name``).
        trust: Whether the file may hold objects, the reading of which can run any code.

    Returns:
        The tagger, ready to predict.

    Raises:
        FileNotFoundError: If there is no such file.
        ModelFileError: If the file holds another class, is damaged, or needs trust.
    """
    file = find_model(path)
    systems = {system.__name__: system for system in classes_below(BaseTagger)}
    system = systems.get(class_name(file) or "", JointTagger)  # which says what it found instead
    tagger: BaseTagger = system.load(file, trust)
    return tagger
