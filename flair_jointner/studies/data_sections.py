"""The data sets of a study's file."""

import inspect
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import (
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    field_validator,
    model_validator,
)

from flair_jointner.data import make_tokenizer, train_vectors
from flair_jointner.data.corpus import check_options, fitting_options, format_of
from flair_jointner.data.tokenizers import SEGMENTER
from flair_jointner.studies.sections import (
    Files,
    InputPath,
    Section,
    Sizes,
    check_keys,
    existing,
)


class ClassFiles(Section):
    """Sentences with a class, to pre-train a classifier on.

    Attributes:
        train: Files to train on.
        dev: Files to choose the best epoch on.
    """

    train: Files
    dev: Files | None = None


class Vectors(Section):
    """Word vectors: a file, or how to train them on the texts of a data set.

    The texts are those of training and dev data, of the class files, the ``extra`` files,
    ``texts``, ``raw`` and a source that has no vectors of its own: never those of the test data.

    Attributes:
        file: Vectors that exist; nothing is trained then.
        texts: Further files whose words are trained on, in any format that the readers know.
        raw: Further files of plain text, a sentence per line, in the encoding and with the
            tokenizer of the data set's ``reading``.
        settings: Arguments of :func:`~flair_jointner.data.train_vectors`.
    """

    file: InputPath | None = None
    texts: Files | None = None
    raw: Files | None = None
    settings: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check_settings(self) -> "Vectors":
        _, *possible = inspect.signature(train_vectors).parameters  # the first: the texts
        check_keys("settings", self.settings, possible)
        types = get_type_hints(train_vectors)
        for key, value in self.settings.items():
            try:
                TypeAdapter(types[key]).validate_python(value, strict=True)
            except ValidationError as error:
                message = error.errors(include_url=False)[0]["msg"]
                raise ValueError(
                    f"settings.{key}: {value!r} found; {message[0].lower()}{message[1:]}"
                ) from None
        others = sorted(self.model_fields_set - {"file"})
        if self.file is not None and others:
            raise ValueError(
                f"file goes without {', '.join(others)}, which say how vectors are trained: leave "
                "one side out"
            )
        return self


class AnnotatedFiles(Section):
    """Annotated sentences of one language or domain, to train on.

    Attributes:
        train: Files.
        vectors: Word vectors.
        reading: Arguments of the readers, such as ``encoding`` or ``text_column``; ``tokenizer``
            by its name, and ``file_format`` of all its files.
    """

    train: Files
    vectors: Vectors | None = None
    reading: dict[str, Any] = {}

    @property
    def files(self) -> list[Path]:
        """All files that are read in this way."""
        return self.train

    @property
    def segmenter(self) -> Path | None:
        """The file of the segmenter that cuts texts, if one does."""
        name = self.reading.get("tokenizer")
        if not isinstance(name, str) or not name.startswith(SEGMENTER):
            return None
        return Path(name.removeprefix(SEGMENTER))

    @field_validator("reading")
    @classmethod
    def _find_segmenter(cls, reading: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        name = reading.get("tokenizer")
        if not isinstance(name, str) or not name.startswith(SEGMENTER):
            return reading
        file = existing(Path(name.removeprefix(SEGMENTER)), info)
        return {**reading, "tokenizer": f"{SEGMENTER}{file}"}

    @model_validator(mode="after")
    def _check_reading(self) -> "AnnotatedFiles":
        check_options(self.files, *self.reading_options())
        return self

    def reader_of(self, file: Path) -> tuple[str, dict[str, Any]]:
        """How a file is read.

        Args:
            file: The file.

        Returns:
            Its format, and those of the options that the format has.
        """
        options, file_format = self.reading_options()
        file_format = format_of(file, file_format, options)
        return file_format, fitting_options(file_format, options)

    def reading_options(self) -> tuple[dict[str, Any], str]:
        """How files are read.

        Returns:
            The options of the readers, and the format of the files.
        """
        options = dict(self.reading)
        if "tokenizer" in options:
            options["tokenizer"] = make_tokenizer(options["tokenizer"])
        return options, options.pop("file_format", "auto")


class Source(AnnotatedFiles):
    """What DATNet is trained on beside a data set: another language, or another domain.

    Attributes:
        vectors: Word vectors of its own, of as many dimensions; those of the data set, which are
            then trained on the words of both, if not given.
    """


def _rest_or_files(value: Any, handler: Any) -> Any:
    """Says what is wrong with the files: few that are not right are a misspelled rest."""
    try:
        return handler(value)
    except ValidationError as error:
        found = [one["msg"] for one in error.errors() if one["type"] != "literal_error"]
        raise ValueError(f"{found[0].removeprefix('Value error, ')}; or say rest") from None


class Data(AnnotatedFiles):
    """A data set.

    Attributes:
        train: Annotated sentences, of which the training sizes are taken.
        vectors: In the place of the study's.
        dev: Annotated sentences to choose the best epoch on.
        test: Annotated sentences for the final scores.
        source: What DATNet learns from as well; all of it, whatever the training size.
        classes: What the classifier is pre-trained on; the classes of ``train``, if not given.
        extra: Further training sentences by a name that configurations can ``add``: files with
            augmented data or with a class only; or ``"rest"``, the sentences of ``train`` beyond
            the training size, with their class only.
        tag_type: Label type of the entities.
        class_type: Label type of the sentence's class; none for data without.
        without_seen: Whether test sentences that occur in ``train`` are left out.
        sizes: In the place of the study's.
    """

    dev: Files
    test: Files
    source: Source | None = None
    classes: ClassFiles | None = None
    extra: dict[str, Annotated[Literal["rest"] | Files, WrapValidator(_rest_or_files)]] = {}
    tag_type: str = "ner"
    class_type: str | None = "category"
    without_seen: bool = False
    sizes: Sizes | None = None

    @property
    def files(self) -> list[Path]:
        """All files but those of the word vectors and of the source."""
        classes = [*self.classes.train, *(self.classes.dev or [])] if self.classes else []
        extra = [file for files in self.extra.values() if files != "rest" for file in files]
        return [*self.train, *self.dev, *self.test, *classes, *extra]
