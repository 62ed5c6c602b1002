"""The command line: each command parses, calls the library and prints."""

import json
import logging
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import flair
from tqdm import tqdm

from flair_jointner import cli_options as options
from flair_jointner.cli_data import (
    Paths,
    embeddings_of,
    make_embeddings,
    make_tokenizer,
    read_all,
    read_splits,
    split_sentences,
)
from flair_jointner.cli_options import COUNT, FILE, training_settings
from flair_jointner.data import (
    save_vectors,
    train_vectors,
)
from flair_jointner.inference import TextInput, read_inputs, read_stream, tag_in_parallel
from flair_jointner.inference.calibration import (
    describe_calibration,
    draw_calibration,
    score_predictions,
)
from flair_jointner.models import ATTENTIONS, JointTagger, load_classifier
from flair_jointner.training import fit_temperatures, pretrain_classifier
from flair_jointner.training import train as train_model


class _UserError(click.ClickException):
    """What click prints on standard error, without a traceback."""

    exit_code = 2


class _Commands(click.Group):
    """Turns what a user got wrong into one message and exit code 2, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            sys.stderr.close()  # whoever read our output has gone: nobody is left to tell
            raise SystemExit(1) from None
        except (ValueError, OSError) as error:
            raise _UserError(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="flair-jointner")
def main() -> None:
    """Named-entity recognition with little annotation, helped by cheap sentence labels.

    \b
    From raw material to a tagger:
      jointner vectors train.conll categories.txt -o vectors.bin
      jointner pretrain --train categories.txt --vectors vectors.bin -o classifier
      jointner train --train train.conll --dev dev.conll --test test.conll \\
          --classifier classifier/best-model.pt --attention learned -o tagger
      jointner tag tagger/best-model.pt titles.txt > entities.jsonl
    """
    # Flair logs to standard output, where `tag` writes its rows.
    for handler in logging.getLogger("flair").handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(sys.stderr)
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    logging.getLogger("flair_jointner").setLevel(logging.INFO)


@main.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=".bin for binary, .txt or .vec for text (word2vec's formats).",
)
@click.option("--raw", is_flag=True, help="The files are plain text, a sentence per line.")
@click.option("--algorithm", type=click.Choice(["fasttext", "word2vec"]), default="fasttext",
              show_default=True)  # fmt: skip
@click.option("--skip-gram/--cbow", default=True, show_default=True,
              help="Predict the context from the word, or the word from its context.")  # fmt: skip
@click.option("--dimension", type=COUNT, default=300, show_default=True, help="Numbers per vector.")
@click.option("--epochs", type=COUNT, default=10, show_default=True)
@click.option(
    "--window", type=COUNT, default=5, show_default=True, help="Words of context on either side."
)
@click.option(
    "--min-count", type=COUNT, default=1, show_default=True, help="Rarer words get no vector."
)
@click.option("--lowercase", is_flag=True, help="Lower-case all words first.")
@click.option("--standardize/--no-standardize", default=True, show_default=True,
              help="Centre the vectors and scale their numbers to a deviation of 1.")  # fmt: skip
@click.option("--seed", default=1, show_default=True)
@options.label_types
@options.reading
def vectors(
    files: Paths,
    output: Path,
    raw: bool,
    labels: dict[str, Any],
    reading: dict[str, Any],
    **settings: Any,
) -> None:
    """Trains word vectors on the words of FILES.

    \b
    Annotated files, class-only files or, with --raw, plain text:
      jointner vectors train.conll dev.conll categories.txt -o vectors.bin
      jointner vectors --raw titles.txt --dimension 100 -o vectors.txt
    """
    if raw:
        tokenizer = make_tokenizer(reading["tokenizer"] or "segtok")
        texts = (item.text for path in files for item in read_inputs(path, file_format="text"))
        words = [tokenizer.tokenize(text) for text in texts]
    else:
        words = [[token.text for token in s] for s in read_all(files, labels, reading)]
    found = train_vectors([tokens for tokens in words if tokens], **settings)
    save_vectors(found, output)
    click.echo(f"{len(found)} vectors of {found.vector_size} dimensions: {output}")


@main.command()
@click.option("--train", "train_files", required=True, multiple=True, type=FILE,
              help="Sentences with a class; can be given many times.")  # fmt: skip
@click.option("--dev", "dev_files", multiple=True, type=FILE,
              help="The like, to choose the best epoch.")  # fmt: skip
@click.option("--epochs", type=COUNT, default=2, show_default=True)
@click.option(
    "--hidden-size", type=COUNT, default=256, show_default=True, help="Hidden units per direction."
)
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
    _check_output(run)
    flair.set_seed(run["seed"])
    corpus = read_splits(train_files, dev_files, (), labels, reading)
    classifier, result = pretrain_classifier(
        corpus,
        make_embeddings(corpus, words, labels, reading),
        run["output"],
        class_type=labels["class_type"],
        hidden_size=hidden_size,
        epochs=epochs,
        show_progress=True,
        **training_settings(training),
    )
    if dev_files:
        accuracy = classifier.evaluate(split_sentences(corpus.dev), labels["class_type"]).main_score
        click.echo(f"Dev accuracy: {100 * accuracy:.2f}")
    click.echo(f"Classifier: {result['model_file']}")


@main.command()
@click.option("--train", "train_files", required=True, multiple=True, type=FILE,
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
    "--hidden-size", type=COUNT, default=256, show_default=True, help="Hidden units per direction."
)
@click.option("--epochs", type=COUNT, default=100, show_default=True, help="At most so many.")
@options.run
@options.word_vectors
@options.training
@options.label_types
@options.reading
def train(
    train_files: Paths,
    dev_files: Paths,
    test_files: Paths,
    ner_only: bool,
    classifier: Path | None,
    attention: str,
    epochs: int,
    run: dict[str, Any],
    words: dict[str, Any],
    training: dict[str, Any],
    labels: dict[str, Any],
    reading: dict[str, Any],
    **model: Any,
) -> None:
    """Trains a tagger: NER only, joint, or joint from a pre-trained classifier.

    \b
      jointner train --train train.conll --dev dev.conll --test test.conll \\
          --vectors vectors.bin --ner-only -o ner
      jointner train --train train.conll --dev dev.conll --test test.conll \\
          --classifier classifier/best-model.pt --attention learned -o joint
    """
    _check_output(run)
    flair.set_seed(run["seed"])
    class_type = None if ner_only else labels["class_type"]
    corpus = read_splits(
        train_files, dev_files, test_files, {**labels, "class_type": class_type}, reading
    )
    pretrained = load_classifier(classifier) if classifier else None
    if pretrained is not None and not words["vectors"]:
        embeddings: Any = embeddings_of(pretrained)
    else:
        embeddings = make_embeddings(corpus, words, labels, reading)
    tagger = JointTagger(
        embeddings,
        corpus.make_label_dictionary(labels["tag_type"], add_unk=False),
        labels["tag_type"],
        corpus.make_label_dictionary(class_type, add_unk=False) if class_type else None,
        class_type,
        None if attention == "none" else attention,  # type: ignore[arg-type]
        **model,
    )
    if pretrained is not None:
        tagger.init_from_classifier(pretrained)
    result = train_model(
        tagger,
        corpus,
        run["output"],
        max_epochs=epochs,
        show_progress=True,
        **training_settings(training),
    )
    dev = tagger.evaluate(split_sentences(corpus.dev), labels["tag_type"])
    click.echo(f"Dev F1: {100 * dev.main_score:.2f}")
    if test_files:
        click.echo(f"Test F1: {100 * result['test_score']:.2f}")
    click.echo(f"Tagger: {result['model_file']}")


@main.command()
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
    tagger = JointTagger.load(model, trust=trust)
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


@main.command()
@click.argument("model", type=FILE)
@click.argument("files", nargs=-1, type=FILE)
@click.option("--column", default="text", show_default=True,
              help="Where the text stands in JSON Lines, CSV and TSV.")  # fmt: skip
@click.option("--keep", multiple=True, help="A further field to copy to the output; can be given "
              "many times.")  # fmt: skip
@click.option("--input-format", type=click.Choice(["text", "jsonl", "csv", "tsv"]),
              help="By the file's name if not given; text for standard input.")  # fmt: skip
@click.option("--output", "-o", type=click.File("w", encoding="utf-8", lazy=False), default="-",
              help="A file instead of standard output.")  # fmt: skip
@click.option("--tokenizer", type=click.Choice(["segtok", "space"]), default="segtok",
              show_default=True,
              help="Cuts the texts; space for texts that are tokenised.")  # fmt: skip
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
    output: Any,
    tokenizer: str,
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
    """
    tagger = JointTagger.load(model, trust=trust)
    fields: deque[dict[str, Any]] = deque()
    texts = _remember_fields(_inputs(files, column, input_format), fields)
    rows = tag_in_parallel(
        tagger,
        texts,
        workers,
        tokenizer=make_tokenizer(tokenizer),
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


def _check_output(run: dict[str, Any]) -> None:
    """Flair deletes the models that it finds in the folder it trains to."""
    models = sorted(path.name for path in run["output"].glob("*-model*.pt"))
    if models and not run["overwrite"]:
        raise ValueError(
            f"{run['output']} holds {', '.join(models)}: choose another --output, or pass "
            "--overwrite to lose what is there."
        )


def _inputs(files: Paths, column: str, input_format: Any) -> Iterator[TextInput]:
    if not files:
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
        yield from read_stream(sys.stdin, "standard input", column, input_format or "text")
    for path in files:
        yield from read_inputs(path, column, input_format)


def _remember_fields(inputs: Iterator[TextInput], fields: deque[dict[str, Any]]) -> Iterator[str]:
    """Gives the texts on and puts the other fields aside, for the rows that come later."""
    for text, others in inputs:
        fields.append(others)
        yield text
