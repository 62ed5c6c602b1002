"""A bidirectional LSTM over padded sentences, as fast as torch can run it.

On a processor, torch runs a packed sequence step by step and spends half of the backward pass in
slices of the packed buffer. Over a padded batch it hands the whole layer to oneDNN, which is two
to three times as fast, but reads padding. Here each direction is a layer of its own over a padded
batch, the backward direction over sentences that are turned round; so padding stands behind the
sentence in both and reaches no token.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

_LEAST_FILL = 0.4
"""With a smaller share of real tokens in the batch, a packed sequence is as fast."""


def run_recurrent(
    rnn: nn.RNNBase, states: Tensor, mask: Tensor, initial: object = None, padded: bool = True
) -> Tensor:
    """Runs a recurrent network over the real tokens of each sentence.

    Args:
        rnn: The network, with ``batch_first``.
        states: ``[batch, tokens, input]``.
        mask: ``[batch, tokens]`` bool, True for real tokens.
        initial: Initial hidden state (and cell state, of an LSTM), as torch takes it; 0 when None.
        padded: Whether to run over the padded batch where that is possible and quicker.

    Returns:
        ``[batch, tokens, hidden · directions]``, 0 on padding.
    """
    if padded and initial is None and runs_padded(rnn, states) and _is_filled(mask):
        return _run_padded(rnn, states, mask)
    packed = pack_padded_sequence(states, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
    output, _ = rnn(packed, initial)
    return pad_packed_sequence(output, batch_first=True, total_length=mask.size(1))[0]


def runs_padded(rnn: nn.RNNBase, states: Tensor) -> bool:
    """Whether a network runs over padded batches: an LSTM on a processor with oneDNN."""
    return (
        isinstance(rnn, nn.LSTM)
        and rnn.bias
        and not rnn.proj_size
        and states.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
    )


def _is_filled(mask: Tensor) -> bool:
    return bool(mask.sum() >= _LEAST_FILL * mask.numel())


def _run_padded(rnn: nn.RNNBase, states: Tensor, mask: Tensor) -> Tensor:
    lengths = mask.sum(1, keepdim=True)
    places = torch.arange(mask.size(1), device=mask.device)
    # Place of the token that is as far from the end as this one from the beginning.
    turned = torch.where(mask, lengths - 1 - places, places)
    sentences = torch.arange(len(mask), device=mask.device).unsqueeze(1)
    for layer in range(rnn.num_layers):
        if layer and rnn.dropout and rnn.training:
            states = nn.functional.dropout(states, rnn.dropout)
        directions = [_run_direction(rnn, f"l{layer}", states)]
        if rnn.bidirectional:
            backward = _run_direction(rnn, f"l{layer}_reverse", states[sentences, turned])
            directions.append(backward[sentences, turned])
        states = torch.cat(directions, dim=2)
    return states * mask.unsqueeze(2)


def _run_direction(rnn: nn.RNNBase, name: str, states: Tensor) -> Tensor:
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    weights = [getattr(rnn, f"{part}_{name}") for part in parts]
    zeros = states.new_zeros(1, len(states), rnn.hidden_size)
    output, _, _ = torch.lstm(
        states, (zeros, zeros), weights, True, 1, 0.0, rnn.training, False, True
    )
    return output
