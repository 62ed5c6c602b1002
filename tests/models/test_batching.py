import pytest
import torch
from flair.data import Sentence

from flair_jointner.models.batching import pad_indices, token_mask


def test_indices_are_padded_to_the_longest_sentence():
    padded = pad_indices([[5], [1, 2, 3], []], padding=9)
    assert padded.tolist() == [[5, 9, 9], [1, 2, 3], [9, 9, 9]]
    assert padded.dtype == torch.long


@pytest.mark.parametrize("rows", [[], [[]], [[], []]])
def test_no_indices_make_an_empty_batch(rows):
    assert pad_indices(rows).shape == (len(rows), 0)


def test_the_mask_marks_the_tokens_of_each_sentence():
    mask = token_mask([Sentence(["a"]), Sentence(["b", "c"])])
    assert mask.tolist() == [[True, False], [True, True]]
