"""jointner train."""

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
    attention: str,
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
    class_type = None if ner_only or system == "datnet" else labels["class_type"]
    types = {**labels, "class_type": class_type}
    annotated = (*train_files, *dev_files, *test_files)
    others = (*words["vocabulary"], *self_train_files, *transfer["source"])
    corpus = read_splits(train_files, dev_files, test_files, types, reading, others)
    options_of_training = {
        "max_epochs": epochs,
        "show_progress": True,
        "plugins": [] if decay is None else [InverseDecayPlugin(decay)],
        **training_settings(training),
    }
    if system == "datnet":
        if not was_given("hidden_size"):
            model["hidden_size"] = None  # its own default
        if model["with_characters"] is None:
            model["with_characters"] = True
        names = ("hidden_size", "perturbation", "with_characters")
        shared = {name: model[name] for name in names}
        made = make_transfer(
            corpus, transfer, words, types, reading, source_reading, annotated, **shared
        )
        report(train_model(*made, run["output"], **options_of_training), corpus, bool(test_files))
        return
    pretrained, known, characters = None, None, None
    if classifier:
        pretrained = load_classifier(classifier)
        known, characters = split_characters(token_embeddings_of(pretrained))
    if model["with_characters"] is None:
        model["with_characters"] = characters is not None
    if known is not None and not words["vectors"]:
        embeddings = known
        report_unknown(embeddings, corpus)
    else:
        embeddings = make_embeddings(corpus, words, reading, (*annotated, *others))

    def make_tagger(corpus: Corpus) -> JointTagger:
        attention_kind = None if attention == "none" else attention
        return build_tagger(
            corpus,
            embeddings,
            labels["tag_type"],
            class_type,
            pretrained,
            attention=attention_kind,
            **model,
        )

    if self_train_files:
        result = self_train(
            make_tagger,
            corpus,
            read_all(self_train_files, types, reading, annotated),
            run["output"],
            confidence=confidence,
            **options_of_training,
        )
    else:
        result = train_model(make_tagger(corpus), corpus, run["output"], **options_of_training)
    report(result, corpus, bool(test_files))


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
