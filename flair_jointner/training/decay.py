"""A learning rate that falls with each epoch, as DATNet is trained (Zhou et al., 2019)."""

import math
from typing import Any

from flair.trainers.plugins import LinearSchedulerPlugin, TrainerPlugin


class InverseDecayPlugin(TrainerPlugin):
    """Learning rate β_t = β₀ / (1 + ρ t), where t is the number of finished epochs (section 4.2).

    The paper says "at each epoch t", and that training begins with β₀: so t counts from 0. The rate
    is multiplied, not set, so that it goes with Flair's annealing on a plateau, which multiplies as
    well: after one halving it is β₀ / (2 (1 + ρ t)). With a ``patience`` of as many epochs as there
    are, the rate falls as in the paper alone.
    """

    def __init__(self, decay: float = 0.05) -> None:
        """Makes the plugin.

        Args:
            decay: ρ; the learning rate is halved after 1 / ρ epochs.

        Raises:
            ValueError: If ``decay`` is negative or not finite.
        """
        super().__init__()
        if not 0 <= decay < math.inf:
            raise ValueError(
                f"decay is {decay}: it has to be a finite number from 0 on, such as 0.05."
            )
        self.decay = decay
        self._divisor = 1.0

    @TrainerPlugin.hook
    def after_setup(self, plugins: list[TrainerPlugin], **_: Any) -> None:
        """Begins with β₀, and refuses a schedule that would set the rate anew at each batch."""
        if any(isinstance(plugin, LinearSchedulerPlugin) for plugin in plugins):
            raise ValueError(
                "The linear schedule of fine_tune sets the learning rate at each batch, so that "
                "nothing else can lower it: use ModelTrainer.train, or leave the decay out."
            )
        self._divisor = 1.0

    @TrainerPlugin.hook
    def before_training_epoch(self, epoch: int, **_: Any) -> None:
        """Lowers the learning rate of all parameters."""
        divisor = 1 + self.decay * (epoch - 1)
        for group in self.trainer.optimizer.param_groups:
            group["lr"] *= self._divisor / divisor
        self._divisor = divisor

    def get_state(self) -> dict[str, Any]:
        """What the model card says of the plugin."""
        return {**super().get_state(), "decay": self.decay}
