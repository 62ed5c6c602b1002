"""The LSTM over padded batches against torch's over packed sequences."""

import pytest
import torch
from torch import nn

from flair_jointner.layers import length_mask, recurrent
from flair_jointner.layers.recurrent import run_recurrent, runs_padded


def batch(lengths=(5, 2, 4), size=7):
    mask = length_mask(torch.tensor(lengths))
    states = torch.randn(*mask.shape, size).masked_fill(~mask.unsqueeze(2), 100.0)
    return states, mask


def both_ways(rnn, states, mask):
    """Output, and gradients of input and weights, of either way."""
    found = []
    for padded in (True, False):
        given = states.clone().requires_grad_()
        rnn.zero_grad()
        output = run_recurrent(rnn, given, mask, padded=padded)
        output.square().sum().backward()
        found.append([output, given.grad, *(weight.grad for weight in rnn.parameters())])
    return zip(*found, strict=True)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_output_and_gradients_are_those_of_the_packed_sequence(layers, bidirectional):
    rnn = nn.LSTM(7, 5, layers, batch_first=True, bidirectional=bidirectional)
    states, mask = batch()
    assert runs_padded(rnn, states)
    for ours, theirs in both_ways(rnn, states, mask):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_padding_comes_out_as_zero_and_changes_nothing():
    rnn = nn.LSTM(7, 5, batch_first=True, bidirectional=True)
    states, mask = batch()
    output = run_recurrent(rnn, states, mask)
    assert output[~mask].abs().max() == 0
    alone = run_recurrent(rnn, states[1:2, :2], mask[1:2, :2])
    torch.testing.assert_close(output[1:2, :2], alone, rtol=1e-5, atol=1e-6)


def test_dropout_between_layers_is_that_of_training_only():
    rnn = nn.LSTM(7, 5, 2, batch_first=True, dropout=0.9)
    states, mask = batch()
    assert not torch.equal(run_recurrent(rnn, states, mask), run_recurrent(rnn, states, mask))
    rnn.eval()
    assert torch.equal(run_recurrent(rnn, states, mask), run_recurrent(rnn, states, mask))


@pytest.mark.parametrize("kind", [nn.GRU, nn.RNN])
def test_other_networks_run_packed(kind):
    rnn = kind(7, 5, batch_first=True, bidirectional=True)
    states, mask = batch()
    assert not runs_padded(rnn, states)
    assert run_recurrent(rnn, states, mask)[~mask].abs().max() == 0


def test_a_batch_that_is_mostly_padding_runs_packed(monkeypatch):
    rnn = nn.LSTM(7, 5, batch_first=True)
    states, mask = batch((30, 1, 1, 1))
    monkeypatch.setattr(recurrent, "_run_padded", lambda *_: pytest.fail("ran padded"))
    assert run_recurrent(rnn, states, mask).shape == (4, 30, 5)
