"""Python's garbage collector, and when it looks at everything there is."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LATER = 1_000_000
_lock = threading.Lock()
_entered: list[tuple[int, int, int]] = []
"""The thresholds as they were, once for each pass that is under way."""


@contextmanager
def full_collections_later() -> Iterator[None]:
    """Puts full collections off until a pass is over.

    A corpus is millions of objects, none of them garbage, and every full collection looks at each.
    What the pass itself leaves behind is young and collected as always. The collector goes on
    counting, so that a full collection that is due comes right after the pass.
    """
    with _lock:
        _entered.append(_entered[0] if _entered else gc.get_threshold())
        gc.set_threshold(*_entered[0][:2], _LATER)
    try:
        yield
    finally:
        with _lock:
            thresholds = _entered.pop()
            if not _entered:
                gc.set_threshold(*thresholds)
