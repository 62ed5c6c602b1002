"""Two resources in one corpus, and batches of one resource each."""

import collections
import pickle
import random

import flair
import pytest
import tiny
from flair.samplers import FlairSampler
from torch.utils.data import Dataset

from flair_jointner.data import (
    TransferCorpus,
    alternating_resources,
    is_source,
    mark_source,
    read_sentences,
)
from flair_jointner.data.transfer_corpus import balanced_rate


def two(source=40, target=12, **options):
    return TransferCorpus(
        tiny.corpus(tiny.random_titles(source, 12, seed=1), tiny.titles()),
        tiny.corpus(tiny.random_titles(target, 12, seed=2), tiny.titles(), tiny.titles()),
        **options,
    )


def epochs(corpus, batch_size, count=1, **options):
    """Each epoch as a list of batches of sentences, as Flair's trainer cuts them."""
    sampler = alternating_resources(batch_size, **{"mixing_rate": 0.5, **options})()
    sampler.set_dataset(corpus.train)
    made = []
    for _ in range(count):
        order = list(sampler)
        assert len(order) == len(sampler)
        made.append([order[i : i + batch_size] for i in range(0, len(order), batch_size)])
    return made


def from_source(corpus, batch):
    marks = {is_source(corpus.train[index]) for index in batch}
    assert len(marks) == 1  # of one resource
    return marks.pop()


# ----- the corpus -----


def test_the_source_is_marked_and_all_else_is_the_targets():
    corpus = two()
    assert [is_source(s) for s in corpus.train] == [True] * 40 + [False] * 12
    assert not any(is_source(s) for split in (corpus.dev, corpus.test) for s in split)
    assert [len(corpus.dev), len(corpus.test)] == [6, 6]
    assert is_source(pickle.loads(pickle.dumps(corpus.train[0])))
    assert corpus.mixing_rate == balanced_rate(40, 12)
    assert two(mixing_rate=0.3).mixing_rate == 0.3


def test_a_sentence_that_says_nothing_is_the_targets():
    first, second = tiny.random_titles(2)
    mark_source(first)
    second.add_metadata("resource", "something else")
    assert is_source(first) and not is_source(second)


