"""The LSTM for tagging against torch's."""

import pytest
import torch
from torch import nn

from flair_jointner.layers import length_mask, matmul
from flair_jointner.layers.folded_lstm import FoldedLstm
from flair_jointner.layers.recurrent import run_recurrent

LENGTHS = torch.tensor([9, 9, 8, 5, 5, 2, 1, 1])


def run_folded(folded, states, lengths):
    """Runs sentences of as many distinct words as they have tokens."""
    words = torch.arange(lengths.sum())
    padded = torch.zeros(states.shape[:2], dtype=torch.long)
    padded[length_mask(lengths)] = words
    gates = [one.gates(states[length_mask(lengths)]) for one in folded.directions]
    assert {tuple(own.shape) for own in gates} == {(len(words), 4 * folded.directions[0].hidden)}
    ends = [padded[:, 0], padded[torch.arange(len(lengths)), lengths - 1]]
    begun = [
        one.begin(own[end]) for one, own, end in zip(folded.directions, gates, ends, strict=False)
    ]
    return folded.run(gates, padded, begun, lengths)


def run_both(rnn, projection=None, dtype=None, lengths=LENGTHS):
    mask = length_mask(lengths)
    states = torch.randn(*mask.shape, 12)
    with torch.no_grad():
        projected = states if projection is None else projection(states)
        expected = run_recurrent(rnn, projected, mask, fast=False)
        found = run_folded(FoldedLstm(rnn, projection, dtype), states, lengths)
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


@pytest.mark.parametrize(
    "lengths", [[1], [1, 1], [4], [2, 1], [3, 3, 3], [30, 2, 2], [5, 4, 3, 2, 1]]
)
def test_sentences_of_any_lengths(lengths):
    rnn = nn.LSTM(12, 6, batch_first=True, bidirectional=True)
    found, expected = run_both(rnn, lengths=torch.tensor(lengths))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_in_float64_they_agree_to_rounding():
    rnn = nn.LSTM(12, 6, batch_first=True, bidirectional=True).double()
    mask = length_mask(LENGTHS)
    states = torch.randn(*mask.shape, 12, dtype=torch.float64)
    found = run_folded(FoldedLstm(rnn), states, LENGTHS)
    expected = run_recurrent(rnn, states, mask, fast=False)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


def test_the_longest_sentence_comes_first():
    folded = FoldedLstm(nn.LSTM(12, 6, batch_first=True))
    states = torch.randn(3, 4, 12)
    with pytest.raises(
        ValueError, match=r"longest sentence has to come first: lengths \[2, 4, 1\]"
    ):
        run_folded(folded, states, torch.tensor([2, 4, 1]))


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
