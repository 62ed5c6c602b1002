"""The order in which sentences are trained on."""

import random
from collections.abc import Iterator

from flair.samplers import FlairSampler

_BATCHES_PER_POOL = 50


def length_bucketed(
    batch_size: int, batches_per_pool: int = _BATCHES_PER_POOL
) -> type[FlairSampler]:
    """Makes a sampler whose batches hold sentences of similar length, and are still random.

    The sentences are shuffled and cut into pools; within a pool they are sorted by length and cut
    into batches; the batches of all pools are shuffled. So who meets whom in a batch, and when,
    changes with each epoch, and little of a batch is padding.

    Args:
        batch_size: ``mini_batch_size`` of the trainer.
        batches_per_pool: Batches in a pool: more make the lengths more similar and the batches
            less random.

    Returns:
        A sampler class, for ``ModelTrainer.train(sampler=...)``: an instance would be pickled into
        the model card together with the corpus.

    Raises:
        ValueError: If a number is below 1.
    """
    if batch_size < 1 or batches_per_pool < 1:
        raise ValueError(
            f"batch_size is {batch_size} and batches_per_pool {batches_per_pool}: both have to be "
            "1 or more."
        )

    class LengthBucketedSampler(FlairSampler):
        """Batches of similar length; see :func:`length_bucketed`."""

        def __init__(self) -> None:
            # Flair's samplers hand an argument to torch's, which takes none any more.
            super().__init__()

        def __iter__(self) -> Iterator[int]:
            return iter(_bucketed([len(s) for s in self.data_source], batch_size, batches_per_pool))

    return LengthBucketedSampler


def _bucketed(lengths: list[int], batch_size: int, batches_per_pool: int) -> list[int]:
    order = list(range(len(lengths)))
    random.shuffle(order)
    pool_size = batch_size * batches_per_pool
    batches = []
    for start in range(0, len(order), pool_size):
        pool = sorted(order[start : start + pool_size], key=lengths.__getitem__)
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    # The trainer cuts the order into batches again: the one that is not full has to be the last.
    partial = batches.pop() if len(order) % batch_size else []
    random.shuffle(batches)
    return [index for batch in [*batches, partial] for index in batch]
