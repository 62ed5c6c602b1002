"""jointner tag."""

import json
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from flair.tokenization import Tokenizer
from tqdm import tqdm

from flair_jointner.cli.inputs import Paths, check_not_read
from flair_jointner.cli.options import COUNT, FILE, TOKENIZER
from flair_jointner.data.text_files import known_encoding
from flair_jointner.inference import TextInput, read_inputs, read_stream, tag_in_parallel
from flair_jointner.inference.inputs import InputFormat
from flair_jointner.models import load_tagger

_FIELDS = ("text", "category", "score", "entities")


@click.command()
@click.argument("model", type=FILE)
@click.argument("files", nargs=-1, type=FILE)
@click.option("--column", default="text", show_default=True,
              help="Where the text stands in JSON Lines, CSV and TSV.")  # fmt: skip
@click.option("--keep", multiple=True, help="A further field to copy to the output; can be given "
              "many times.")  # fmt: skip
@click.option("--input-format", type=click.Choice(["text", "jsonl", "csv", "tsv"]),
              help="By the file's name if not given; text for standard input.")  # fmt: skip
@click.option("--plain-quotes", is_flag=True, help="Quotation marks in CSV and TSV are characters "
              "like any other.")  # fmt: skip
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the input.")
@click.option("--output", "-o", type=click.File("w", encoding="utf-8", lazy=True), default="-",
              help="A file instead of standard output.")  # fmt: skip
@click.option("--tokenizer", **TOKENIZER, default="segtok", show_default=True,
              help="Cuts the texts, as those that the model learned from; space for texts that are "
              "tokenised.")  # fmt: skip
@click.option("--batch-size", type=COUNT, default=256, show_default=True, help="Texts at once.")
@click.option("--workers", type=COUNT, default=1, show_default=True, help="Processes that tag.")
@click.option("--bfloat16", is_flag=True, help="Compute in mixed precision, which is faster.")
@click.option("--trust", is_flag=True, help="Load a model file that may run code.")
def tag(
    model: Path,
    files: Paths,
    column: str,
    keep: tuple[str, ...],
    input_format: Any,
    plain_quotes: bool,
    encoding: str,
    output: Any,
    tokenizer: Tokenizer,
    batch_size: int,
    workers: int,
    bfloat16: bool,
    trust: bool,
) -> None:
    """Tags the texts of FILES, or of standard input, and writes JSON Lines in their order.

    \b
    Each line: text, category and its score, and entities with type, text, start, end and score;
    offsets count characters from 0, the end exclusive.
      jointner tag tagger/best-model.pt titles.txt > entities.jsonl
      jointner tag tagger/best-model.pt products.csv --column title --keep id -o entities.jsonl
      zcat titles.gz | jointner tag tagger/best-model.pt --workers 4 > entities.jsonl
      jointner tag thai/best-model.pt titles.txt --tokenizer segmenter:words.json
    """
    _check_kept(keep)
    check_not_read(Path(output.name), (model, *files))
    if output.name != "-":
        Path(output.name).parent.mkdir(parents=True, exist_ok=True)
    tagger = load_tagger(model, trust)
    fields: deque[dict[str, Any]] = deque()
    texts = _remember_fields(_inputs(files, column, input_format, plain_quotes, encoding), fields)
    rows = tag_in_parallel(
        tagger,
        texts,
        workers,
        tokenizer=tokenizer,
        batch_size=batch_size,
        bfloat16=bfloat16,
    )
    for row in tqdm(rows, "Tagging", unit=" texts"):
        line = fields.popleft()
        missing = [name for name in keep if name not in line]
        if missing:
            raise ValueError(
                f"There is no field {', '.join(missing)} to keep; there is: "
                f"{', '.join(line) or 'none'}."
            )
        for scored in (row, *row["entities"]):
            scored["score"] = None if scored["score"] is None else round(scored["score"], 4)
        row.update({name: line[name] for name in keep})
        output.write(json.dumps(row, ensure_ascii=False) + "\n")
    output.write("")  # opens the file, if there was no text at all


def _check_kept(keep: tuple[str, ...]) -> None:
    taken = [name for name in keep if name in _FIELDS]
    if taken:
        raise ValueError(
            f"--keep {', '.join(taken)} would overwrite what the tagger says: rename the field, or "
            "leave it out."
        )


def _inputs(
    files: Paths, column: str, input_format: Any, plain_quotes: bool, encoding: str
) -> Iterator[TextInput]:
    if not files:
        if sys.stdin is None:
            raise ValueError("Standard input is closed: name a file with texts.")
        known = known_encoding(encoding)
        sys.stdin.reconfigure(encoding=known, errors="surrogateescape")  # type: ignore[union-attr]
        file_format: InputFormat = input_format or "text"
        yield from read_stream(
            sys.stdin, "standard input", column, file_format, plain_quotes, encoding
        )
    for path in files:
        yield from read_inputs(path, column, input_format, plain_quotes, encoding)


def _remember_fields(inputs: Iterator[TextInput], fields: deque[dict[str, Any]]) -> Iterator[str]:
    """Gives the texts on and puts the other fields aside, for the rows that come later."""
    for text, others in inputs:
        fields.append(others)
        yield text
