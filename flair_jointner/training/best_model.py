"""A best model from the first epoch on."""

import logging
import math
import sys
from pathlib import Path
from typing import Any

from flair.trainers.plugins import TrainerPlugin, TrainingInterrupt

log = logging.getLogger("flair_jointner")


class BestModelPlugin(TrainerPlugin):
    """Saves ``best-model.pt`` while the dev score is still 0, by the lowest dev loss.

    Flair's trainer saves a best model only when the dev score rises above 0; until then an
    interruption leaves nothing behind, and training that never gets there ends with an evaluation
    of whatever state is last.

    Attributes:
        dev_scores: The dev score of each epoch, a fraction.
        interrupted: Whether Ctrl-C ended the training.
        diverged: Whether a dev loss that is not a number did.
    """

    def __init__(self, base_path: str | Path) -> None:
        """Makes the plugin.

        Args:
            base_path: The folder that training writes to.
        """
        super().__init__()
        self.base_path = Path(base_path)
        self._wanted = True
        self._begin()

    def _begin(self) -> None:
        self._best_score = 0.0
        self._lowest_loss = float("inf")
        self.dev_scores: list[float] = []
        self.interrupted = False
        self.diverged = False

    @TrainerPlugin.hook
    def after_setup(self, use_final_model_for_eval: bool, epoch: int, **_: Any) -> None:
        """Keeps no best model where it would be in the way.

        That is where the user wants the final one, in whose place the trainer would load it, and
        where training goes on that has left a best model.
        """
        self._begin()
        goes_on = epoch > 0 and (self.base_path / "best-model.pt").exists()
        self._wanted = not use_final_model_for_eval and not goes_on

    @TrainerPlugin.hook
    def after_evaluation(
        self, current_model_is_best: bool, validation_scores: tuple[float, ...], **_: Any
    ) -> None:
        """Keeps the model if nothing better was kept before."""
        if len(validation_scores) != 2:  # no dev data: the trainer goes by the training loss
            return
        score, loss = validation_scores
        self.dev_scores.append(float(score))
        if math.isnan(loss):
            self.diverged = True
            raise TrainingInterrupt("the dev loss is not a number - quitting training!")
        self._best_score = max(self._best_score, score)
        if self._wanted and self._best_score == 0.0 and loss < self._lowest_loss:
            self._lowest_loss = loss
            self.model.save(self.base_path / "best-model.pt")

    @TrainerPlugin.hook
    def training_interrupt(self, **_: Any) -> None:
        """Says where the model is after Ctrl-C."""
        # The trainer dispatches this while it handles the exception, its own early stopping too.
        if isinstance(sys.exc_info()[1], KeyboardInterrupt):
            self.interrupted = True
            log.warning("Training was interrupted. The best model so far: %s", self.model_file())

    @TrainerPlugin.hook
    def after_training(self, **_: Any) -> None:
        """Warns of training that came to nothing."""
        if self._best_score == 0.0 and self._lowest_loss < float("inf"):
            log.warning(
                "The dev score was 0 after every epoch: best-model.pt is the one with the lowest "
                "dev loss. Try more epochs, a higher learning rate, or check that the entity types "
                "of training and dev data agree."
            )

    def model_file(self) -> Path:
        """The best model if there is one, else the final one."""
        best = self.base_path / "best-model.pt"
        return best if best.exists() else self.base_path / "final-model.pt"

    def get_state(self) -> dict[str, Any]:
        """What the model card says of the plugin."""
        return {**super().get_state(), "base_path": str(self.base_path)}
