"""What a study runs: one YAML file, checked before anything starts."""

import inspect
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from flair.data import Dictionary
from flair.embeddings import WordEmbeddings
from flair.models import SequenceTagger
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from flair_jointner.data import train_vectors
from flair_jointner.models import JointTagger
from flair_jointner.training.progress import quiet_console


def _existing(path: Path, info: ValidationInfo) -> Path:
    """Paths in the file are relative to the folder that it lies in."""
    assert info.context is not None  # for the type checker; read_study passes it
    path = info.context["folder"] / path
    if not path.exists():
        raise ValueError(f"there is no {path}")
    return path


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | int) else value


InputPath = Annotated[Path, AfterValidator(_existing)]
Files = Annotated[list[InputPath], BeforeValidator(_as_list), Field(min_length=1)]
Size = PositiveInt | Literal["all"]


class _Section(BaseModel):
    """A part of the file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClassFiles(_Section):
    """Sentences with a class, to pre-train a classifier on.

    Attributes:
        train: Files to train on.
        dev: Files to choose the best epoch on.
    """

    train: Files
    dev: Files | None = None


class Vectors(_Section):
    """Word vectors: a file, or how to train them on the texts of a data set.

    The texts are those of training and dev data, of the class files and of ``texts``: never those
    of the test data.

    Attributes:
        file: Vectors that exist; nothing is trained then.
        texts: Further files whose words are trained on, in any format that the readers know.
        settings: Arguments of :func:`~flair_jointner.data.train_vectors`.
    """

    file: InputPath | None = None
    texts: Files | None = None
    settings: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check_settings(self) -> "Vectors":
        possible = list(inspect.signature(train_vectors).parameters)[1:]  # the first: the texts
        _check_keys("settings", self.settings, possible)
        return self


class Data(_Section):
    """A data set.

    Attributes:
        train: Annotated sentences, of which the training sizes are taken.
        dev: Annotated sentences to choose the best epoch on.
        test: Annotated sentences for the final scores.
        classes: What the classifier is pre-trained on; the classes of ``train``, if not given.
        extra: Further training sentences by a name that configurations can ``add``: files with
            augmented data or with a class only; or ``"rest"``, the sentences of ``train`` beyond
            the training size, with their class only.
        vectors: In the place of the study's.
        tag_type: Label type of the entities.
        class_type: Label type of the sentence's class; none for data without.
        reading: Arguments of the readers, such as ``encoding`` or ``text_column``.
        without_seen: Whether test sentences that occur in ``train`` are left out.
        sizes: In the place of the study's.
    """

    train: Files
    dev: Files
    test: Files
    classes: ClassFiles | None = None
    extra: dict[str, Literal["rest"] | Files] = {}
    vectors: Vectors | None = None
    tag_type: str = "ner"
    class_type: str | None = "category"
    reading: dict[str, Any] = {}
    without_seen: bool = False
    sizes: list[Size] | None = Field(default=None, min_length=1)


class Training(_Section):
    """How taggers are trained; the paper's settings if not given.

    Attributes:
        epochs: At most so many.
        batch_size: Sentences per batch.
        learning_rate: Of Adam.
        bad_epochs: Epochs in a row without a better dev score that halve the learning rate.
        bfloat16: Whether to train in mixed precision.
        average_weights: Decay of the moving average of the weights that is scored and saved.
    """

    epochs: PositiveInt = 100
    batch_size: PositiveInt = 32
    learning_rate: PositiveFloat = 1e-3
    bad_epochs: PositiveInt = 3
    bfloat16: bool = False
    average_weights: Annotated[float, Field(gt=0, lt=1)] | None = None

    def trainer_arguments(self) -> dict[str, Any]:
        """The same as arguments of :func:`~flair_jointner.training.train`.

        Returns:
            The arguments. Flair anneals after one bad epoch more than its patience.
        """
        return {
            "max_epochs": self.epochs,
            "mini_batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "patience": self.bad_epochs - 1,
            "bfloat16": self.bfloat16,
            "average_weights": self.average_weights,
        }


class Pretraining(_Section):
    """How classifiers are trained; the paper's settings if not given.

    Attributes:
        epochs: The paper's 2 suit hundreds of thousands of sentences.
        batch_size: Sentences per batch.
        learning_rate: Of Adam.
        seed: One classifier serves the runs of all seeds.
    """

    epochs: PositiveInt = 2
    batch_size: PositiveInt = 32
    learning_rate: PositiveFloat = 1e-3
    seed: int = 1


class Only(_Section):
    """Where a configuration is run, if not everywhere.

    Attributes:
        data: Names of data sets.
        sizes: Training sizes.
        seeds: Seeds.
    """

    data: list[str] | None = None
    sizes: list[Size] | None = None
    seeds: list[int] | None = None


class SelfTraining(_Section):
    """Arguments of :func:`~flair_jointner.training.self_train`.

    Attributes:
        add: Names of the data set's ``extra`` sentences that are annotated.
        confidence: Least probability of each tag of a sentence that is taken.
        rounds: How often.
    """

    add: Annotated[list[str], BeforeValidator(_as_list)]
    confidence: Annotated[float, Field(gt=0, le=1)] = 0.9
    rounds: PositiveInt = 1


class Configuration(BaseModel):
    """One row of the table: a tagger and how it starts.

    Every other key is an argument of ``JointTagger``, or of the ``SequenceTagger`` below it.

    Attributes:
        ner_only: Whether the class of the sentence is ignored.
        classifier: ``"pretrain"`` starts from the classifier that the study pre-trains.
        add: Names of the data set's ``extra`` sentences that are added to the training data.
        self_training: Adds extra sentences as a first tagger annotates them.
        training: Settings in the place of the study's.
        only: Where it is run.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    ner_only: bool = False
    classifier: Literal["none", "pretrain"] = "none"
    add: Annotated[list[str], BeforeValidator(_as_list)] = []
    self_training: SelfTraining | None = None
    training: dict[str, Any] = {}
    only: Only = Field(default_factory=Only)

    @property
    def tagger(self) -> dict[str, Any]:
        """Arguments of ``JointTagger``."""
        return dict(self.model_extra or {})

    @property
    def all_added(self) -> list[str]:
        """Names of all ``extra`` sentences that are made use of."""
        return [*self.add, *(self.self_training.add if self.self_training else [])]

    @model_validator(mode="after")
    def _check_tagger(self) -> "Configuration":
        """Builds a tagger with these arguments: whatever is wrong with one shows here."""
        _check_keys("the tagger", self.tagger, [*Configuration.model_fields, *_tagger_options()])
        try:
            with quiet_console():
                JointTagger(
                    WordEmbeddings(None, vocab={"word": 0}, embedding_length=2, name="tiny"),
                    _dictionary(["TYPE"], spans=True),
                    "ner",
                    None if self.ner_only else _dictionary(["one", "two"]),
                    None if self.ner_only else "category",
                    **self.tagger,
                )
        except (TypeError, RuntimeError, AssertionError) as error:
            raise ValueError(f"{self.tagger} makes no tagger: {error}") from error
        return self


