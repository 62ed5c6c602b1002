"""Averaged weights: what is scored and saved is smoother than what is trained."""

from typing import Any

import torch
from flair.trainers.plugins import TrainerPlugin
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn


class AveragingPlugin(TrainerPlugin):
    """Scores and saves an exponential moving average of the weights (Polyak and Juditsky, 1992).

    After each update ``average = decay_t · average + (1 - decay_t) · weights``, where decay_t rises
    from 2/11 to ``decay`` as (1 + t) / (10 + t), so that the first, random weights are soon
    forgotten. Between epochs, while the dev data are scored and models are saved, the model holds
    the average; training goes on from the weights.
    """

    def __init__(self, decay: float = 0.99) -> None:
        """Makes the plugin.

        Args:
            decay: Between 0 and 1; the average looks back over about 1 / (1 - decay) updates.

        Raises:
            ValueError: If ``decay`` is not between 0 and 1.
        """
        super().__init__()
        if not 0 < decay < 1:
            raise ValueError(f"decay is {decay}; it lies between 0 and 1, such as 0.99.")
        self.decay = decay
        self._updates = 0
        self._average: list[Tensor] = []
        self._weights: list[Tensor] | None = None  # while the model holds the average

    @TrainerPlugin.hook
    def after_setup(self, **_: Any) -> None:
        """Starts from the weights."""
        self._updates = 0
        self._weights = None
        self._average = [parameter.detach().clone() for parameter in self._parameters()]

    @TrainerPlugin.hook
    @torch.no_grad()
    def after_training_batch(self, **_: Any) -> None:
        """Takes the new weights into the average."""
        self._updates += 1
        decay = min(self.decay, (1 + self._updates) / (10 + self._updates))
        update = get_ema_multi_avg_fn(decay)
        update(self._average, [p.detach() for p in self._parameters()], self._updates)

    @TrainerPlugin.hook
    def after_training_epoch(self, **_: Any) -> None:
        """Puts the average into the model."""
        self._weights = [parameter.detach().clone() for parameter in self._parameters()]
        self._fill(self._average)

    @TrainerPlugin.hook
    def before_training_epoch(self, **_: Any) -> None:
        """Puts the weights back."""
        if self._weights is not None:
            self._fill(self._weights)
            self._weights = None

    @TrainerPlugin.hook
    def training_interrupt(self, **_: Any) -> None:
        """Puts the average into the model that is saved, in the middle of an epoch too."""
        if self._weights is None:
            self.after_training_epoch()

    @torch.no_grad()
    def _fill(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self._parameters(), values, strict=True):
            parameter.copy_(value)

    def _parameters(self) -> list[Tensor]:
        return [p for p in self.model.parameters() if p.requires_grad]

    def get_state(self) -> dict[str, Any]:
        """What the model card says of the plugin."""
        return {**super().get_state(), "decay": self.decay}
