"""Train a tagger on few annotated titles: NER only, joint, or joint from a classifier.

python examples/train_tagger.py --configuration ner
python examples/train_tagger.py --configuration joint
python examples/train_tagger.py --configuration pretrained   # after pretrain_classifier.py
"""

from pathlib import Path

import click
import flair
from common import TITLES, title_vectors

from flair_jointner import JointTagger
from flair_jointner.data import read_corpus
from flair_jointner.training import train


@click.command()
@click.option("--configuration", type=click.Choice(["ner", "joint", "pretrained"]), required=True)
@click.option("--data", type=click.Path(path_type=Path), default=TITLES, show_default=True)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--epochs", default=60, show_default=True)
@click.option("--hidden-size", default=128, show_default=True)
def main(configuration: str, data: Path, runs: Path, epochs: int, hidden_size: int) -> None:
    flair.set_seed(1)
    corpus = read_corpus(data / "train.conll", data / "dev.conll", data / "test.conll")
    entity_types = corpus.make_label_dictionary("ner", add_unk=False)
    categories = corpus.make_label_dictionary("category", add_unk=False)
    embeddings = title_vectors(data, runs)
    if configuration == "ner":
        tagger = JointTagger(embeddings, entity_types, "ner", hidden_size=hidden_size)
    else:
        # With 1,000 titles, add attention="learned" and attention_gate=True.
        tagger = JointTagger(
            embeddings,
            entity_types,
            "ner",
            class_dictionary=categories,
            class_type="category",
            hidden_size=hidden_size,
        )
    if configuration == "pretrained":
        tagger.init_from_classifier(runs / "classifier" / "best-model.pt")
    result = train(
        tagger,
        corpus,
        runs / configuration,
        max_epochs=epochs,
        mini_batch_size=8,  # of a few hundred titles, batches of 32 are few updates an epoch
        patience=5,  # and the dev score goes up and down
        show_progress=True,
    )
    click.echo(f"F1 of {configuration} on test: {100 * result['test_score']:.1f}")


if __name__ == "__main__":
    main()
