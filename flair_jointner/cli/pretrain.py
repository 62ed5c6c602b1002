"""jointner pretrain."""

from typing import Any

import click
import flair

from flair_jointner.cli import options
from flair_jointner.cli.inputs import Paths, check_output, make_embeddings, read_splits
from flair_jointner.cli.options import COUNT, FILE, training_settings
from flair_jointner.data.splits import split_sentences
from flair_jointner.training import pretrain_classifier
from flair_jointner.training.pretraining import with_classes


@click.command()
@click.option("--train", "train_files", required=True, multiple=True, type=FILE,
              help="Sentences with a class; can be given many times.")  # fmt: skip
@click.option("--dev", "dev_files", multiple=True, type=FILE,
              help="The like, to choose the best epoch.")  # fmt: skip
@click.option("--epochs", type=COUNT, default=2, show_default=True)
@click.option(
    "--hidden-size", type=COUNT, default=256, show_default=True, help="Hidden units per direction."
)
@click.option("--characters", "with_characters", is_flag=True,
              help="Word vectors from characters beside the others, for a tagger that has them "
              "too.")  # fmt: skip
@options.run
@options.word_vectors
@options.training
@options.label_types
@options.reading
def pretrain(
    train_files: Paths,
    dev_files: Paths,
    epochs: int,
    hidden_size: int,
    with_characters: bool,
    run: dict[str, Any],
    words: dict[str, Any],
    training: dict[str, Any],
    labels: dict[str, Any],
    reading: dict[str, Any],
) -> None:
    """Trains a sentence classifier for a tagger to start from.

    \b
      jointner pretrain --train categories.train.txt --dev categories.dev.txt \\
          --vectors vectors.bin -o classifier
    """
    check_output(run)
    flair.set_seed(run["seed"])
    corpus = with_classes(
        read_splits(train_files, dev_files, (), labels, reading, words["vocabulary"]),
        labels["class_type"],
    )
    classifier, result = pretrain_classifier(
        corpus,
        make_embeddings(corpus, words, reading, (*train_files, *dev_files)),
        run["output"],
        class_type=labels["class_type"],
        with_characters=with_characters,
        hidden_size=hidden_size,
        epochs=epochs,
        show_progress=True,
        **training_settings(training),
    )
    if dev_files:
        accuracy = classifier.evaluate(split_sentences(corpus.dev), labels["class_type"]).main_score
        click.echo(f"Dev accuracy: {100 * accuracy:.2f}")
    click.echo(f"Classifier: {result['model_file']}")