def test_marks_survive_data_that_are_made_anew_at_each_reading():
    class Lazy(Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return tiny.random_titles(3)[index]

    source = flair.data.Corpus(train=Lazy(), sample_missing_splits=False)
    corpus = TransferCorpus(source, tiny.corpus(tiny.titles()))
    assert [is_source(s) for s in corpus.train] == [True] * 3 + [False] * 6
    assert not corpus.dev and not corpus.test


def test_resources_that_cannot_be_told_apart_are_refused():
    shared = tiny.titles()
    with pytest.raises(ValueError, match="'mibal rofen tagop kelum sulum' is in the target"):
        TransferCorpus(tiny.corpus(shared), tiny.corpus(shared))
    with pytest.raises(ValueError, match="read each resource from its own files"):
        TransferCorpus(tiny.corpus(shared), tiny.corpus(tiny.titles(), shared[2:3]))
    assert not any(is_source(s) for s in shared)
    empty = tiny.corpus([], tiny.titles())
    with pytest.raises(ValueError, match="The target has no training data"):
        TransferCorpus(tiny.corpus(shared), empty)
    with pytest.raises(ValueError, match="The source has no training data"):
        TransferCorpus(empty, tiny.corpus(shared))


# ----- the batches -----


@pytest.mark.parametrize(("rate", "expected"), [(0.5, 7), (0.25, 4), (0.9, 12), (0.001, 1)])
def test_each_batch_is_of_one_resource_and_the_rate_says_how_many(rate, expected):
    corpus = two()
    for batches in epochs(corpus, 4, count=3, mixing_rate=rate):
        assert len(batches) == 13
        assert all(len(batch) == 4 for batch in batches)
        turns = [from_source(corpus, batch) for batch in batches]
        assert abs(sum(turns) - expected) <= 1
        assert 0 < sum(turns) < 13


def test_resources_take_turns_at_random():
    corpus = two()
    turns = [[from_source(corpus, b) for b in batches] for batches in epochs(corpus, 4, count=8)]
    assert len({tuple(order) for order in turns}) == 8
    first = sum(order[0] for order in turns)
    assert 0 < first < 8


def test_every_sentence_of_a_resource_comes_equally_often():
    corpus = two(source=41, target=11)
    counts = collections.Counter(
        index for batches in epochs(corpus, 4, count=30) for batch in batches for index in batch
    )
    for part in (range(41), range(41, 52)):
        found = [counts[index] for index in part]
        # What is drawn but not used up, or left over, is a pass each.
        assert max(found) - min(found) <= 2
        assert min(found) > 10


def test_a_target_smaller_than_a_batch_fills_it():
    corpus = two(source=64, target=5)
    (batches,) = epochs(corpus, 16)
    small = [batch for batch in batches if not from_source(corpus, batch)]
    assert len(small) == 2 or len(small) == 3
    for batch in small:
        counts = collections.Counter(batch)
        assert len(counts) == 5
        assert max(counts.values()) - min(counts.values()) <= 2


def test_batches_hold_sentences_of_similar_length():
    corpus = two(source=300, target=300)
    (batches,) = epochs(corpus, 8)
    lengths = [[len(corpus.train[index]) for index in batch] for batch in batches]
    padding = sum(max(found) * len(found) - sum(found) for found in lengths)
    shuffled = random.sample([length for found in lengths for length in found], 8 * len(lengths))
    chance = [shuffled[i : i + 8] for i in range(0, len(shuffled), 8)]
    assert padding < 0.3 * sum(max(found) * 8 - sum(found) for found in chance)


@pytest.mark.parametrize(("least", "expected"), [(1, 13), (13, 13), (30, 30)])
def test_an_epoch_has_at_least_so_many_batches(least, expected):
    (batches,) = epochs(two(), 4, least_batches=least)
    assert len(batches) == expected


def test_an_epoch_of_one_batch_would_be_of_one_resource():
    corpus = two(source=3, target=3)
    (batches,) = epochs(corpus, 16)
    assert sorted(from_source(corpus, batch) for batch in batches) == [False, True]


def test_the_same_seed_gives_the_same_order():
    orders = []
    for seed in (3, 3, 4):
        random.seed(seed)
        orders.append(epochs(two(), 4, count=2))
    assert orders[0] == orders[1] != orders[2]


def test_it_is_a_class_of_flair_that_names_itself():
    made = alternating_resources(4, 0.5)
    assert issubclass(made, FlairSampler)
    assert made.__name__ == "AlternatingSampler"


def test_data_of_one_resource_are_refused():
    sampler = alternating_resources(4, 0.5)()
    with pytest.raises(ValueError, match="Of 6 training sentences 0 are from the source"):
        sampler.set_dataset(tiny.titles())


def test_resources_are_seen_by_the_roots_of_their_sizes():
    assert balanced_rate(1400, 14) == pytest.approx(10 / 11)
    assert balanced_rate(7, 7) == 0.5
    with pytest.raises(ValueError, match="source has 0 sentences and the target 3"):
        balanced_rate(0, 3)


@pytest.mark.parametrize("rate", [0, 1, -0.1, float("nan")])
def test_a_rate_that_leaves_one_resource_out_is_refused(rate):
    with pytest.raises(ValueError, match="mixing_rate is"):
        alternating_resources(4, rate)
    with pytest.raises(ValueError, match="mixing_rate is"):
        two(mixing_rate=rate)


def test_numbers_below_one_are_refused():
    with pytest.raises(ValueError, match="batch_size is 0"):
        alternating_resources(0, 0.5)
    with pytest.raises(ValueError, match="least_batches 0"):
        alternating_resources(4, 0.5, least_batches=0)


def test_a_comment_of_a_file_marks_no_source(tmp_path):
    file = tmp_path / "train.conll"
    file.write_text("# resource = source\nmibal\tB-COLOUR\n")
    (sentence,) = read_sentences(file)
    assert not is_source(sentence)
