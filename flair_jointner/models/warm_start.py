"""What a tagger takes from a plain one that it starts from."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from flair.embeddings import WordEmbeddings
from flair.models import SequenceTagger
from torch import Tensor, nn

from flair_jointner.models.embedding import has_table, separate_members
from flair_jointner.models.network import TaggerNetwork


def arguments_of(tagger: SequenceTagger) -> dict[str, Any]:
    """The constructor's arguments that make the same network, but for embeddings and labels.

    Args:
        tagger: A tagger of Flair's, or of this package.

    Returns:
        Arguments of :class:`~flair_jointner.models.network.TaggerNetwork`.
    """
    if isinstance(tagger, TaggerNetwork):
        own = ("allow_unk_predictions", "constrain_decoding", "train_initial_hidden_state")
        arguments = {name: getattr(tagger, name) for name in own}
    else:
        # A span tagger of Flair predicts <unk> if it knows it.
        knows = tagger.predict_spans and "<unk>" in tagger.label_dictionary.get_items()
        arguments = {"allow_unk_predictions": knows}
    same = (
        *("tag_format", "use_rnn", "rnn_type", "rnn_layers", "hidden_size", "bidirectional"),
        *("use_crf", "reproject_embeddings"),
    )
    return {
        **arguments,
        **{name: getattr(tagger, name) for name in same},
        "dropout": tagger.use_dropout,
        "word_dropout": tagger.use_word_dropout,
        "locked_dropout": tagger.use_locked_dropout,
        # Flair takes them with a CRF too, and does not use them.
        "loss_weights": None if tagger.use_crf else tagger.weight_dict,
    }


def copy_weights(tagger: SequenceTagger, model: TaggerNetwork, new: tuple[str, ...]) -> None:
    """Copies the weights of a tagger into one with the same network and more.

    Args:
        tagger: The tagger.
        model: Takes the weights, and the temperature of the tags.
        new: How the names of those begin that the model does not take.

    Raises:
        ValueError: If other weights are missing, or left over.
    """
    weights = {k: w for k, w in tagger.state_dict().items() if not k.startswith(new)}
    if not isinstance(tagger, TaggerNetwork):  # Flair makes these on request, and never reads them
        weights = {k: w for k, w in weights.items() if not k.startswith("lstm_init_")}
    found = model.load_state_dict(weights, strict=False)
    lacking = [name for name in found.missing_keys if not name.startswith(new)]
    if lacking or found.unexpected_keys:
        raise ValueError(
            f"The weights of a {type(tagger).__name__} are not those of a "
            f"{type(model).__name__}: it has {', '.join(found.unexpected_keys) or 'no more'} "
            f"beside them, and lacks {', '.join(lacking) or 'none'}."
        )
    model.tag_temperature = getattr(tagger, "tag_temperature", 1.0)


@contextmanager
def absorbed_normalisation(tagger: TaggerNetwork) -> Iterator[None]:
    """Within it, a tagger takes weights of a model that did not normalise its embeddings.

    Adversarial training normalises them. Afterwards the first layer undoes that, so that the tagger
    computes what the other model did; without adversarial training there is nothing to undo.

    Args:
        tagger: The tagger.

    Raises:
        ValueError: Before any weight is copied, if there is no layer to undo the normalisation in,
            or embeddings are not static word vectors, of which mean and deviation are known.
    """
    if tagger.perturbation is None:
        yield
        return
    _check_can_undo(tagger)
    yield
    _undo_normalisation(tagger)


def _check_can_undo(tagger: TaggerNetwork) -> None:
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
def _undo_normalisation(tagger: TaggerNetwork) -> None:
    """Folds the normalisation into the first layer.

    With mean m and deviation s of the table's vectors, kept from now on, W x + b is
    (W s) x' + (b + W m) for the normalised x' = (x - m) / s. The statistics count each word of the
    table once, where those of a tagger that starts from random weights count words as they come in
    training, so that one ε is not quite the other.
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
