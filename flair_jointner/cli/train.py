"""jointner train."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import flair
from flair.data import Corpus

from flair_jointner.cli import options
from flair_jointner.cli.checks import check_effect, check_system, was_given
from flair_jointner.cli.inputs import (
    Paths,
    check_output,
    make_embeddings,
    read_all,
    read_splits,
    report_unknown,
)
from flair_jointner.cli.options import COUNT, FILE, training_settings
from flair_jointner.cli.transfer_options import make_transfer
from flair_jointner.cli.transfer_options import transfer as transfer_options
from flair_jointner.data import is_annotated
from flair_jointner.data.splits import split_sentences
from flair_jointner.models import ATTENTIONS, JointTagger, load_classifier, load_tagger
from flair_jointner.models.embedding import split_characters
from flair_jointner.models.transfer import token_embeddings_of
from flair_jointner.training import InverseDecayPlugin, build_tagger, self_train
from flair_jointner.training import train as train_model


@click.command()
@click.option("--system", type=click.Choice(["joint", "datnet"]), default="joint",
              show_default=True, help="What is trained: a joint tagger, or DATNet, which learns "
              "from a source as well.")  # fmt: skip
@click.option("--train", "--target", "train_files", required=True, multiple=True, type=FILE,
              help="Annotated sentences; can be given many times, class-only files among "
              "them.")  # fmt: skip
@click.option("--dev", "dev_files", required=True, multiple=True, type=FILE,
              help="Annotated sentences, to choose the best epoch.")  # fmt: skip
@click.option("--test", "test_files", multiple=True, type=FILE,
              help="Annotated sentences, for the final score.")  # fmt: skip
@click.option("--ner-only", is_flag=True, help="Learn no class of the sentence.")
@click.option("--classifier", type=FILE, help="A model of `jointner pretrain` to start from; its "
              "word vectors are taken if --vectors is not given.")  # fmt: skip
@click.option("--attention", type=click.Choice(["none", *ATTENTIONS]), default="none",
              show_default=True)  # fmt: skip
@click.option(
    "--attention-heads", type=COUNT, default=8, show_default=True, help="Heads of self-attention."
)
@click.option("--attention-gate", is_flag=True,
              help="Let the attention output come in as it learns (not in the paper).")  # fmt: skip
@click.option("--class-loss-weight", default=1.0, show_default=True, help="λ of the paper.")
@click.option("--residual/--no-residual", default=True, show_default=True,
              help="Add the hidden states to the attention output.")  # fmt: skip
@click.option(
    "--hidden-size",
    type=COUNT,
    default=256,
    show_default="256; DATNet has its own",
    help="Hidden units per direction.",
)
@click.option("--characters/--no-characters", "with_characters", default=None,
              help="Word vectors from characters beside the others; if not given, DATNet has them, "
              "and a joint tagger if its --classifier has.")  # fmt: skip
@click.option("--perturbation", type=float,
              help="ε of adversarial training; none if not given.")  # fmt: skip
@click.option("--decay", type=float, help="ρ of a learning rate that falls with each epoch t, by "
              "1 + ρt; it does not if not given.")  # fmt: skip
@click.option("--epochs", type=COUNT, default=100, show_default=True, help="At most so many.")
@click.option("--self-train", "self_train_files", multiple=True, type=FILE,
              help="Sentences that the tagger annotates, where it is confident, to be trained anew "
              "with them; can be given many times.")  # fmt: skip
@click.option("--confidence", default=0.9, show_default=True, type=click.FloatRange(0, 1),
              help="Least probability of each tag of what --self-train takes.")  # fmt: skip
@transfer_options
@options.source_reading
@options.run
@options.word_vectors
@options.training
@options.label_types
@options.reading
def train(
    system: str,
    train_files: Paths,
    dev_files: Paths,
    test_files: Paths,
    ner_only: bool,
    classifier: Path | None,
    decay: float | None,
    epochs: int,
    self_train_files: Paths,
    confidence: float,
    transfer: dict[str, Any],
    source_reading: dict[str, Any],
    run: dict[str, Any],
    words: dict[str, Any],
    training: dict[str, Any],
    labels: dict[str, Any],
    reading: dict[str, Any],
    **model: Any,
) -> None:
    """Trains a tagger: NER only, joint, joint from a pre-trained classifier, or DATNet.

    \b
      jointner train --train train.conll --dev dev.conll --test test.conll \\
          --vectors vectors.bin --ner-only -o ner
      jointner train --train train.conll --dev dev.conll --test test.conll \\
          --classifier classifier/best-model.pt --attention learned -o joint
      jointner train --train train.conll --dev dev.conll --vectors vectors.bin \\
          --self-train categories.txt --average-weights 0.99 -o taught
      jointner train --system datnet --source spanish.conll --source-vectors es.bin \\
          --target train.conll --dev dev.conll --vectors id.bin --decay 0.05 -o transfer
    """
    check_system(system, transfer["source"])
    check_effect()
    check_output(run)
    flair.set_seed(run["seed"])
    learns_classes = not ner_only and system == "joint"
    types = {**labels, "class_type": labels["class_type"] if learns_classes else None}
    files = (*train_files, *dev_files, *test_files)
    others = (*words["vocabulary"], *self_train_files, *transfer["source"])
    corpus = read_splits(train_files, dev_files, test_files, types, reading, others)
    data = _Data(corpus, files, others, types, words, reading)
    settings = {
        "base_path": run["output"],
        "max_epochs": epochs,
        "show_progress": True,
        "plugins": [] if decay is None else [InverseDecayPlugin(decay)],
        **training_settings(training),
    }
    if system == "datnet":
        result = _train_datnet(data, transfer, source_reading, model, settings)
    else:
        result = _train_joint(data, classifier, self_train_files, confidence, model, settings)
    report(result, corpus, bool(test_files))


@dataclass(frozen=True)
class _Data:
    """What both systems learn from, and how all that goes with it is read.

    Attributes:
        corpus: The sentences.
        files: Where they are from.
        others: Further files, which the reading options may be for.
        types: Values of the group ``label_types``; the class type is None where none is learnt.
        words: Values of the group ``word_vectors``.
        reading: Values of the group ``reading``.
    """

    corpus: Corpus
    files: Paths
    others: Paths
    types: dict[str, Any]
    words: dict[str, Any]
    reading: dict[str, Any]


def _train_datnet(
    target: _Data,
    transfer: dict[str, Any],
    source_reading: dict[str, Any],
    model: dict[str, Any],
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Trains on the source and the target."""
    with_characters = model["with_characters"]
    made = make_transfer(
        target.corpus,
        transfer,
        target.words,
        target.types,
        target.reading,
        source_reading,
        target.files,
        hidden_size=model["hidden_size"] if was_given("hidden_size") else None,  # its own default
        perturbation=model["perturbation"],
        with_characters=True if with_characters is None else with_characters,
    )
    return train_model(*made, **settings)


