"""News of a training that is under way."""

from collections.abc import Callable
from typing import Any

from flair.trainers.plugins import TrainerPlugin

Report = Callable[[int, float], None]
"""Is called after every epoch with its number and the dev score."""


class EpochReporter(TrainerPlugin):
    """Hands the dev score of every epoch on."""

    def __init__(self, report: Report) -> None:
        """Makes the plugin.

        Args:
            report: Is called after every epoch.
        """
        super().__init__()
        self.report = report

    @TrainerPlugin.hook
    def after_evaluation(self, epoch: int, validation_scores: tuple[float, ...], **_: Any) -> None:
        """Reports an epoch."""
        self.report(epoch, float(validation_scores[0]))

    def get_state(self) -> dict[str, Any]:
        """What the model card says of the plugin."""
        return {"__cls__": "EpochReporter"}
