"""What `jointner train --system datnet` adds: a source, and how it is shared."""

from typing import Any

import click
from click.core import ParameterSource
from flair.data import Corpus

from flair_jointner.cli.inputs import Paths, make_embeddings, read_splits
from flair_jointner.cli.options import FILE, option_group
from flair_jointner.data import TransferCorpus
from flair_jointner.models import DISCRIMINATORS, SHARES
from flair_jointner.training import build_transfer_tagger

transfer = option_group(
    "transfer",
    {
        "source": click.option(
            "--source",
            multiple=True,
            type=FILE,
            help="DATNet: annotated sentences of the source; can be given many times. --train, "
            "--dev and --test are the target's.",
        ),
        "source_vectors": click.option(
            "--source-vectors",
            type=FILE,
            help="DATNet: word vectors of the source, of as many dimensions; --vectors for both "
            "if not given.",
        ),
        "share": click.option(
            "--share",
            type=click.Choice(SHARES),
            default="full",
            show_default=True,
            help="DATNet: one BiLSTM (full), or a shared one and two private ones (part).",
        ),
        "discriminator": click.option(
            "--discriminator",
            type=click.Choice([*DISCRIMINATORS, "none"]),
            default="grad",
            show_default=True,
            help="DATNet: what learns to tell the resources.",
        ),
        "alpha": click.option(
            "--alpha", default=0.25, show_default=True, help="DATNet: α, the weight of the source."
        ),
        "gamma": click.option(
            "--gamma", default=2.0, show_default=True, help="DATNet: γ, the focus on hard cases."
        ),
        "reversal_rate": click.option(
            "--reversal-rate",
            default=1.0,
            show_default=True,
            help="DATNet: what the reversed gradient is multiplied by.",
        ),
        "mixing_rate": click.option(
            "--mixing-rate",
            type=float,
            help="DATNet: the share of the batches that are the source's; by the roots of the "
            "numbers of sentences if not given.",
        ),
    },
)

_JOINT_ONLY = (
    "ner_only",
    "classifier",
    "attention",
    "attention_heads",
    "attention_gate",
    "class_loss_weight",
    "residual",
    "class_type",
    "self_train_files",
    "confidence",
)
_DATNET_ONLY = (
    "source",
    "source_vectors",
    "share",
    "discriminator",
    "alpha",
    "gamma",
    "reversal_rate",
    "mixing_rate",
)


def check_system(system: str, sources: tuple[Any, ...]) -> None:
    """Refuses options of the other system, which would change nothing.

    Args:
        system: "joint" or "datnet".
        sources: The files of the source.

    Raises:
        ValueError: If an option of the other system was given, or DATNet has no source.
    """
    others, owner = (_DATNET_ONLY, "datnet") if system == "joint" else (_JOINT_ONLY, "joint")
    for parameter in click.get_current_context().command.params:
        if parameter.name in others and was_given(parameter.name):
            raise ValueError(
                f"{parameter.opts[0]} goes with --system {owner}: leave it out, or choose that "
                "system."
            )
    if system == "datnet" and not sources:
        raise ValueError(
            "--system datnet learns from a source as well: pass --source FILE, with annotated "
            "sentences."
        )


def was_given(name: str | None) -> bool:
    """Whether the user typed an option of the command that runs."""
    source = click.get_current_context().get_parameter_source(name or "")
    return source is ParameterSource.COMMANDLINE


def make_transfer(
    target: Corpus,
    transfer: dict[str, Any],
    words: dict[str, Any],
    labels: dict[str, Any],
    reading: dict[str, Any],
    target_files: Paths,
    **model: Any,
) -> tuple[Any, TransferCorpus]:
    """A DATNet, and the corpus that it is trained on.

    Args:
        target: The target.
        transfer: Values of the group ``transfer``.
        words: Values of the group ``word_vectors``.
        labels: Values of the group ``label_types``, the class type being None.
        reading: Values of the group ``reading``.
        target_files: The target's files, which the options may be for.
        **model: Further arguments of :class:`~flair_jointner.DATNet`.

    Returns:
        Both.

    Raises:
        ValueError: If the data or the arguments do not fit.
    """
    options = dict(transfer)
    source_files = options.pop("source")
    files = (*target_files, *source_files, *words["vocabulary"])
    source = read_splits(source_files, (), (), labels, reading, files)
    source_vectors, mixing_rate = options.pop("source_vectors"), options.pop("mixing_rate")
    corpus = TransferCorpus(source, target, mixing_rate)
    embeddings = make_embeddings(target if source_vectors else corpus, words, reading, files)
    source_embeddings = None
    if source_vectors:
        own = {**words, "vectors": source_vectors}
        source_embeddings = make_embeddings(source, own, reading, files)
    if options["discriminator"] == "none":
        options["discriminator"] = None
    tagger = build_transfer_tagger(
        source, target, embeddings, labels["tag_type"], source_embeddings, **options, **model
    )
    return tagger, corpus
