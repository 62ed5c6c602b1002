"""The configurations of a study's file, and how they are trained."""

import inspect
from typing import Annotated, Any, Literal

from flair.data import Dictionary
from flair.embeddings import WordEmbeddings
from flair.models import SequenceTagger, TextClassifier
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from flair_jointner.models import (
    BaseTagger,
    CharacterCNNEmbeddings,
    DATNet,
    DocumentMaxPoolRNNEmbeddings,
    JointTagger,
)
from flair_jointner.models.embedding import join_characters
from flair_jointner.models.transfer import copy_encoder
from flair_jointner.studies.sections import (
    Section,
    Seed,
    Seeds,
    Sizes,
    as_list,
    check_keys,
)
from flair_jointner.training import LEAST_UPDATES
from flair_jointner.training.progress import quiet_console


class Training(Section):
    """How taggers are trained; the paper's settings if not given.

    Attributes:
        epochs: At most so many.
        batch_size: Sentences per batch.
        learning_rate: Of Adam.
        bad_epochs: Epochs in a row without a better dev score that halve the learning rate.
        bfloat16: Whether to train in mixed precision.
        average_weights: Decay of the moving average of the weights that is scored and saved.
        least_updates: Batches of an epoch at least, for training sets that have fewer.
        decay: ρ of a learning rate that falls with each epoch t, by 1 + ρt.
    """

    epochs: PositiveInt = 100
    batch_size: PositiveInt = 32
    learning_rate: PositiveFloat = 1e-3
    bad_epochs: PositiveInt = 3
    bfloat16: bool = False
    average_weights: Annotated[float, Field(gt=0, lt=1)] | None = None
    least_updates: PositiveInt = LEAST_UPDATES
    decay: Annotated[float, Field(ge=0)] | None = None

    def trainer_arguments(self) -> dict[str, Any]:
        """The same as arguments of :func:`~flair_jointner.training.train`.

        Returns:
            The arguments, without those that are plugins. Flair anneals after one bad epoch more
            than its patience.
        """
        return {
            "max_epochs": self.epochs,
            "mini_batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "patience": self.bad_epochs - 1,
            "bfloat16": self.bfloat16,
            "average_weights": self.average_weights,
            "least_updates": self.least_updates,
        }


class Pretraining(Section):
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
    seed: Seed = 1


class Only(Section):
    """Where a configuration is run, if not everywhere.

    Attributes:
        data: Names of data sets.
        sizes: Training sizes.
        seeds: Seeds.
    """

    data: Annotated[list[str], Field(min_length=1), BeforeValidator(as_list)] | None = None
    sizes: Sizes | None = None
    seeds: Seeds | None = None


class SelfTraining(Section):
    """Arguments of :func:`~flair_jointner.training.self_train`.

    Attributes:
        add: Names of the data set's ``extra`` sentences that are annotated.
        confidence: Least probability of each tag of a sentence that is taken.
        rounds: How often.
    """

    add: Annotated[list[str], BeforeValidator(as_list)]
    confidence: Annotated[float, Field(gt=0, le=1)] = 0.9
    rounds: PositiveInt = 1


class Augmentation(Section):
    """Sentences labelled with a dictionary of the run's own training entities.

    Attributes:
        add: Names of the data set's ``extra`` sentences that are labelled; those in which nothing
            is found are left out.
        limit: How many are drawn; all, if not given.
        min_share: See :func:`~flair_jointner.data.entity_dictionary`.
        ignore_case: Whether case counts for nothing.
    """

    add: Annotated[list[str], BeforeValidator(as_list)]
    limit: PositiveInt | None = None
    min_share: Annotated[float, Field(ge=0, le=1)] = 0.8
    ignore_case: bool = False


