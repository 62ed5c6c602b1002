"""Whether the first stations of a tagger can be folded into tables of words, and the tables."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from flair_jointner.models.character_cnn import CharacterCNNEmbeddings
from flair_jointner.models.embedding import has_table, separate_members
from flair_jointner.models.network import TaggerNetwork
from flair_jointner.models.numbered_words import NumberedWords, SpelledWords, TableWords
from flair_jointner.models.word_encoder import WordEncoder

if TYPE_CHECKING:
    from flair_jointner.models.tagger import BaseTagger

_SAMPLE = 4096
"""Numbers of a table of frozen word vectors that are looked at for changes."""
FOLDED_METHODS = (
    "embed",
    "_embed_with",
    "_look_up",
    "encode",
    "_before_rnn",
    "_run_rnn",
    "_after_rnn",
    "forward",
)
"""What folding takes the place of."""


def fold_words(tagger: "BaseTagger", dtype: torch.dtype | None) -> WordEncoder | None:
    """The folded first stations of a tagger, made anew only when its weights have changed.

    Args:
        tagger: The tagger.
        dtype: Type to compute in; that of the weights when None.

    Returns:
        The encoder; None where :func:`why_not_folded` gives a reason.
    """
    if why_not_folded(tagger) is not None:
        return None
    projection = tagger.embedding2nn if tagger.reproject_embeddings else None
    rnn = tagger.rnn
    assert isinstance(rnn, nn.LSTM)  # for the type checker; looked at above
    return tagger.folded.get(
        (dtype, _fingerprint(tagger)),
        lambda: WordEncoder(_words(tagger), projection, rnn, dtype),
    )


def _words(tagger: "BaseTagger") -> NumberedWords:
    """The words of a tagger that can be folded."""
    normalised = tagger.perturbation is not None
    members = [
        (member, tagger.normalisation_of(member) if normalised and has_table(member) else None)
        for member in separate_members(tagger.embeddings)
    ]
    first, norm = members[0]
    if len(members) == 1 and has_table(first):
        return TableWords(first, norm)
    return SpelledWords(members)


def why_not_folded(tagger: "BaseTagger") -> str | None:
    """Why the first stations of a tagger cannot be folded into a word table; None if they can."""
    members = separate_members(tagger.embeddings)
    if not tagger.fast_paths.folded_lstm:
        return "switched off"
    if not all(has_table(m) or isinstance(m, CharacterCNNEmbeddings) for m in members):
        return "the embeddings are not WordEmbeddings without a field or CharacterCNNEmbeddings"
    if not tagger.use_rnn or tagger.rnn_type != "LSTM" or tagger.rnn.num_layers != 1:
        return "the network has no LSTM of one layer"
    if tagger.train_initial_hidden_state or not tagger.rnn.bias:
        return "the LSTM has a trained initial state or no bias"
    system = type(tagger)
    own = [
        name for name in FOLDED_METHODS if getattr(system, name) is not getattr(TaggerNetwork, name)
    ]
    if own:
        return f"{system.__name__} has its own {' and '.join(own)}"
    return None


def _fingerprint(tagger: "BaseTagger") -> tuple[object, ...]:
    """Changes when a folded weight does.

    Fused optimizers, and writes to ``weight.data``, bypass torch's version counter: weights that
    are trained are summed up. Large tables of frozen word vectors are sampled only: a few rows that
    are rewritten past the counter go unnoticed.
    """
    large = list(tagger.embeddings.parameters())
    summed: list[Tensor] = [weight for weight in large if weight.requires_grad]
    summed += tagger.rnn.parameters()
    if tagger.reproject_embeddings:
        summed += tagger.embedding2nn.parameters()
    summed += [*tagger.input_norms.buffers(), *tagger.embeddings.buffers()]
    samples = [w.detach().flatten()[:: max(1, w.numel() // _SAMPLE)] for w in large]
    sums = tuple(float(w.detach().sum(dtype=torch.float64)) for w in (*summed, *samples))
    # Weights that were made in inference mode, and cannot be changed outside of it, count nothing.
    weights = [*summed, *large]
    versions = tuple(0 if w.is_inference() else w._version for w in weights)
    places = tuple((w.data_ptr(), w.shape) for w in weights)
    return (sums, versions, places, id(tagger.embeddings))
