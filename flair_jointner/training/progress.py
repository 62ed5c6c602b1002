"""One line of progress in the place of Flair's many."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flair.trainers.plugins import TrainerPlugin
from tqdm import tqdm


class ProgressPlugin(TrainerPlugin):
    """A bar on standard error: epoch, dev score, best dev score, learning rate, time left.

    Time left assumes all epochs; training ends earlier when annealing ends it.
    """

    def __init__(self) -> None:
        """Makes the plugin."""
        super().__init__()
        self._bar: tqdm | None = None
        self._max_epochs = 0
        self._best = float("-inf")

    @TrainerPlugin.hook
    def after_setup(self, max_epochs: int, **_: Any) -> None:
        """Learns how many epochs there are."""
        self._max_epochs = max_epochs

    @TrainerPlugin.hook
    def after_training_batch(
        self, epoch: int, batch_no: int, total_number_of_batches: int, **_: Any
    ) -> None:
        """Moves the bar on."""
        if self._bar is None:
            self._bar = tqdm(total=self._max_epochs * total_number_of_batches, unit="batch")
        self._bar.set_description(f"Epoch {epoch}/{self._max_epochs}", refresh=False)
        self._bar.update()

    @TrainerPlugin.hook
    def after_evaluation(self, validation_scores: tuple[float, ...], **_: Any) -> None:
        """Shows the score of the epoch."""
        if self._bar is not None and len(validation_scores) == 2:
            self._best = max(self._best, validation_scores[0])
            self._bar.set_postfix(
                dev=f"{100 * validation_scores[0]:.2f}",
                best=f"{100 * self._best:.2f}",
                lr=f"{self.trainer.optimizer.param_groups[0]['lr']:.1e}",
            )

    @TrainerPlugin.hook
    def _training_finally(self, **_: Any) -> None:
        if self._bar is not None:
            self._bar.close()


@contextmanager
def quiet_console() -> Iterator[None]:
    """Keeps Flair's information off the terminal; its log file gets all of it."""
    handlers = [
        handler
        for handler in logging.getLogger("flair").handlers
        if type(handler) is logging.StreamHandler  # a subclass writes elsewhere
    ]
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)
