import pytest
import torch

from flair_jointner.layers import length_mask, masked_max
from flair_jointner.layers.masking import masked_softmax


def test_length_mask_marks_the_first_tokens():
    mask = length_mask(torch.tensor([2, 0, 3]))
    assert mask.tolist() == [[True, True, False], [False, False, False], [True, True, True]]


def test_length_mask_can_be_longer_than_the_longest_sentence():
    assert length_mask(torch.tensor([1]), max_length=3).tolist() == [[True, False, False]]


def test_masked_max_ignores_padding():
    states = torch.tensor([[[-3.0, 5.0], [-1.0, -7.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, False]])
    assert masked_max(states, mask).tolist() == [[-1.0, 5.0]]


@pytest.mark.parametrize("on_padding", [float("-inf"), float("inf"), float("nan"), 7.0])
def test_masked_softmax_gives_padding_and_empty_sentences_no_weight(on_padding):
    scores = torch.tensor([[0.0, 0.0, on_padding], [on_padding] * 3, [1.0, 0.0, 1.0]])
    mask = torch.tensor([[True, True, False], [False] * 3, [True] * 3])
    weights = masked_softmax(scores, mask)
    assert weights[:2].tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    assert weights[2].sum().item() == pytest.approx(1.0)
