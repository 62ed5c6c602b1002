"""jointner map."""

import os
from pathlib import Path
from typing import Any

import click

from flair_jointner.cli import options
from flair_jointner.cli.inputs import WORDS_ALONE, Paths, of_source, read_all, reading_source
from flair_jointner.cli.options import FILE
from flair_jointner.data import mark_source
from flair_jointner.data.augmentation import draw
from flair_jointner.models import DATNet


@click.command("map")
@click.argument("models", nargs=-1, required=True, type=FILE)
@click.option("--source", "source_files", required=True, multiple=True, type=FILE,
              help="Annotated sentences of the source; can be given many times.")  # fmt: skip
@click.option("--target", "target_files", required=True, multiple=True, type=FILE,
              help="Annotated sentences of the target; can be given many times.")  # fmt: skip
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="The picture: .png, .svg or .pdf.")  # fmt: skip
@click.option("--sentences", type=click.IntRange(min=5), default=500, show_default=True,
              help="How many of each resource are drawn, at most.")  # fmt: skip
@click.option("--perplexity", type=click.FloatRange(min=0, min_open=True),
              show_default="30, or a third of the sentences if that is less",
              help="How many neighbours a sentence has, about.")  # fmt: skip
@click.option("--trust", is_flag=True, help="Load model files that may run code.")
@options.source_reading
@options.reading
def draw_map(
    models: Paths,
    source_files: Paths,
    target_files: Paths,
    output: Path,
    sentences: int,
    perplexity: float | None,
    trust: bool,
    source_reading: dict[str, Any],
    reading: dict[str, Any],
) -> None:
    """Draws how alike DATNet MODELS make source and target.

    \b
    A map of the shared BiLSTM's output by t-SNE for each model, with a point for each sentence, and
    how well a linear classifier tells the resources apart: 50 % is by chance.
      jointner map transfer/best-model.pt --source english.conll --target test.conll -o map.png
      jointner map none/best-model.pt plain/best-model.pt grad/best-model.pt \\
          --source english.conll --target test.conll -o map.pdf
    """
    # These take a while to import, and no other command needs them.
    from flair_jointner.inference.pictures import picture_format
    from flair_jointner.inference.resource_figure import MAP_FORMATS, draw_resources

    picture_format(output, MAP_FORMATS)
    folder = os.path.commonpath([model.resolve().parent for model in models])
    taggers = {
        str(model.resolve().relative_to(folder)): DATNet.load(model, trust) for model in models
    }
    with reading_source():
        own_reading = of_source(reading, source_reading)
        source = draw(read_all(source_files, WORDS_ALONE, own_reading, target_files), sentences)
    target = draw(read_all(target_files, WORDS_ALONE, reading, source_files), sentences)
    for sentence in source:
        mark_source(sentence)
    picture = draw_resources(taggers, [*source, *target], output, perplexity=perplexity)
    click.echo(f"Map: {picture}")
