"""The LSTM for tagging against torch's."""

import pytest
import torch
from torch import nn

from flair_jointner.layers import length_mask, matmul
from flair_jointner.layers.folded_lstm import FoldedLstm
from flair_jointner.layers.packing import Packing
from flair_jointner.layers.recurrent import run_recurrent

LENGTHS = torch.tensor([5, 1, 9, 9, 3])


def run_both(rnn, projection=None, dtype=None):
    mask = length_mask(LENGTHS)
    states = torch.randn(*mask.shape, 12)
    with torch.no_grad():
        projected = states if projection is None else projection(states)
        expected = run_recurrent(rnn, projected, mask, fast=False)
        packing = Packing(LENGTHS)
        folded = FoldedLstm(rnn, projection, dtype)
        gates = folded.gates(packing.pack(states))
        shapes = [tuple(of_direction.shape) for of_direction in gates]
        assert shapes == folded.directions * [(int(LENGTHS.sum()), folded.gate_size)]
        words = torch.arange(len(gates[0]))
        found = packing.pad(folded.run(gates, words, packing), mask.size(1))
    return found, expected


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("hidden", [6, 100])
@pytest.mark.parametrize("onednn", [True, False])
def test_the_hidden_states_are_torchs(bidirectional, projected, hidden, onednn, monkeypatch):
    if not onednn:
        monkeypatch.setattr(matmul, "has_onednn", lambda: False)
    rnn = nn.LSTM(12, hidden, batch_first=True, bidirectional=bidirectional)
    projection = nn.Linear(12, 12) if projected else None
    found, expected = run_both(rnn, projection)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_in_float64_they_agree_to_rounding():
    rnn = nn.LSTM(12, 6, batch_first=True, bidirectional=True).double()
    mask = length_mask(LENGTHS)
    states = torch.randn(*mask.shape, 12, dtype=torch.float64)
    packing = Packing(LENGTHS)
    folded = FoldedLstm(rnn)
    gates = folded.gates(packing.pack(states))
    found = packing.pad(folded.run(gates, torch.arange(len(gates[0])), packing), mask.size(1))
    expected = run_recurrent(rnn, states, mask, fast=False)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


def test_large_weights_saturate_without_harm():
    rnn = nn.LSTM(12, 6, batch_first=True, bidirectional=True)
    for weight in rnn.parameters():
        weight.data.mul_(100)
    found, expected = run_both(rnn)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_bfloat16_is_close():
    rnn = nn.LSTM(12, 40, batch_first=True, bidirectional=True)
    found, expected = run_both(rnn, dtype=torch.bfloat16)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=0.02)
