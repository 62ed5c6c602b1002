"""What `jointner train --system datnet` adds: a source, and how it is shared."""

from typing import Any

import click
from flair.data import Corpus

from flair_jointner.cli.inputs import Paths, make_embeddings, of_source, read_splits, reading_source
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


def make_transfer(
    target: Corpus,
    transfer: dict[str, Any],
    words: dict[str, Any],
    labels: dict[str, Any],
    reading: dict[str, Any],
    source_reading: dict[str, Any],
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
        source_reading: Values of the group ``source_reading``.
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
    with reading_source():
        own_reading = of_source(reading, source_reading)
        source = read_splits(source_files, (), (), labels, own_reading, files)
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
