"""jointner segmenter."""

from pathlib import Path
from typing import Any

import click
from flair.tokenization import Tokenizer
from tqdm import tqdm

from flair_jointner.cli import options
from flair_jointner.cli.inputs import WORDS_ALONE, Paths, check_not_read, check_plain_text, read_all
from flair_jointner.cli.options import COUNT, FILE
from flair_jointner.data import (
    CRFSegmenter,
    ThaiTokenizer,
    read_words,
    train_segmenter,
    word_scores,
    words_of,
)
from flair_jointner.data.segmented_text import Words

_separator = click.option(
    "--separator",
    help="FILES hold a sentence per line, with this between words: ' ', or '|' as in the BEST "
    "corpus. If not given, they are annotated files, whose tokens are the words.",
)


@click.group()
def segmenter() -> None:
    """Trains and scores a word segmenter for Thai.

    \b
      jointner segmenter train best.txt --separator '|' -o words.json
      jointner segmenter evaluate words.json test.txt --separator '|'
      jointner tag tagger/best-model.pt titles.txt --tokenizer segmenter:words.json
    """


@segmenter.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="The segmenter: a JSON file.")  # fmt: skip
@click.option("--l1", type=click.FloatRange(min=0), default=0.1, show_default=True,
              help="Weight of the L1 penalty; more of it makes a smaller file.")  # fmt: skip
@click.option("--l2", type=click.FloatRange(min=0), default=0.01, show_default=True,
              help="Weight of the L2 penalty.")  # fmt: skip
@click.option("--max-iterations", type=COUNT, default=200, show_default=True,
              help="Iterations of training at most.")  # fmt: skip
@_separator
@options.reading
def train(
    files: Paths, output: Path, separator: str | None, reading: dict[str, Any], **settings: Any
) -> None:
    """Trains a segmenter on the words of FILES.

    \b
      jointner segmenter train best.txt --separator '|' -o words.json
      jointner segmenter train train.conll -o words.json
    """
    check_not_read(output, files)
    sentences = _read(files, separator, reading)
    train_segmenter(sentences, output, show_progress=True, **settings)
    click.echo(f"Segmenter: {output}")


@segmenter.command()
@click.argument("model", type=FILE)
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--without", "known_files", multiple=True, type=FILE,
              help="Leave out the texts that occur in this file, such as those of training; can be "
              "given many times.")  # fmt: skip
@_separator
@options.reading
def evaluate(
    model: Path,
    files: Paths,
    known_files: Paths,
    separator: str | None,
    reading: dict[str, Any],
) -> None:
    """Scores MODEL on the words of FILES, beside PyThaiNLP's dictionary.

    \b
      jointner segmenter evaluate words.json test.txt --separator '|'
      jointner segmenter evaluate words.json test.conll --without train.conll
    """
    tokenizers: dict[str, Tokenizer] = {str(model): CRFSegmenter(model), "newmm": ThaiTokenizer()}
    known = {"".join(words) for words in _read(known_files, separator, reading, files)}
    sentences = _read(files, separator, reading, known_files)
    sentences = [words for words in sentences if "".join(words) not in known]
    if not sentences:
        raise ValueError("There is no sentence to score, without those of --without.")
    click.echo(f"{len(sentences)} sentences")
    for name, tokenizer in tokenizers.items():
        found = [
            tokenizer.tokenize("".join(words))
            for words in tqdm(sentences, "Segmenting", unit=" sentences")
        ]
        precision, recall, f1 = (100 * score for score in word_scores(sentences, found))
        click.echo(f"{name}: word precision {precision:.2f}, recall {recall:.2f}, F1 {f1:.2f}")


def _read(
    files: Paths, separator: str | None, reading: dict[str, Any], others: Paths = ()
) -> list[Words]:
    """The sentences of all files, in words."""
    if separator is None:
        return words_of(read_all(files, WORDS_ALONE, reading, others))
    check_plain_text("--separator", reading, "encoding")
    encoding = reading["encoding"] or "utf-8"
    return [words for path in files for words in read_words(path, separator, encoding=encoding)]