class Configuration(BaseModel):
    """One row of the table: a tagger and how it starts.

    Every other key is an argument of ``JointTagger`` (with ``system: datnet`` of ``DATNet``), or of
    the ``SequenceTagger`` below it.

    Attributes:
        system: ``"datnet"`` learns from the data set's ``source`` as well.
        ner_only: Whether the class of the sentence is ignored.
        characters: Whether word vectors from characters stand beside the others; if not given, only
            with ``system: datnet``.
        mixing_rate: The share of DATNet's batches that are the source's; by the roots of the
            numbers of sentences if not given.
        classifier: ``"pretrain"`` starts from the classifier that the study pre-trains.
        add: Names of the data set's ``extra`` sentences that are added to the training data.
        augmentation: Adds extra sentences as a dictionary annotates them.
        self_training: Adds extra sentences as a first tagger annotates them.
        training: Settings in the place of the study's.
        only: Where it is run.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    system: Literal["joint", "datnet"] = "joint"
    ner_only: bool = False
    characters: bool | None = None
    mixing_rate: Annotated[float, Field(gt=0, lt=1)] | None = None
    classifier: Literal["none", "pretrain"] = "none"
    add: Annotated[list[str], BeforeValidator(as_list)] = []
    augmentation: Augmentation | None = None
    self_training: SelfTraining | None = None
    training: dict[str, Any] = {}
    only: Only = Field(default_factory=Only)

    @property
    def tagger(self) -> dict[str, Any]:
        """Arguments of the tagger."""
        given = dict(self.model_extra or {})
        if given.get("attention") == "none":  # as on the command line
            given["attention"] = None
        return given

    @property
    def learns_classes(self) -> bool:
        """Whether the class of the sentence is learnt."""
        return not self.learns_from_source and not self.ner_only

    @property
    def learns_from_source(self) -> bool:
        """Whether the data set's source is learnt from."""
        return self.system == "datnet"

    @property
    def with_characters(self) -> bool:
        """Whether word vectors from characters stand beside the others."""
        return self.learns_from_source if self.characters is None else self.characters

    @property
    def all_added(self) -> list[str]:
        """Names of all ``extra`` sentences that are made use of."""
        parts = [part.add for part in (self.augmentation, self.self_training) if part]
        return [name for names in (self.add, *parts) for name in names]

    @model_validator(mode="after")
    def _check_tagger(self) -> "Configuration":
        """Builds a tagger with these arguments: whatever is wrong with one shows here."""
        others, owner = _KEYS_OF_OTHERS[self.system]
        given = sorted(self.model_fields_set.intersection(others))
        if given:
            raise ValueError(
                f"{', '.join(given)} goes with system: {owner}; leave it out, or choose that system"
            )
        possible = [*Configuration.model_fields, *_tagger_options(_SYSTEMS[self.system])]
        check_keys("the tagger", self.tagger, possible)
        words = WordEmbeddings(None, vocab={"word": 0}, embedding_length=2, name="tiny")
        try:
            with quiet_console():
                tagger = _SYSTEMS[self.system](**_tiny_arguments(self, words), **self.tagger)
        except ValueError:
            raise
        except Exception as error:  # Flair raises anything
            raise ValueError(f"{self.tagger} makes no tagger: {error}") from error
        if self.classifier == "pretrain":
            document = DocumentMaxPoolRNNEmbeddings(
                [join_characters(words, "a") if self.with_characters else words],
                hidden_size=tagger.hidden_size,
            )
            classifier = TextClassifier(
                document, label_type="category", label_dictionary=_dictionary(_CLASSES)
            )
            copy_encoder(classifier, tagger)
        return self


_SYSTEMS: dict[str, type[BaseTagger]] = {"joint": JointTagger, "datnet": DATNet}
_KEYS_OF_OTHERS = {
    "joint": (["mixing_rate"], "datnet"),
    "datnet": (["ner_only", "classifier", "add", "augmentation", "self_training"], "joint"),
}
_CLASSES = ["one", "two"]


def _tiny_arguments(configuration: Configuration, words: WordEmbeddings) -> dict[str, Any]:
    """What the study fills in, as small as it can be."""
    made: dict[str, Any] = {
        "embeddings": words,
        "tag_dictionary": _dictionary(["TYPE"], spans=True),
        "tag_type": "ner",
    }
    if configuration.with_characters and configuration.learns_from_source:
        made["shared_embeddings"] = CharacterCNNEmbeddings("a")
    elif configuration.with_characters:
        made["embeddings"] = join_characters(words, "a")
    if configuration.learns_classes:
        made |= {"class_dictionary": _dictionary(_CLASSES), "class_type": "category"}
    return made


def _tagger_options(system: type[BaseTagger]) -> list[str]:
    """Arguments of a tagger that a file can hold and that the study does not fill in."""
    filled = {"self", "embeddings", "tag_dictionary", "tag_type", "class_dictionary", "class_type"}
    given_as_objects = {"rnn", "init_from_state_dict", "sequence_tagger"}
    of_resources = {"source_embeddings", "source_tag_dictionary", "shared_embeddings"}
    names: dict[str, None] = {}
    for model in system.__mro__:
        if issubclass(model, SequenceTagger) and "__init__" in vars(model):
            names |= dict.fromkeys(inspect.signature(model.__init__).parameters)
    return [name for name in names if name not in filled | given_as_objects | of_resources]


def _dictionary(items: list[str], spans: bool = False) -> Dictionary:
    dictionary = Dictionary(add_unk=False)
    dictionary.span_labels = spans
    for item in items:
        dictionary.add_item(item)
    return dictionary
