import logging
import sys

import pytest
import tiny

from flair_jointner.training import train
from flair_jointner.training.progress import quiet_console


@pytest.fixture
def corpus():
    return tiny.corpus(tiny.titles(), tiny.titles(), tiny.titles())


def test_one_bar_in_the_place_of_flairs_lines(corpus, tmp_path, capsys):
    handler = logging.StreamHandler(sys.stdout)
    logging.getLogger("flair").addHandler(handler)
    try:
        tagger = tiny.joint_tagger()
        settings = {"max_epochs": 2, "mini_batch_size": 3, "least_updates": 1}
        train(tagger, corpus, tmp_path, show_progress=True, **settings)
    finally:
        logging.getLogger("flair").removeHandler(handler)
    captured = capsys.readouterr()
    assert "Epoch 2/2: 100%" in captured.err
    assert "4/4" in captured.err and "dev=" in captured.err and "lr=1.0e-03" in captured.err
    assert "EPOCH" not in captured.out
    assert "EPOCH 2 done" in (tmp_path / "training.log").read_text()


def test_the_console_speaks_again_afterwards():
    handler = logging.StreamHandler(sys.stdout)
    handler.setLevel(logging.INFO)
    logger = logging.getLogger("flair")
    logger.addHandler(handler)
    try:
        with pytest.raises(ValueError), quiet_console():
            assert handler.level == logging.WARNING
            raise ValueError
        assert handler.level == logging.INFO
    finally:
        logger.removeHandler(handler)
