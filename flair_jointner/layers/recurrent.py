"""Recurrent networks over padded batches, and an LSTM as fast as torch can run it.

On the CPU, torch runs a packed sequence step by step and spends half of the backward pass in
slices of the packed buffer. Over a padded batch it hands a whole layer to oneDNN, which is two to
three times as fast, but reads padding; so each direction is a layer of its own there, the backward
direction over sentences that are turned round: padding stands behind the sentence in both and
reaches no token. Where much of the batch is padding, the steps are our own
(:mod:`~flair_jointner.layers.packed_lstm`), which cost what the tokens cost.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from flair_jointner.layers.dropout import drop
from flair_jointner.layers.packed_lstm import run_packed_direction
from flair_jointner.layers.packing import Packing

_WORTH_PADDING = 0.8
"""With a smaller share of real tokens in the batch, our own steps are faster than oneDNN's."""
_WORTH_PADDING_MIXED = 0.4
"""The same in mixed precision, where a step of oneDNN is cheap, and ours stays in float32."""


def run_recurrent(
    rnn: nn.RNNBase,
    states: Tensor,
    mask: Tensor,
    initial: Tensor | tuple[Tensor, Tensor] | None = None,
    fast: bool = True,
) -> Tensor:
    """Runs a recurrent network over the real tokens of each sentence.

    Args:
        rnn: The network, with ``batch_first``.
        states: ``[batch, tokens, input]``.
        mask: ``[batch, tokens]`` bool, True for real tokens; each sentence has at least one.
        initial: Initial hidden state (and cell state, of an LSTM), as torch takes it; 0 when None.
        fast: Whether to run in another way than torch's packed sequence where that is quicker.

    Returns:
        ``[batch, tokens, hidden · directions]``, 0 on padding.
    """
    if fast and initial is None and runs_fast(rnn, states):
        worth = _WORTH_PADDING_MIXED if torch.is_autocast_enabled("cpu") else _WORTH_PADDING
        if mask.sum() >= worth * mask.numel():
            return _run_padded(rnn, states, mask)
        with torch.autocast("cpu", enabled=False):
            return _run_packed(rnn, states.to(next(rnn.parameters()).dtype), mask)
    packed = pack_padded_sequence(states, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
    output, _ = rnn(packed, initial)
    return pad_packed_sequence(output, batch_first=True, total_length=mask.size(1))[0]


def runs_fast(rnn: nn.RNNBase, states: Tensor) -> bool:
    """Whether there is a faster way for a network: an LSTM on the CPU with oneDNN."""
    return (
        isinstance(rnn, nn.LSTM)
        and rnn.bias
        and not rnn.proj_size
        and states.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
    )


def _run_padded(rnn: nn.RNNBase, states: Tensor, mask: Tensor) -> Tensor:
    lengths = mask.sum(1, keepdim=True)
    places = torch.arange(mask.size(1), device=mask.device)
    # Place of the token that is as far from the end as this one from the beginning.
    turned = torch.where(mask, lengths - 1 - places, places)
    sentences = torch.arange(len(mask), device=mask.device).unsqueeze(1)
    rows = (sentences * mask.size(1) + turned).flatten()
    for layer in range(rnn.num_layers):
        states = _between_layers(rnn, layer, states)
        directions = [_run_padded_direction(rnn, f"l{layer}", states)]
        if rnn.bidirectional:
            backward = _run_padded_direction(rnn, f"l{layer}_reverse", _turn(states, rows))
            directions.append(_turn(backward, rows))
        states = torch.cat(directions, dim=2)
    return states * mask.unsqueeze(2)


def _turn(states: Tensor, rows: Tensor) -> Tensor:
    """Turns sentences round, or back.

    Args:
        states: ``[batch, tokens, …]``.
        rows: For each token the flat index of the one that takes its place, ``[batch · tokens]``:
            an exchange of pairs.

    Returns:
        Of the shape of the states.
    """
    turned: Tensor = _Exchange.apply(states.flatten(0, 1), rows)
    return turned.view(*states.shape[:2], -1)


class _Exchange(torch.autograd.Function):
    """Rows in another order that is its own inverse: no sum is needed in the backward pass."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        return states.index_select(0, rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        return gradient.index_select(0, rows), None


def _run_padded_direction(rnn: nn.RNNBase, name: str, states: Tensor) -> Tensor:
    zeros = states.new_zeros(1, len(states), rnn.hidden_size)
    output, _, _ = torch.lstm(
        states, (zeros, zeros), _weights(rnn, name), True, 1, 0.0, rnn.training, False, True
    )
    return output


def _run_packed(rnn: nn.RNNBase, states: Tensor, mask: Tensor) -> Tensor:
    packing = Packing(mask.sum(1))
    packed = packing.pack(states)
    for layer in range(rnn.num_layers):
        packed = _between_layers(rnn, layer, packed)
        names = [f"l{layer}", f"l{layer}_reverse"][: 2 if rnn.bidirectional else 1]
        directions = []
        for backward, name in enumerate(names):
            weight_ih, weight_hh, bias_ih, bias_hh = _weights(rnn, name)
            bias = bias_ih + bias_hh
            directions.append(
                run_packed_direction(packed, weight_ih, weight_hh, bias, packing, bool(backward))
            )
        packed = torch.cat(directions, dim=1)
    return packing.pad(packed, mask.size(1))


def _between_layers(rnn: nn.RNNBase, layer: int, states: Tensor) -> Tensor:
    """The dropout that stands below each layer but the first."""
    if layer and rnn.dropout and rnn.training:
        return drop(states, rnn.dropout)
    return states


def _weights(rnn: nn.RNNBase, name: str) -> list[Tensor]:
    """Those of a layer's direction: of the input, of the hidden state, and the biases of both."""
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return [getattr(rnn, f"{part}_{name}") for part in parts]