def _train_joint(
    data: _Data,
    classifier: Path | None,
    self_train_files: Paths,
    confidence: float,
    model: dict[str, Any],
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Trains once, or again with what the first tagger annotates."""
    make_tagger = _joint_maker(data, classifier, model)
    if not self_train_files:
        return train_model(make_tagger(data.corpus), data.corpus, **settings)
    unlabelled = read_all(self_train_files, data.types, data.reading, data.files)
    return self_train(make_tagger, data.corpus, unlabelled, confidence=confidence, **settings)


def _joint_maker(
    data: _Data, classifier: Path | None, model: dict[str, Any]
) -> Callable[[Corpus], JointTagger]:
    """What makes an untrained tagger; what the options leave open is the classifier's."""
    pretrained, known, characters = None, None, None
    if classifier is not None:
        pretrained = load_classifier(classifier)
        known, characters = split_characters(token_embeddings_of(pretrained))
    if known is not None and not data.words["vectors"]:
        embeddings = known
        report_unknown(embeddings, data.corpus)
    else:
        files = (*data.files, *data.others)
        embeddings = make_embeddings(data.corpus, data.words, data.reading, files)
    options = dict(model)
    if options["with_characters"] is None:
        options["with_characters"] = characters is not None
    if options["attention"] == "none":
        options["attention"] = None
    return partial(
        build_tagger,
        embeddings=embeddings,
        tag_type=data.types["tag_type"],
        class_type=data.types["class_type"],
        classifier=pretrained,
        **options,
    )


def _is_annotated(split: Any, tag_type: str) -> bool:
    return any(is_annotated(sentence, tag_type) for sentence in split_sentences(split))


def report(result: dict[str, Any], corpus: Corpus, tested: bool) -> None:
    """Says how good the trained tagger is, and where it is."""
    tagger = load_tagger(result["model_file"])
    dev = tagger.evaluate(split_sentences(corpus.dev), tagger.tag_type)
    click.echo(f"Dev F1: {100 * dev.main_score:.2f}")
    if tested and _is_annotated(corpus.test, tagger.tag_type):
        click.echo(f"Test F1: {100 * result['test_score']:.2f}")
    click.echo(f"Tagger: {result['model_file']}")
