"""Dropout: how much is dropped, of which shape, and what is left."""

import pytest
import torch

from flair_jointner.layers.dropout import Dropout, LockedDropout, drop


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("locked", [True, False])
def test_the_share_of_zeros_is_the_rate_and_the_mean_stays(rate, locked):
    torch.manual_seed(0)
    found = drop(torch.ones(400, 3, 500), rate, locked)
    torch.testing.assert_close(found.unique(), torch.tensor([0.0, 1 / (1 - rate)]))
    assert abs((found == 0).float().mean().item() - rate) < 0.005
    assert abs(found.mean().item() - 1) < 0.02


def test_a_locked_mask_is_that_of_all_tokens_of_a_sentence_and_of_no_other():
    torch.manual_seed(0)
    found = LockedDropout(0.5)(torch.ones(2, 7, 100))
    assert (found == found[:, :1]).all()
    assert (found[0, 0] != found[1, 0]).any()
    free = Dropout(0.5)(torch.ones(2, 7, 100))
    assert (free[:, 0] != free[:, 1]).any()


@pytest.mark.parametrize("layer", [Dropout(0.5), LockedDropout(0.5)])
def test_the_gradient_goes_where_the_numbers_went(layer):
    states = torch.randn(3, 4, 5, dtype=torch.float64, requires_grad=True)
    found = layer(states)
    (gradient,) = torch.autograd.grad(found.sum(), states)
    torch.testing.assert_close(gradient * states, found)
    assert set(gradient.unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("layer", [Dropout(0.5), LockedDropout(0.5), Dropout(1.0)])
def test_in_tagging_nothing_is_dropped(layer):
    states = torch.randn(3, 4, 5)
    assert torch.equal(layer.eval()(states), states)


@pytest.mark.parametrize("layer", [Dropout(1.0), LockedDropout(1.0)])
def test_everything_can_be_dropped(layer):
    assert torch.equal(layer(torch.ones(3, 4, 5)), torch.zeros(3, 4, 5))


@pytest.mark.parametrize("layer", [Dropout(0.0), LockedDropout(0.0)])
def test_a_rate_of_zero_drops_nothing(layer):
    states = torch.randn(3, 4, 5)
    assert torch.equal(layer(states), states)


def test_the_type_of_the_numbers_stays():
    for dtype in (torch.bfloat16, torch.float32, torch.float64):
        assert Dropout(0.5)(torch.ones(2, 3, 4, dtype=dtype)).dtype == dtype
        assert LockedDropout(0.5)(torch.ones(2, 3, 4, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("rate", [-0.5, 1.5, 50])
def test_a_locked_dropout_that_is_no_probability_is_refused(rate):
    with pytest.raises(ValueError, match="it is a probability"):
        LockedDropout(rate)
