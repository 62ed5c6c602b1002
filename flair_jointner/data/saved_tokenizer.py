"""A tokenizer that can be written down as plain data."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from flair.tokenization import Tokenizer

_CLASS = ("class_module", "class_name")


class SavedTokenizer(Tokenizer):
    """A tokenizer whose dictionary says which one it is.

    Flair 0.15.1 keeps no tokenizer in a model. The dictionary has the form of later Flair versions,
    whose models do.
    """

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The constructor's arguments that make this tokenizer, as plain data."""

    def to_dict(self) -> dict[str, Any]:
        """Describes the tokenizer in plain data, for JSON or a model file.

        Returns:
            Its class and its settings.
        """
        return {**dict(zip(_CLASS, _names(type(self)), strict=True)), **self.settings()}

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> SavedTokenizer:
        """Makes the tokenizer that :meth:`to_dict` described.

        Args:
            config: The description.

        Returns:
            The tokenizer.

        Raises:
            ValueError: If it describes a tokenizer of another class.
        """
        found = tuple(config.get(key) for key in _CLASS)
        if found != _names(cls):
            raise ValueError(
                f"The description is of {found[0]}.{found[1]}; {cls.__name__}.from_dict takes one "
                f"that {cls.__name__}.to_dict() gave."
            )
        return cls(**{key: value for key, value in config.items() if key not in _CLASS})

    def __eq__(self, other: object) -> bool:
        """Whether the other is a tokenizer of the same class and settings."""
        if not isinstance(other, SavedTokenizer):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        """The same for equal tokenizers."""
        return hash(tuple(self.to_dict().items()))


def _names(tokenizer: type) -> tuple[str, str]:
    return tokenizer.__module__, tokenizer.__name__
