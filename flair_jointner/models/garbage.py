"""Python's garbage collector, and when it looks at what there is."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LATER = 1_000_000
_lock = threading.Lock()
_held: list[int] = []
"""The youngest generation that each pass under way holds back."""
_thresholds = gc.get_threshold()
"""As they were before the first of these passes."""


@contextmanager
def full_collections_later() -> Iterator[None]:
    """Puts full collections off until a pass is over.

    A corpus is millions of objects, none of them garbage, and every full collection looks at each.
    What the pass itself leaves behind is young and collected as always. The collector goes on
    counting, so that a full collection that is due comes right after the pass.
    """
    with _hold(2):
        yield


@contextmanager
def collections_later() -> Iterator[None]:
    """Puts all collections off until a pass is over, which has to be a short one.

    What lives only as long as the pass is freed with it, without having been looked at, and does
    not count towards the next full collection.
    """
    with _hold(0):
        yield


@contextmanager
def _hold(generation: int) -> Iterator[None]:
    global _thresholds
    with _lock:
        if not _held:
            _thresholds = gc.get_threshold()
        _held.append(generation)
        _set_thresholds()
    try:
        yield
    finally:
        with _lock:
            _held.remove(generation)
            _set_thresholds()


def _set_thresholds() -> None:
    youngest = min(_held, default=None)
    if youngest is None:
        gc.set_threshold(*_thresholds)
    elif youngest == 0:
        gc.set_threshold(0, *_thresholds[1:])  # 0 stands for never
    else:
        gc.set_threshold(*_thresholds[:2], _LATER)
