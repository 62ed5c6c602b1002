"""What is remembered for speed, and what the garbage collector is kept from."""

import gc

import pytest
import tiny

from flair_jointner.models.fast_paths import frozen_garbage


def test_what_is_there_already_is_frozen_and_thawed_again():
    assert gc.get_freeze_count() == 0
    with frozen_garbage():
        assert gc.get_freeze_count() > 1000
    assert gc.get_freeze_count() == 0


def test_an_inner_use_does_not_thaw_what_the_outer_one_froze():
    with frozen_garbage():
        with frozen_garbage():
            pass
        assert gc.get_freeze_count() > 1000
    with pytest.raises(RuntimeError), frozen_garbage():
        raise RuntimeError
    assert gc.get_freeze_count() == 0


def test_tagging_thaws_even_after_a_bulk_pass_that_was_not_finished():
    tagger = tiny.joint_tagger()
    texts = [sentence.text for sentence in tiny.random_titles(80)]
    rows = tagger.tag(texts, chunk_size=40)
    next(rows)
    assert gc.get_freeze_count() == 0
    tagger.predict(tiny.titles())
    assert gc.get_freeze_count() == 0
