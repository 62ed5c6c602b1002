"""What a study runs: one YAML file, checked before anything starts."""

import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    NonNegativeInt,
    ValidationError,
    model_validator,
)

from flair_jointner.studies.configuration import (
    Augmentation,
    Configuration,
    Only,
    Pretraining,
    SelfTraining,
    Training,
)
from flair_jointner.studies.data_sections import ClassFiles, Data, Source, Vectors
from flair_jointner.studies.sections import (
    EMPTY_IS_DEFAULT,
    Section,
    Seeds,
    Size,
    Sizes,
    all_different,
    as_list,
    check_keys,
)


class Study(Section):
    """A grid of runs: configurations × seeds × data sets × training sizes.

    Attributes:
        output: Folder for results, logs, vectors and classifiers, relative to the file.
        seeds: Each configuration is trained once with each.
        sizes: Numbers of training sentences; each smaller set lies within the larger ones.
        data: The data sets by name.
        configurations: The configurations by name, in the order of the table.
        baselines: Configurations that the others are compared with; the first one, if not given.
        vectors: Word vectors of data sets that do not say otherwise.
        training: How taggers are trained.
        pretraining: How classifiers are trained.
        subset_seed: Draws the training sets that are smaller than all.
        keep_models: Whether the model of every run is kept.
    """

    output: Path
    seeds: Seeds
    sizes: Sizes = ["all"]
    data: dict[str, Data] = Field(min_length=1)
    configurations: dict[str, Annotated[Configuration, EMPTY_IS_DEFAULT]] = Field(min_length=1)
    baselines: Annotated[
        list[str], Field(min_length=1), BeforeValidator(as_list), AfterValidator(all_different)
    ] = []
    vectors: Annotated[Vectors, EMPTY_IS_DEFAULT] = Field(default_factory=Vectors)
    training: Annotated[Training, EMPTY_IS_DEFAULT] = Field(default_factory=Training)
    pretraining: Annotated[Pretraining, EMPTY_IS_DEFAULT] = Field(default_factory=Pretraining)
    subset_seed: NonNegativeInt = 1
    keep_models: bool = False

    @model_validator(mode="before")
    @classmethod
    def _first_is_baseline(cls, values: Any) -> Any:
        names = values.get("configurations") if isinstance(values, dict) else None
        if isinstance(names, dict) and names:
            return {"baselines": next(iter(names)), **values}
        return values

    @model_validator(mode="after")
    def _check_names(self) -> "Study":
        check_keys("baselines", self.baselines, self.configurations)
        for name, configuration in self.configurations.items():
            only = configuration.only
            where = f"configurations.{name}"
            check_keys(f"{where}.only.data", only.data or [], self.data)
            check_keys(f"{where}.only.sizes", only.sizes or [], self.all_sizes())
            check_keys(f"{where}.only.seeds", only.seeds or [], self.seeds)
            check_keys(f"{where}.training", configuration.training, Training.model_fields)
            self._check_places(where, configuration)
            for data in only.data or self.data:
                check_keys(
                    f"{where}.add, for {data}", configuration.all_added, self.data[data].extra
                )
                if configuration.learns_from_source and self.data[data].source is None:
                    raise ValueError(
                        f"{where} learns from a source as well, and {data} has none: give it one, "
                        "or name the data that have under only"
                    )
                if self.data[data].class_type is None and configuration.learns_classes:
                    raise ValueError(
                        f"{where} learns classes, and {data} has class_type null: set ner_only, or "
                        "name its data under only"
                    )
        return self

    def _check_places(self, where: str, configuration: Configuration) -> None:
        """Refuses a configuration that nothing would be run for, or whose additions are none."""
        only = configuration.only
        places = [
            (data, size)
            for data in only.data or self.data
            for size in self.sizes_of(data)
            if size in (only.sizes or [size])
        ]
        if not places:
            raise ValueError(f"{where}.only: none of these data sets has one of these sizes")
        for data, size in places:
            added = [self.data[data].extra.get(name) for name in configuration.all_added]
            if size == "all" and "rest" in added:
                raise ValueError(
                    f"{where} adds the rest of {data} beyond the training size, and there is none "
                    "at size all: name its sizes under only"
                )

    def sizes_of(self, data: str) -> list[Size]:
        """The training sizes of a data set.

        Args:
            data: Its name.

        Returns:
            Its own, or the study's.
        """
        return self.data[data].sizes or self.sizes

    def all_sizes(self) -> list[Size]:
        """The training sizes of all data sets, the largest last.

        Returns:
            Each size once.
        """
        sizes = {size for data in self.data for size in self.sizes_of(data)}
        return sorted(sizes, key=lambda size: (size == "all", size))

    def training_of(self, configuration: str) -> Training:
        """The training settings of a configuration.

        Args:
            configuration: Its name.

        Returns:
            The study's settings, with those of the configuration in their place.
        """
        own = self.configurations[configuration].training
        return Training(**{**self.training.model_dump(), **own})

    def vectors_of(self, data: str) -> Vectors:
        """The word vectors of a data set.

        Args:
            data: Its name.

        Returns:
            Its own, or the study's.
        """
        return self.data[data].vectors or self.vectors


