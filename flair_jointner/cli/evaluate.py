"""jointner evaluate."""

from pathlib import Path
from typing import Any

import click

from flair_jointner.cli import options
from flair_jointner.cli.inputs import Paths, check_not_read, read_all
from flair_jointner.cli.options import COUNT, FILE
from flair_jointner.inference.calibration import (
    describe_calibration,
    draw_calibration,
    score_predictions,
)
from flair_jointner.models import load_tagger
from flair_jointner.training import fit_temperatures


@click.command()
@click.argument("model", type=FILE)
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--predictions", type=click.Path(path_type=Path, dir_okay=False),
              help="Write token, gold tag and predicted tag to this file.")  # fmt: skip
@click.option("--plots", type=click.Path(path_type=Path, file_okay=False),
              help="Draw reliability and thresholds into this folder.")  # fmt: skip
@click.option("--fit-temperature", is_flag=True,
              help="Make the scores as sure as they are right on FILES, and save that in MODEL: "
              "give the dev set.")  # fmt: skip
@click.option("--batch-size", type=COUNT, default=64, show_default=True, help="Sentences at once.")
@click.option("--trust", is_flag=True, help="Load a model file that may run code.")
@options.reading
def evaluate(
    model: Path,
    files: Paths,
    predictions: Path | None,
    plots: Path | None,
    fit_temperature: bool,
    batch_size: int,
    trust: bool,
    reading: dict[str, Any],
) -> None:
    """Scores MODEL on the annotated sentences of FILES, and how far its scores are to be trusted.

    \b
      jointner evaluate tagger/best-model.pt dev.conll --fit-temperature
      jointner evaluate tagger/best-model.pt test.conll --predictions test.tsv --plots pictures
    """
    if predictions is not None:
        check_not_read(predictions, (model, *files), "--predictions")
        predictions.parent.mkdir(parents=True, exist_ok=True)
    tagger = load_tagger(model, trust)
    labels = {"tag_type": tagger.tag_type, "class_type": tagger.class_type}
    sentences = read_all(files, labels, reading)
    result = tagger.evaluate(
        sentences, tagger.tag_type, out_path=predictions, mini_batch_size=batch_size
    )
    click.echo(result.detailed_results)
    scored = score_predictions(tagger, sentences, batch_size)
    click.echo(describe_calibration(*scored))
    if fit_temperature:
        tags, classes = fit_temperatures(tagger, sentences, batch_size)
        tagger.save(model)
        of_classes = "" if classes is None else f", of the classes {classes:.3f}"
        click.echo(f"\nTemperature of the tags {tags:.3f}{of_classes}, saved in {model}.")
        scored = score_predictions(tagger, sentences, batch_size)
        click.echo(describe_calibration(*scored))
    if plots is not None:
        pictures = draw_calibration(*scored, plots)
        click.echo(f"\nPictures: {', '.join(map(str, pictures))}")
