"""Train a tagger on 20 Indonesian titles, alone or with what 400 Spanish ones teach (DATNet).

python examples/transfer_tagger.py --share none   # the 20 titles alone
python examples/transfer_tagger.py --share full
python examples/transfer_tagger.py --share part --perturbation 1
"""

from pathlib import Path

import click
import flair
from flair.embeddings import WordEmbeddings

from flair_jointner import CharacterCNNEmbeddings, DATNet
from flair_jointner.data import TransferCorpus, read_corpus, train_vectors, word_embeddings
from flair_jointner.training import InverseDecayPlugin, train

DATA = Path(__file__).parent.parent / "resources" / "transfer"


def vectors(file: Path) -> WordEmbeddings:
    """Word vectors of one language, from titles without annotation."""
    titles = [line.split() for line in file.read_text("utf-8").splitlines()]
    return word_embeddings(train_vectors(titles, dimension=50, epochs=10), name=file.stem)


@click.command()
@click.option("--share", type=click.Choice(["none", "full", "part"]), required=True)
@click.option("--perturbation", type=float, help="ε of adversarial training.")
@click.option("--data", type=click.Path(path_type=Path), default=DATA, show_default=True)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@click.option("--epochs", default=20, show_default=True)
@click.option("--hidden-size", default=64, show_default=True)
def main(
    share: str, perturbation: float | None, data: Path, runs: Path, epochs: int, hidden_size: int
) -> None:
    flair.set_seed(1)
    source = read_corpus(data / "source.train.conll")
    target = read_corpus(*(data / f"target.{split}.conll" for split in ("train", "dev", "test")))
    transfers = share != "none"
    corpus = TransferCorpus(source, target) if transfers else target
    tagger = DATNet(
        vectors(data / "target.txt"),
        # Both have the same entity types, so they share a decoder; with types of its own the
        # source has a decoder of its own: source_tag_dictionary=source.make_label_dictionary(…).
        corpus.make_label_dictionary("ner", add_unk=False),
        "ner",
        source_embeddings=vectors(data / "source.txt") if transfers else None,
        shared_embeddings=CharacterCNNEmbeddings(corpus.train),
        share=share if transfers else "full",
        discriminator="grad" if transfers else None,
        hidden_size=hidden_size,
        perturbation=perturbation,
    )
    result = train(
        tagger,
        corpus,
        runs / f"transfer-{share}",
        max_epochs=epochs,
        mini_batch_size=10,
        patience=epochs,  # the learning rate falls by the plugin alone, as in the paper
        plugins=[InverseDecayPlugin()],
        show_progress=True,
    )
    click.echo(f"F1 of {share} on test: {100 * result['test_score']:.1f}")


if __name__ == "__main__":
    main()
