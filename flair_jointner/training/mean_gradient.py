"""The gradient of a batch that is computed in parts."""

from collections.abc import Sequence
from typing import Any

import torch
from flair.data import Sentence
from flair.trainers.plugins import TrainerPlugin


class MeanGradientPlugin(TrainerPlugin):
    """Makes the gradient of a batch a mean over its chunks, and over processes.

    Flair's trainer adds up the gradients of chunks (``mini_batch_chunk_size``) and of processes
    (``multi_gpu``), as fits losses that are sums over sentences. Those of this package's taggers
    are means: added up, they would be larger the more parts there are, and be clipped. Each chunk
    counts the same, also a shorter last one.
    """

    def __init__(self, chunk_size: int | None = None) -> None:
        """Makes the plugin.

        Args:
            chunk_size: ``mini_batch_chunk_size`` of the trainer.
        """
        super().__init__()
        self.chunk_size = chunk_size

    @TrainerPlugin.hook
    @torch.no_grad()
    def before_training_optimizer_step(self, batch: Sequence[Sentence], **_: Any) -> None:
        """Divides the gradients by the number of parts."""
        parts = len(self.trainer.get_batch_steps(batch, self.chunk_size))
        if torch.distributed.is_initialized():
            parts *= torch.distributed.get_world_size()
        if parts > 1:
            for parameter in self.model.parameters():
                if parameter.grad is not None:
                    parameter.grad /= parts

    def get_state(self) -> dict[str, Any]:
        """What the model card says of the plugin."""
        return {**super().get_state(), "chunk_size": self.chunk_size}
