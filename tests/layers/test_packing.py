"""Where each token of a padded batch stands in a packed one."""

import pytest
import torch

from flair_jointner.layers.packing import Packing

LENGTHS = [2, 4, 1, 4]
# The longest first; equally long ones keep their order.
NAMES = [["b0", "b1", "b2", "b3"], ["d0", "d1", "d2", "d3"], ["a0", "a1"], ["c0"]]
PACKED = ["b0", "d0", "a0", "c0", "b1", "d1", "a1", "b2", "d2", "b3", "d3"]


def padded():
    """A number per token: sentence times 10 plus place; -1 on padding."""
    rows = torch.full((4, 5), -1)
    for index, length in enumerate(LENGTHS):
        rows[index, :length] = 10 * index + torch.arange(length)
    return rows


def number(name: str) -> int:
    return 10 * "abcd".index(name[0]) + int(name[1])


def test_steps_follow_each_other_and_longer_sentences_come_first():
    packing = Packing(torch.tensor(LENGTHS))
    packed = packing.pack(padded())
    assert packed.tolist() == [number(name) for name in PACKED]
    assert packing.sizes == [4, 3, 2, 2]
    assert [len(step) for step in packing.steps(packed)] == packing.sizes
    assert packing.order.tolist() == [1, 3, 0, 2]
    assert packing.position.tolist() == [int(name[1]) for name in PACKED]


@pytest.mark.parametrize("lengths", [[], [0], [3, 0, 2]])
def test_a_sentence_without_tokens_is_refused(lengths):
    with pytest.raises(ValueError, match="needs a token"):
        Packing(torch.tensor(lengths, dtype=torch.long))


def test_padding_undoes_packing_and_holds_zeros():
    packing = Packing(torch.tensor(LENGTHS))
    again = packing.pad(packing.pack(padded()), 5)
    assert torch.equal(again, padded().clamp(min=0))


def test_turned_sentences_run_backwards_and_previous_tokens_precede():
    packing = Packing(torch.tensor(LENGTHS))
    packed = packing.pack(padded())
    turned = {number(row[i]): number(row[-1 - i]) for row in NAMES for i in range(len(row))}
    assert packed[packing.reversed].tolist() == [turned[token] for token in packed.tolist()]
    assert (packed[packing.previous] + 1).tolist() == packed[4:].tolist()


def test_tokens_are_found_by_sentence_and_place():
    packing = Packing(torch.tensor(LENGTHS))
    sentences, places = torch.tensor([3, 0, 2]), torch.tensor([2, 1, 0])
    found = packing.pack(padded())[packing.find(sentences, places)]
    assert found.tolist() == [32, 1, 20]


def test_a_subset_keeps_the_order_of_its_tokens():
    packing = Packing(torch.tensor(LENGTHS))
    layout, tokens = packing.subset(torch.tensor([True, False, False, True]))
    assert packing.pack(padded())[tokens].tolist() == [10, 20, 11, 12, 13]
    assert layout.sizes == [2, 1, 1, 1]


def test_values_per_sentence_return_to_the_order_of_the_batch():
    packing = Packing(torch.tensor(LENGTHS))
    assert packing.restore(packing.lengths).tolist() == LENGTHS


def test_sums_run_along_each_sentence():
    packing = Packing(torch.tensor(LENGTHS))
    sums = packing.pad(packing.cumulate(packing.pack(padded())), 5)
    assert sums[1].tolist() == [10, 21, 33, 46, 0]
    assert sums[0].tolist() == [0, 1, 0, 0, 0]
