"""A tagger with adversarial training that starts from the weights of a model without it."""

from collections.abc import Iterator
from typing import Any

import torch
from flair.embeddings import WordEmbeddings
from torch import Tensor, nn

from flair_jointner.models.embedding import has_table, separate_members
from flair_jointner.models.network import TaggerNetwork


def check_can_undo(tagger: TaggerNetwork) -> None:
    """Refuses what :func:`undo_normalisation` cannot do, before any weight is copied.

    Args:
        tagger: A tagger with adversarial training.

    Raises:
        ValueError: If there is no layer to undo the normalisation in, or embeddings are not static
            word vectors, of which mean and deviation are known.
    """
    members = separate_members(tagger.embeddings)
    if not all(has_table(member) and not member.fine_tune for member in members):
        raise ValueError(
            "Adversarial training normalises the embeddings, and what the weights of another model "
            "need of them can be kept for static word vectors only: leave perturbation out, or "
            "train from random weights."
        )
    if not list(_first_layers(tagger)):
        raise ValueError(
            "Adversarial training normalises the embeddings, and there is no layer below the "
            "attention that could undo it: leave perturbation out, or train from random weights."
        )


@torch.no_grad()
def undo_normalisation(tagger: TaggerNetwork) -> None:
    """Makes the first layer of a tagger undo the normalisation of its word vectors.

    Adversarial training normalises the vectors, but weights of another model were trained on
    vectors as they are. With mean m and deviation s of the table's vectors, kept from now on,
    W x + b is (W s) x' + (b + W m) for the normalised x' = (x - m) / s: the tagger computes what
    the other model did. Each word of the table counts once, where a tagger that starts from random
    weights counts words as they come in training: ε is another one to that extent.

    Args:
        tagger: A tagger whose first layer has the weights of a model without adversarial training,
            and that :func:`check_can_undo` accepts.
    """
    members = separate_members(tagger.embeddings)
    norms = [tagger.normalisation_of(member) for member in members]
    for member, norm in zip(members, norms, strict=True):
        norm.fix(_vectors(member))
    mean = torch.cat([norm.mean for norm in norms])
    scale = torch.cat([norm.scale for norm in norms])
    for weight, bias in _first_layers(tagger):
        bias += weight @ mean.to(weight)
        weight *= scale.to(weight)


def _vectors(table: Any) -> Tensor:
    """Those of the words that the table knows, ``[words, embedding]``."""
    assert isinstance(table, WordEmbeddings)  # for the type checker; looked at before
    vectors: Tensor = table.embedding.weight[: len(table.vocab)]
    return vectors if table.layer_norm is None else table.layer_norm(vectors)


def _first_layers(tagger: TaggerNetwork) -> Iterator[tuple[Tensor, Tensor]]:
    """Weight and bias of what reads the embeddings."""
    if tagger.reproject_embeddings:
        yield tagger.embedding2nn.weight, tagger.embedding2nn.bias
    elif tagger.use_rnn:
        rnn: nn.RNNBase = tagger.rnn
        for direction in ("", "_reverse") if rnn.bidirectional else ("",):
            yield getattr(rnn, f"weight_ih_l0{direction}"), getattr(rnn, f"bias_ih_l0{direction}")
