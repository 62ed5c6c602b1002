"""One direction of an LSTM over packed sentences, with its gradient written out.

The input half of the gates is one matrix product over all tokens, the recurrent half one small
product per step, over the sentences that reach the step: padding costs nothing. The
gradient of the weights is one product over all tokens as well, where torch's own packed sequence
adds up one a step; and what a step multiplies the incoming gradient with is computed for all tokens
at once, so that a step of the backward pass is one product and five cheap operations.

As in :mod:`~flair_jointner.layers.folded_lstm`, the hyperbolic tangent is written 2σ(2x) - 1: the
factor 2 of the candidate g goes into the weights, and in the place of the cell c, -2c is kept.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from flair_jointner.layers.matmul import PrepackedMatrix, product
from flair_jointner.layers.packing import Packing


def run_packed_direction(
    packed: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor,
    packing: Packing,
    backward: bool,
) -> Tensor:
    """Runs an LSTM layer in one direction.

    Args:
        packed: Its input, ``[N, input]``.
        weight_ih: Weights of the input, in torch's order of the gates, ``[4 · hidden, input]``.
        weight_hh: Weights of the hidden state, ``[4 · hidden, hidden]``.
        bias: The sum of both biases, ``[4 · hidden]``.
        packing: The layout of the batch.
        backward: Whether it runs from the last token of a sentence to the first.

    Returns:
        The hidden states, ``[N, hidden]``; differentiable once.
    """
    states: Tensor = _Direction.apply(packed, weight_ih, weight_hh, bias, packing, backward)
    return states


class _Direction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        packed: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias: Tensor,
        packing: Packing,
        backward: bool,
    ) -> Tensor:
        weight_ih, weight_hh, bias = map(_double_candidate, (weight_ih, weight_hh, bias))
        gates = product(packed, weight_ih, bias)  # [N, 4 · hidden], becomes σ of both halves
        cells, squashed, states = packed.new_empty(3, len(packed), weight_hh.size(1)).unbind()
        _run(gates, cells, squashed, states, PrepackedMatrix(weight_hh), packing, backward)
        ctx.save_for_backward(packed, weight_ih, weight_hh, gates, cells, squashed, states)
        ctx.packing, ctx.backward_direction = packing, backward
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        packed, weight_ih, weight_hh, gates, cells, squashed, states = ctx.saved_tensors
        packing, backward = ctx.packing, ctx.backward_direction
        before_gates = _run_back(
            gradient, weight_hh, gates, cells, squashed, packing, backward
        )  # [N, 4 · hidden]
        wanted = ctx.needs_input_grad
        inputs = weights_ih = weights_hh = biases = None
        if wanted[0]:
            inputs = product(before_gates, weight_ih.t())
        if wanted[1]:
            weights_ih = _double_candidate(product(before_gates.t(), packed.t()))
        if wanted[2]:
            # Each token that has one before it in its direction, and the state of that one.
            after, before = before_gates[packing.sizes[0] :], states[packing.previous]
            if backward:
                after, before = before_gates[packing.previous], states[packing.sizes[0] :]
            weights_hh = _double_candidate(product(after.t(), before.t()))
        if wanted[3]:
            biases = _double_candidate(before_gates.sum(0))
        return inputs, weights_ih, weights_hh, biases, None, None


def _double_candidate(rows: Tensor) -> Tensor:
    """Twice the rows of the candidate g, the third of the gates i, f, g, o."""
    doubled = rows.clone()
    doubled.unflatten(0, (4, -1))[2].mul_(2)
    return doubled


def _run(
    gates: Tensor,
    cells: Tensor,
    squashed: Tensor,
    states: Tensor,
    recurrent: PrepackedMatrix,
    packing: Packing,
    backward: bool,
) -> None:
    """Fills what a pass leaves behind.

    Args:
        gates: The input half of the gates, ``[N, 4 · hidden]``; becomes σ of both halves.
        cells: Becomes -2c, ``[N, hidden]``.
        squashed: Becomes σ(-2c), ``[N, hidden]``.
        states: Becomes the hidden states, ``[N, hidden]``.
        recurrent: The recurrent weights.
        packing: The layout of the batch.
        backward: Whether the last step comes first.
    """
    parts = (gates, *gates.unflatten(1, (4, -1)).unbind(1), cells, squashed, states)
    of_steps = list(zip(*map(packing.steps, parts), strict=True))
    last_cell = last_state = states[:0]
    for step in of_steps[:: -1 if backward else 1]:
        gate, input_gate, forget_gate, candidate, output_gate, cell, squash, state = step
        goes_on = min(len(state), len(last_state))  # sentences; backwards, others begin here
        if goes_on:
            before = gate[:goes_on]
            torch.sigmoid(recurrent.multiply_onto(before, last_state[:goes_on]), out=before)
            torch.mul(forget_gate[:goes_on], last_cell[:goes_on], out=cell[:goes_on])
        if goes_on < len(state):
            gate[goes_on:].sigmoid_()
            cell[goes_on:].zero_()
        # -2c is -2 (f·c + i·(2σ(2g) - 1))
        cell.addcmul_(input_gate, candidate, value=-4).add_(input_gate, alpha=2)
        torch.sigmoid(cell, out=squash)
        # tanh(c) is 1 - 2σ(-2c)
        torch.addcmul(output_gate, output_gate, squash, value=-2, out=state)
        last_cell, last_state = cell, state


def _run_back(
    gradient: Tensor,
    weight_hh: Tensor,
    gates: Tensor,
    cells: Tensor,
    squashed: Tensor,
    packing: Packing,
    backward: bool,
) -> Tensor:
    """The gradient of what goes into the sigmoids of the gates.

    Args:
        gradient: That of the hidden states, ``[N, hidden]``.
        weight_hh: The recurrent weights, ``[4 · hidden, hidden]``.
        gates: σ(i), σ(f), σ(2g), σ(o), ``[N, 4 · hidden]``.
        cells: -2c, ``[N, hidden]``.
        squashed: σ(-2c), ``[N, hidden]``.
        packing: The layout of the batch.
        backward: Whether the pass went from the last step to the first.

    Returns:
        ``[N, 4 · hidden]``.
    """
    opened = gates.unflatten(1, (4, -1))
    input_gate, forget_gate, candidate, output_gate = opened.unbind(1)
    # h = o · tanh(c): what the gradient of h adds to that of c.
    to_cell = torch.addcmul(squashed, squashed, squashed, value=-1).mul_(output_gate).mul_(4)
    # What the gradient of c, and for o that of h, is multiplied by; σ' = σ - σ².
    slopes = torch.addcmul(opened, opened, opened, value=-1)  # [N, 4, hidden]
    slopes[:, 0].mul_(candidate.mul(2).sub_(1))
    slopes[:, 1].mul_(_before(cells, packing, backward)).mul_(-0.5)
    slopes[:, 2].mul_(input_gate).mul_(2)
    slopes[:, 3].mul_(squashed.mul(-2).add_(1))
    found = torch.empty_like(slopes)
    of_states = gradient.clone()  # to which each step adds what comes back from the next one
    recurrent = PrepackedMatrix(weight_hh.t())
    of_cells = gradient.new_zeros(packing.sizes[0], gradient.size(1))
    parts = (found, slopes, to_cell, forget_gate, of_states)
    of_steps = list(zip(*map(packing.steps, parts), strict=True))
    ordered = of_steps[:: 1 if backward else -1]
    following = [step[-1] for step in ordered[1:]] + [None]
    for (gate, slope, into_cell, forget_gates, state), following_state in zip(
        ordered, following, strict=True
    ):
        cell = of_cells[: len(state)]
        cell.addcmul_(state, into_cell)
        torch.mul(cell.unsqueeze(1), slope[:, :3], out=gate[:, :3])
        torch.mul(state, slope[:, 3], out=gate[:, 3])
        cell.mul_(forget_gates)
        if following_state is not None:
            count = min(len(state), len(following_state))
            target = following_state[:count]
            added = recurrent.multiply_onto(target, gate[:count].flatten(1))
            if added is not target:
                target.copy_(added)
    return found.flatten(1)


def _before(cells: Tensor, packing: Packing, backward: bool) -> Tensor:
    """The cell that each token starts from, ``[N, hidden]``."""
    before = torch.zeros_like(cells)
    if backward:
        before[packing.previous] = cells[packing.sizes[0] :]
    else:
        before[packing.sizes[0] :] = cells[packing.previous]
    return before
