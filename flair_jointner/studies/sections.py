"""What the sections of a study's file have in common."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    WrapValidator,
)


def existing(path: Path, info: ValidationInfo) -> Path:
    """Paths in the file are relative to the folder that it lies in."""
    assert info.context is not None  # for the type checker; read_study passes it
    path = info.context["folder"] / path
    if not path.exists():
        raise ValueError(f"there is no {path}")
    return path


def as_list(value: Any) -> Any:
    """One value may stand for a list of it."""
    return [value] if isinstance(value, str | int) else value


def all_different(values: list[Any]) -> list[Any]:
    """A value that is given twice is a slip, and would be run once."""
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    if twice:
        raise ValueError(f"{', '.join(map(repr, dict.fromkeys(twice)))} is given more than once")
    return values


def _number_or_all(value: Any, handler: Any) -> Any:
    """Says both that are possible at once."""
    try:
        return handler(value)
    except ValidationError:
        raise ValueError(f"{value!r} found; possible: a number from 1 on, or all") from None


InputPath = Annotated[Path, AfterValidator(existing)]
Files = Annotated[list[InputPath], Field(min_length=1), BeforeValidator(as_list)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Size = Annotated[PositiveInt | Literal["all"], WrapValidator(_number_or_all)]
Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(all_different)]
Sizes = Annotated[
    list[Size], Field(min_length=1), BeforeValidator(as_list), AfterValidator(all_different)
]
EMPTY_IS_DEFAULT = BeforeValidator(lambda value: {} if value is None else value)
"""For a section without a word below its name."""


class Section(BaseModel):
    """A part of the file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def check_keys(where: str, given: Iterable[Any], possible: Iterable[Any]) -> None:
    """Refuses what is not possible.

    Args:
        where: What holds the keys.
        given: The keys found.
        possible: The keys that can be.

    Raises:
        ValueError: If one cannot be; both sides are named.
    """
    unknown = [key for key in given if key not in possible]
    if unknown:
        raise ValueError(
            f"{where}: {', '.join(map(repr, unknown))} found; possible: "
            f"{', '.join(map(str, possible)) or 'nothing'}"
        )