class Study(_Section):
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
    seeds: list[int] = Field(min_length=1)
    sizes: list[Size] = Field(default=["all"], min_length=1)
    data: dict[str, Data] = Field(min_length=1)
    configurations: dict[str, Configuration] = Field(min_length=1)
    baselines: Annotated[list[str], BeforeValidator(_as_list)] = []
    vectors: Vectors = Field(default_factory=Vectors)
    training: Training = Field(default_factory=Training)
    pretraining: Pretraining = Field(default_factory=Pretraining)
    subset_seed: NonNegativeInt = 1
    keep_models: bool = False

    @model_validator(mode="before")
    @classmethod
    def _first_is_baseline(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("configurations"):
            return {"baselines": next(iter(values["configurations"])), **values}
        return values

    @model_validator(mode="after")
    def _check_names(self) -> "Study":
        _check_keys("baselines", self.baselines, self.configurations)
        for name, configuration in self.configurations.items():
            only = configuration.only
            where = f"configurations.{name}"
            _check_keys(f"{where}.only.data", only.data or [], self.data)
            _check_keys(f"{where}.only.sizes", only.sizes or [], self.all_sizes())
            _check_keys(f"{where}.only.seeds", only.seeds or [], self.seeds)
            _check_keys(f"{where}.training", configuration.training, Training.model_fields)
            for data in only.data or self.data:
                _check_keys(
                    f"{where}.add, for {data}", configuration.all_added, self.data[data].extra
                )
                if self.data[data].class_type is None and not configuration.ner_only:
                    raise ValueError(
                        f"{where} learns classes, and {data} has class_type null: set ner_only, or "
                        "name its data under only"
                    )
        return self

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
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    folder = path.resolve().parent
    try:
        study = Study.model_validate(values, context={"folder": folder})
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
        elif problem["type"] not in ("value_error", "missing"):
            message = f"{problem['input']!r} found; {message[0].lower()}{message[1:]}"
        lines.append(f"  {place}: {message}")
    return "\n".join(lines)


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """The keys that are possible where an unknown one was found."""
    sections: dict[str, type[BaseModel]] = {
        "classes": ClassFiles,
        "vectors": Vectors,
        "training": Training,
        "pretraining": Pretraining,
        "only": Only,
    }
    parents = [part for part in location[:-1] if part in sections]
    if parents:
        return list(sections[str(parents[-1])].model_fields)
    return list((Data if location[0] == "data" and len(location) > 2 else Study).model_fields)


def _check_keys(where: str, given: Any, possible: Any) -> None:
    unknown = [key for key in given if key not in possible]
    if unknown:
        raise ValueError(
            f"{where}: {', '.join(map(repr, unknown))} found; possible: "
            f"{', '.join(map(str, possible)) or 'nothing'}"
        )


def _tagger_options() -> list[str]:
    """Arguments of ``JointTagger`` that a file can hold and that the study does not fill in."""
    filled = {"self", "embeddings", "tag_dictionary", "tag_type", "class_dictionary", "class_type"}
    given_as_objects = {"rnn", "init_from_state_dict", "tag_dictionary", "sequence_tagger"}
    names: dict[str, None] = {}
    for model in (JointTagger, SequenceTagger):
        names |= dict.fromkeys(inspect.signature(model.__init__).parameters)
    return [name for name in names if name not in filled | given_as_objects]


def _dictionary(items: list[str], spans: bool = False) -> Dictionary:
    dictionary = Dictionary(add_unk=False)
    dictionary.span_labels = spans
    for item in items:
        dictionary.add_item(item)
    return dictionary
