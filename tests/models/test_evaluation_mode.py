"""The mode of a model comes back when the last one has left."""

import pytest
from torch import nn

from flair_jointner.models.evaluation_mode import evaluation_mode


@pytest.mark.parametrize("mode", [True, False])
def test_the_mode_comes_back(mode):
    model = nn.Sequential(nn.Dropout()).train(mode)
    with evaluation_mode(model):
        assert not model.training and not model[0].training
    assert model.training is model[0].training is mode
    with pytest.raises(RuntimeError), evaluation_mode(model):
        raise RuntimeError
    assert model.training is mode


def test_passes_may_overlap_in_any_order():
    model, other = nn.Dropout(), nn.Dropout()
    first, second = evaluation_mode(model), evaluation_mode(model)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not model.training and other.training
    second.__exit__(None, None, None)
    assert model.training
