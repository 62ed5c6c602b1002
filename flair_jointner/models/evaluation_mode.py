"""A model without dropout for a while, whoever else uses it meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from torch import nn

_lock = threading.Lock()
_under_way: WeakKeyDictionary[nn.Module, tuple[int, bool]] = WeakKeyDictionary()
"""Of each model, how many want it so, and whether it was in training mode before the first."""


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Within it, a model is in evaluation mode; afterwards, in the mode that it was in before.

    Threads may overlap: the mode comes back when the last of them has left.

    Args:
        model: The model.
    """
    with _lock:
        count, was_training = _under_way.get(model, (0, model.training))
        _under_way[model] = (count + 1, was_training)
        if model.training:
            model.eval()
    try:
        yield
    finally:
        with _lock:
            count, was_training = _under_way.pop(model)
            if count > 1:
                _under_way[model] = (count - 1, was_training)
            elif was_training:
                model.train()
