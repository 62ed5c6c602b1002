"""The order in which sentences are trained on."""

import math
import random
from collections.abc import Iterator

from flair.samplers import FlairSampler

_BATCHES_PER_POOL = 50


def length_bucketed(
    batch_size: int, batches_per_pool: int = _BATCHES_PER_POOL, least_batches: int = 1
) -> type[FlairSampler]:
    """Makes a sampler whose batches hold sentences of similar length, and are still random.

    The sentences are shuffled and cut into pools; within a pool they are sorted by length and cut
    into batches; the batches of all pools are shuffled. So who meets whom in a batch, and when,
    changes with each epoch, and little of a batch is padding.

    Args:
        batch_size: ``mini_batch_size`` of the trainer.
        batches_per_pool: Batches in a pool: more make the lengths more similar and the batches
            less random.
        least_batches: Batches of an epoch. Fewer sentences are gone through several times, as
            often as it takes: with seven batches an epoch, a schedule that counts epochs without
            progress gives up before there was a chance of any.

    Returns:
        A sampler class, for ``ModelTrainer.train(sampler=...)``: an instance would be pickled into
        the model card together with the corpus.

    Raises:
        ValueError: If a number is below 1.
    """
    if min(batch_size, batches_per_pool, least_batches) < 1:
        raise ValueError(
            f"batch_size is {batch_size}, batches_per_pool {batches_per_pool} and least_batches "
            f"{least_batches}: all have to be 1 or more."
        )

    class LengthBucketedSampler(FlairSampler):
        """Batches of similar length; see :func:`length_bucketed`."""

        def __init__(self) -> None:
            # Flair's samplers hand an argument to torch's, which takes none any more.
            super().__init__()

        def __iter__(self) -> Iterator[int]:
            lengths = [len(sentence) for sentence in self.data_source]
            return iter(_bucketed(lengths, batch_size, batches_per_pool, self._passes()))

        def __len__(self) -> int:
            return self._passes() * self.num_samples

        def _passes(self) -> int:
            least = (least_batches - 1) * batch_size + 1  # all batches but the last are full
            return math.ceil(least / self.num_samples)

    return LengthBucketedSampler


def _bucketed(lengths: list[int], batch_size: int, batches_per_pool: int, passes: int) -> list[int]:
    """Each pass makes batches of its own: no sentence meets itself, but in what is left over."""
    full: list[list[int]] = []
    left_over: list[int] = []
    for _ in range(passes):
        batches, rest = one_pass(lengths, batch_size, batches_per_pool)
        full += batches
        left_over += rest
    # The trainer cuts the order into batches again: the one that is not full has to be the last.
    end = len(left_over) - len(left_over) % batch_size
    full += [left_over[i : i + batch_size] for i in range(0, end, batch_size)]
    random.shuffle(full)
    return [index for batch in [*full, left_over[end:]] for index in batch]


def one_pass(
    lengths: list[int], batch_size: int, batches_per_pool: int = _BATCHES_PER_POOL
) -> tuple[list[list[int]], list[int]]:
    """Goes through sentences once, in full batches of similar length.

    Args:
        lengths: Numbers of tokens of the sentences.
        batch_size: Sentences of a batch.
        batches_per_pool: Batches that are cut from one sorted pool.

    Returns:
        The batches, of indices, and the indices that fill no batch.
    """
    order = random.sample(range(len(lengths)), len(lengths))
    # What does not fill a batch is put aside before the others are sorted: if it were their
    # longest sentences, the same few would have a large weight in every epoch.
    end = len(order) - len(order) % batch_size
    pool_size = batch_size * batches_per_pool
    full: list[list[int]] = []
    for start in range(0, end, pool_size):
        pool = sorted(order[start : min(start + pool_size, end)], key=lengths.__getitem__)
        full += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    return full, order[end:]
