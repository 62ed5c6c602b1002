"""Options that several commands share, each group handed to a command as one dictionary."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flair.tokenization import Tokenizer

from flair_jointner.data.tokenizers import TOKENIZERS, make_tokenizer
from flair_jointner.training import LEAST_UPDATES

FILE = click.Path(exists=True, path_type=Path)
COUNT = click.IntRange(min=1)
Command = Callable[..., Any]


class TokenizerName(click.ParamType):
    """An option whose value is the tokenizer that its text names."""

    name = "tokenizer"

    def convert(self, value: Any, *_: Any) -> Tokenizer:
        """Makes the tokenizer."""
        return make_tokenizer(value)


TOKENIZER: dict[str, Any] = {"type": TokenizerName(), "metavar": f"[{'|'.join(TOKENIZERS)}]"}


def option_group(name: str, options: dict[str, Callable[[Command], Command]]) -> Any:
    """Makes a decorator that gives a command a group of options.

    Args:
        name: The command's argument that receives the values, by option, as a dictionary.
        options: click's options by the name of their value.

    Returns:
        The decorator.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_group(**values: Any) -> Any:
            group = {option: values.pop(option) for option in options}
            return command(**values, **{name: group})

        decorated: Command = with_group
        for option in reversed(options.values()):
            decorated = option(decorated)
        return decorated

    return decorate


label_types = option_group(
    "labels",
    {
        "tag_type": click.option(
            "--tag-type", default="ner", show_default=True, help="Label type of the entities."
        ),
        "class_type": click.option(
            "--class-type",
            default="category",
            show_default=True,
            help="Label type of the sentence's class.",
        ),
    },
)

reading = option_group(
    "reading",
    {
        "file_format": click.option(
            "--format",
            "file_format",
            default="auto",
            show_default=True,
            help="columns, slots, pytext, fasttext or table; auto looks at each file.",
        ),
        "class_key": click.option(
            "--class-key",
            help="Key of the comment line that holds the class (# key = value); the class type "
            "if not given.",
        ),
        "text_column": click.option(
            "--text-column",
            help="Column of the tokens (column files: a number from 0) or of the text (tables: a "
            "name).",
        ),
        "tag_column": click.option(
            "--tag-column", type=int, help="Column of the tags, a number from 0; the last one."
        ),
        "class_column": click.option("--class-column", help="Column of the class in a table."),
        "scheme": click.option(
            "--scheme", help="IOB1, BIO, BIOES, BMES or BILOU; found from the file if not given."
        ),
        "encoding": click.option("--encoding", help="Encoding of the files; utf-8 if not given."),
        "tokenizer": click.option(
            "--tokenizer",
            **TOKENIZER,
            help="Cuts the texts of class-only files; space for fastText files and segtok for "
            "tables if not given.",
        ),
        "plain_quotes": click.option(
            "--plain-quotes",
            is_flag=True,
            help="Quotation marks in a table are characters like any other.",
        ),
        "skip_malformed": click.option(
            "--skip-malformed", is_flag=True, help="Skip and count malformed sentences."
        ),
    },
)

source_reading = option_group(
    "source_reading",
    {
        "source_encoding": click.option(
            "--source-encoding", help="DATNet: encoding of the source's files; as --encoding."
        ),
        "source_scheme": click.option(
            "--source-scheme", help="DATNet: tagging scheme of the source's files; as --scheme."
        ),
        "source_tag_column": click.option(
            "--source-tag-column",
            type=int,
            help="DATNet: column of the tags in the source's files; as --tag-column.",
        ),
    },
)

word_vectors = option_group(
    "words",
    {
        "vectors": click.option(
            "--vectors",
            type=FILE,
            help="Word vectors: word2vec text or binary, or a fastText binary.",
        ),
        "vocabulary": click.option(
            "--vocabulary",
            multiple=True,
            type=FILE,
            help="Further files the words of which keep their vectors; can be given many times.",
        ),
        "extra_words": click.option(
            "--extra-words",
            type=click.IntRange(min=0),
            default=50_000,
            show_default=True,
            help="How many of the most frequent other words of the vectors are kept.",
        ),
    },
)

training = option_group(
    "training",
    {
        "mini_batch_size": click.option(
            "--batch-size",
            "mini_batch_size",
            type=COUNT,
            default=32,
            show_default=True,
            help="Sentences.",
        ),
        "learning_rate": click.option("--learning-rate", default=1e-3, show_default=True),
        "bad_epochs": click.option(
            "--bad-epochs",
            type=COUNT,
            default=3,
            show_default=True,
            help="Epochs in a row without a better dev score after which the learning rate is "
            "halved.",
        ),
        "least_updates": click.option(
            "--least-updates",
            type=COUNT,
            default=LEAST_UPDATES,
            show_default=True,
            help="Batches of an epoch at least: smaller training sets are gone through several "
            "times an epoch. The paper's: 1.",
        ),
        "average_weights": click.option(
            "--average-weights",
            type=click.FloatRange(0, 1, min_open=True, max_open=True),
            help="Score and save a moving average of the weights with this decay, such as 0.99 "
            "(not in the paper).",
        ),
        "bfloat16": click.option(
            "--bfloat16", is_flag=True, help="Train in mixed precision, which is faster."
        ),
    },
)

run = option_group(
    "run",
    {
        "output": click.option(
            "--output",
            "-o",
            required=True,
            type=click.Path(path_type=Path, file_okay=False),
            help="Folder for the model and the logs.",
        ),
        "overwrite": click.option(
            "--overwrite", is_flag=True, help="Replace the models in the folder."
        ),
        "seed": click.option(
            "--seed",
            default=1,
            show_default=True,
            help="The same seed and the same command give the same model.",
        ),
    },
)


def training_settings(values: dict[str, Any]) -> dict[str, Any]:
    """The training options as arguments of Flair's trainer.

    Args:
        values: Values of the group ``training``.

    Returns:
        The arguments. Flair anneals after one bad epoch more than its patience.
    """
    settings = dict(values)
    return {"patience": settings.pop("bad_epochs") - 1, **settings}
