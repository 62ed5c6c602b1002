"""jointner vectors."""

from pathlib import Path
from typing import Any

import click

from flair_jointner.cli import options
from flair_jointner.cli.inputs import (
    WORDS_ALONE,
    Paths,
    check_not_read,
    check_plain_text,
    read_all,
    read_raw,
    reading_annotated,
)
from flair_jointner.cli.options import COUNT, FILE
from flair_jointner.data import save_vectors, train_vectors
from flair_jointner.data.vector_files import check_vectors_name, check_words


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=".bin for binary, .txt or .vec for text (word2vec's formats).",
)
@click.option("--raw", is_flag=True, help="The files are plain text, a sentence per line.")
@click.option("--algorithm", type=click.Choice(["fasttext", "word2vec"]), default="fasttext",
              show_default=True)  # fmt: skip
@click.option("--skip-gram/--cbow", default=True, show_default=True,
              help="Predict the context from the word, or the word from its context.")  # fmt: skip
@click.option("--dimension", type=COUNT, default=300, show_default=True, help="Numbers per vector.")
@click.option("--epochs", type=COUNT, default=10, show_default=True)
@click.option(
    "--window", type=COUNT, default=5, show_default=True, help="Words of context on either side."
)
@click.option(
    "--min-count", type=COUNT, default=1, show_default=True, help="Rarer words get no vector."
)
@click.option("--lowercase", is_flag=True, help="Lower-case all words first.")
@click.option("--standardize/--no-standardize", default=True, show_default=True,
              help="Centre the vectors and scale their numbers to a deviation of 1.")  # fmt: skip
@click.option("--seed", default=1, show_default=True)
@options.reading
def vectors(
    files: Paths,
    output: Path,
    raw: bool,
    reading: dict[str, Any],
    **settings: Any,
) -> None:
    """Trains word vectors on the words of FILES.

    \b
    Annotated files, class-only files or, with --raw, plain text:
      jointner vectors train.conll dev.conll categories.txt -o vectors.bin
      jointner vectors --raw titles.txt --dimension 100 -o vectors.txt
    """
    check_not_read(output, files)
    check_vectors_name(output)
    if raw:
        check_plain_text("--raw", reading, "encoding", "tokenizer")
        words = list(read_raw(files, reading))
    else:
        with reading_annotated():
            sentences = read_all(files, WORDS_ALONE, reading)
        words = [[token.text for token in sentence] for sentence in sentences]
    check_words(word for sentence in words for word in sentence)
    found = train_vectors(words, **settings)
    save_vectors(found, output)
    click.echo(f"{len(found)} vectors of {found.vector_size} dimensions: {output}")
