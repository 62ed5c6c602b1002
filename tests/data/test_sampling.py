"""Batches of similar length, and still random."""

import random

import pytest
import tiny
from flair.samplers import FlairSampler

from flair_jointner.data.sampling import length_bucketed


def epochs(sentences, batch_size, count=1, **options):
    sampler = length_bucketed(batch_size, **options)()
    sampler.set_dataset(sentences)
    return [list(sampler) for _ in range(count)]


def batches(order, batch_size):
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def padding(sentences, order, batch_size):
    lengths = [[len(sentences[i]) for i in batch] for batch in batches(order, batch_size)]
    return sum(max(batch) * len(batch) - sum(batch) for batch in lengths)


@pytest.mark.parametrize("count", [1, 7, 64, 201])
def test_each_sentence_comes_once_an_epoch(count):
    sentences = tiny.random_titles(count, longest=20)
    for order in epochs(sentences, 8, count=3, batches_per_pool=5):
        assert sorted(order) == list(range(count))


def test_batches_hold_little_padding_and_change_with_each_epoch():
    sentences = tiny.random_titles(400, longest=20)
    first, second = epochs(sentences, 8, count=2)
    shuffled = random.sample(range(400), 400)
    assert padding(sentences, first, 8) < 0.2 * padding(sentences, shuffled, 8)
    assert first != second
    groups = [{frozenset(batch) for batch in batches(order, 8)} for order in (first, second)]
    assert len(groups[0] & groups[1]) < 10
    # Lengths do not come in order either.
    longest = [len(sentences[batch[-1]]) for batch in batches(first, 8)]
    assert longest != sorted(longest)


def test_no_sentence_meets_itself_but_in_what_is_left_over():
    sentences = tiny.random_titles(200, longest=20)
    (order,) = epochs(sentences, 32, least_batches=32)
    made = batches(order, 32)
    assert len(made) == 32  # five passes of six full batches; 40 sentences are left over
    assert sum(len(set(batch)) == 32 for batch in made) >= 30
    assert padding(sentences, order, 32) < 0.5 * padding(sentences, random.sample(order, 1000), 32)


def test_the_batch_that_is_not_full_holds_any_sentences():
    """Of fixed ones, such as the longest, each would weigh more than the others in every epoch."""
    sentences = tiny.random_titles(41, longest=20)
    last = [order[-1] for order in epochs(sentences, 8, count=200)]
    assert len(set(last)) > 35
    mean = sum(len(s) for s in sentences) / len(sentences)
    assert abs(sum(len(sentences[i]) for i in last) / len(last) - mean) < 1.5


def test_the_same_seed_gives_the_same_order():
    sentences = tiny.random_titles(50)
    orders = []
    for _ in range(2):
        random.seed(3)
        orders.append(epochs(sentences, 4)[0])
    assert orders[0] == orders[1]


@pytest.mark.parametrize(
    ("count", "least", "passes"),
    [(20, 1, 1), (20, 3, 1), (20, 4, 2), (20, 7, 3), (64, 9, 2), (9, 9, 8), (1, 5, 33)],
)
def test_few_sentences_come_as_often_as_the_batches_ask(count, least, passes):
    sampler = length_bucketed(8, least_batches=least)()
    sampler.set_dataset(tiny.random_titles(count, longest=20))
    order = list(sampler)
    assert sorted(order) == sorted([*range(count)] * passes)
    assert len(sampler) == len(order)
    assert len(batches(order, 8)) >= least


def test_it_is_a_class_of_flair_that_names_itself():
    made = length_bucketed(4)
    assert issubclass(made, FlairSampler)
    assert made.__name__ == "LengthBucketedSampler"


def test_numbers_below_one_are_refused():
    with pytest.raises(ValueError, match="batch_size is 0"):
        length_bucketed(0)
    with pytest.raises(ValueError, match="least_batches 0"):
        length_bucketed(4, least_batches=0)