_MERGE = "tag:yaml.org,2002:merge"  # <<: *anchor


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would keep the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = []
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.YAMLError(f"{key!r} is given twice, the second time in line {line}")
            seen.append(key)
        return super().construct_mapping(node, deep)


# YAML 1.1 takes 1e-3 for a text, as it has no point.
_UniqueKeys.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), "-+0123456789"
)


def read_study(path: str | Path) -> Study:
    """Reads and checks a study's file.

    Args:
        path: A YAML file.

    Returns:
        The study, with absolute paths.

    Raises:
        ValueError: If a key or a value is wrong: each is named, with what is possible.
    """
    path = Path(path)
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML in UTF-8: {error}") from error
    folder = path.resolve().parent
    try:
        study = Study.model_validate({} if values is None else values, context={"folder": folder})
    except ValidationError as error:
        raise ValueError(f"{path} cannot be run:{_describe(error)}") from None
    for name in study.configurations:
        try:
            study.training_of(name)
        except ValidationError as error:
            where = f"configurations.{name}.training."
            raise ValueError(f"{path} cannot be run:{_describe(error, where)}") from None
    return study.model_copy(update={"output": folder / study.output})


def _describe(error: ValidationError, where: str = "") -> str:
    """A line for each thing that is wrong."""
    lines = [""]
    for problem in error.errors(include_url=False):
        place = where + ".".join(str(part) for part in problem["loc"]) or "the file"
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = f"no such key; possible: {', '.join(_keys_beside(problem['loc']))}"
        elif problem["loc"][-1:] == ("[key]",):
            message = (
                f"{problem['input']!r} found where a name is wanted; YAML takes a bare no, yes or "
                "number for a value: put the name in quotes"
            )
        elif problem["type"] in ("model_type", "dict_type"):
            message = f"{problem['input']!r} found; keys with values are wanted"
        elif problem["type"] not in ("value_error", "missing"):
            message = f"{problem['input']!r} found; {message[0].lower()}{message[1:]}"
        lines.append(f"  {place}: {message}")
    return "\n".join(lines)


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """The keys that are possible where an unknown one was found."""
    sections: dict[str, type[BaseModel]] = {
        "classes": ClassFiles,
        "source": Source,
        "vectors": Vectors,
        "training": Training,
        "pretraining": Pretraining,
        "only": Only,
        "augmentation": Augmentation,
        "self_training": SelfTraining,
    }
    named = location[0] in ("data", "configurations")  # what follows is a name of the user's
    parents = [part for part in location[2 if named else 0 : -1] if part in sections]
    if parents:
        return list(sections[str(parents[-1])].model_fields)
    return list((Data if location[0] == "data" and len(location) > 2 else Study).model_fields)
