"""Garbage collections wait for the end of a pass, and come then."""

import gc
import weakref

import pytest
import tiny
from flair.data import Sentence

from flair_jointner.models.garbage import collections_later, full_collections_later


def test_thresholds_come_back_however_the_passes_end():
    before = gc.get_threshold()
    first, second = full_collections_later(), full_collections_later()
    first.__enter__()
    second.__enter__()
    assert gc.get_threshold()[:2] == before[:2] and gc.get_threshold()[2] > before[2]
    first.__exit__(None, None, None)  # before the one that began later
    assert gc.get_threshold()[2] > before[2]
    second.__exit__(None, None, None)
    assert gc.get_threshold() == before
    with pytest.raises(RuntimeError), full_collections_later():
        raise RuntimeError
    assert gc.get_threshold() == before


def test_of_passes_at_once_the_strictest_counts():
    before = gc.get_threshold()
    long, short = full_collections_later(), collections_later()
    long.__enter__()
    short.__enter__()
    assert gc.get_threshold()[0] == 0
    short.__exit__(None, None, None)
    assert gc.get_threshold()[:2] == before[:2] and gc.get_threshold()[2] > before[2]
    long.__exit__(None, None, None)
    assert gc.get_threshold() == before


def test_a_stream_of_texts_causes_no_full_collection():
    tagger = tiny.joint_tagger()
    texts = [sentence.text for sentence in tiny.random_titles(50)] * 60
    list(tagger.tag(texts[:100]))
    before = gc.get_threshold()
    gc.freeze()  # full collections come often where there are few old objects
    gc.set_threshold(200, 2, 2)
    try:
        gc.collect()
        counted = gc.get_stats()[2]["collections"]
        assert sum(1 for _ in tagger.tag(texts, chunk_size=500)) == len(texts)
        assert gc.get_stats()[2]["collections"] == counted
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def test_a_bulk_pass_that_is_not_finished_holds_nothing_up():
    tagger, before = tiny.joint_tagger(), gc.get_threshold()
    rows = tagger.tag([s.text for s in tiny.random_titles(80)], chunk_size=40)
    next(rows)
    assert gc.get_threshold() == before


def test_sentences_that_were_tagged_one_by_one_are_freed():
    tagger = tiny.joint_tagger()
    texts = [sentence.text for sentence in tiny.random_titles(40)]
    gc.collect()
    alive = []
    for number in range(1500):
        sentence = Sentence(texts[number % len(texts)], use_tokenizer=False)
        tagger.predict(sentence)
        alive.append(weakref.ref(sentence))
    del sentence
    assert sum(ref() is not None for ref in alive) < 1400
