"""The ways of an LSTM against torch's over packed sequences."""

import pytest
import torch
from torch import nn

from flair_jointner.layers import length_mask, recurrent
from flair_jointner.layers.packed_lstm import run_packed_direction
from flair_jointner.layers.packing import Packing
from flair_jointner.layers.recurrent import run_recurrent, runs_fast


def batch(lengths=(5, 2, 4), size=7):
    mask = length_mask(torch.tensor(lengths))
    states = torch.randn(*mask.shape, size).masked_fill(~mask.unsqueeze(2), 100.0)
    return states, mask


def both_ways(rnn, states, mask):
    """Output, and gradients of input and weights, of either way."""
    found = []
    for fast in (True, False):
        given = states.clone().requires_grad_()
        rnn.zero_grad()
        output = run_recurrent(rnn, given, mask, fast=fast)
        (output * weights_like(output)).sum().backward()
        found.append([output, given.grad, *(weight.grad for weight in rnn.parameters())])
    return zip(*found, strict=True)


def weights_like(output):
    return torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view_as(output)


FULL, UNEVEN = (5, 4, 5, 4), (9, 1, 4, 9, 2)
"""Lengths of a batch that runs padded, and of one that runs packed."""


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("lengths", [FULL, UNEVEN, (1,), (1, 1), (3,), (2, 12)])
def test_output_and_gradients_are_those_of_the_packed_sequence(layers, bidirectional, lengths):
    rnn = nn.LSTM(7, 5, layers, batch_first=True, bidirectional=bidirectional).double()
    states, mask = batch(lengths)
    assert runs_fast(rnn, states)
    for ours, theirs in both_ways(rnn, states.double(), mask):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("lengths", [FULL, UNEVEN])
def test_float32_agrees_with_the_packed_sequence(lengths):
    rnn = nn.LSTM(7, 5, batch_first=True, bidirectional=True)
    for ours, theirs in both_ways(rnn, *batch(lengths)):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backward", [False, True])
def test_the_written_out_gradient_is_that_of_finite_differences(backward):
    packing = Packing(torch.tensor(UNEVEN))
    sizes = [(sum(UNEVEN), 3), (8, 3), (8, 2), (8,)]
    inputs = [torch.randn(size, dtype=torch.float64, requires_grad=True) for size in sizes]
    assert torch.autograd.gradcheck(
        lambda *given: run_packed_direction(*given, packing, backward), inputs
    )


def test_only_the_wanted_gradients_are_computed():
    packing = Packing(torch.tensor(UNEVEN))
    packed, *weights = (torch.randn(size) for size in [(sum(UNEVEN), 3), (8, 3), (8, 2), (8,)])
    packed.requires_grad_()
    run_packed_direction(packed, *weights, packing, False).sum().backward()
    assert packed.grad is not None
    assert all(weight.grad is None for weight in weights)


@pytest.mark.parametrize(("lengths", "way"), [(FULL, "_run_padded"), (UNEVEN, "_run_packed")])
def test_how_much_is_padding_decides_the_way(monkeypatch, lengths, way):
    rnn = nn.LSTM(7, 5, batch_first=True)
    states, mask = batch(lengths)
    monkeypatch.setattr(recurrent, way, lambda *_: "this way")
    assert run_recurrent(rnn, states, mask) == "this way"


def test_mixed_precision_changes_little():
    rnn = nn.LSTM(7, 5, batch_first=True)
    for lengths in (FULL, UNEVEN, (30, 1, 1, 1)):
        states, mask = batch(lengths)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = run_recurrent(rnn, states.bfloat16(), mask)
        exact = run_recurrent(rnn, states, mask)
        torch.testing.assert_close(mixed.float(), exact, rtol=0.05, atol=0.02)


def test_padding_comes_out_as_zero_and_changes_nothing():
    rnn = nn.LSTM(7, 5, batch_first=True, bidirectional=True)
    states, mask = batch()
    output = run_recurrent(rnn, states, mask)
    assert output[~mask].abs().max() == 0
    alone = run_recurrent(rnn, states[1:2, :2], mask[1:2, :2])
    torch.testing.assert_close(output[1:2, :2], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lengths", [FULL, UNEVEN])
def test_dropout_between_layers_is_that_of_training_only(lengths):
    rnn = nn.LSTM(7, 5, 2, batch_first=True, dropout=0.9)
    states, mask = batch(lengths)
    assert not torch.equal(run_recurrent(rnn, states, mask), run_recurrent(rnn, states, mask))
    rnn.eval()
    assert torch.equal(run_recurrent(rnn, states, mask), run_recurrent(rnn, states, mask))


@pytest.mark.parametrize("kind", [nn.GRU, nn.RNN])
def test_other_networks_run_packed(kind):
    rnn = kind(7, 5, batch_first=True, bidirectional=True)
    states, mask = batch()
    assert not runs_fast(rnn, states)
    assert run_recurrent(rnn, states, mask)[~mask].abs().max() == 0
