"""Pre-train a sentence classifier on titles that have a category and no entities.

    python examples/pretrain_classifier.py

Its projection and BiLSTM are where `train_tagger.py --configuration pretrained` starts.
"""

from pathlib import Path

import click
import flair
from common import TITLES, title_vectors

from flair_jointner.data import read_corpus
from flair_jointner.training import pretrain_classifier


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=TITLES, show_default=True)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--epochs", default=4, show_default=True)
@click.option("--hidden-size", default=128, show_default=True)
def main(data: Path, runs: Path, epochs: int, hidden_size: int) -> None:
    flair.set_seed(1)
    corpus = read_corpus(data / "categories.train.txt", data / "categories.dev.txt")
    classifier, _ = pretrain_classifier(
        corpus,
        title_vectors(data, runs),
        runs / "classifier",
        class_type="category",
        hidden_size=hidden_size,
        epochs=epochs,
        learning_rate=3e-4,  # few titles are soon learned: go gently, the tagger goes on from here
        show_progress=True,
    )
    accuracy = classifier.evaluate(corpus.dev, "category").main_score
    click.echo(f"Accuracy of the categories on dev: {100 * accuracy:.1f}")


if __name__ == "__main__":
    main()
