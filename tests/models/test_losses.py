import pytest
import torch

from flair_jointner.models.losses import Loss, LossMean


def test_each_loss_is_averaged_over_its_own_sentences_before_they_are_weighed():
    mean = LossMean()
    mean.add([Loss("ner", 1.0, torch.tensor([2.0, 4.0])), Loss("category", 0.5, torch.ones(3))])
    mean.add([Loss("ner", 1.0, torch.tensor([9.0]))])
    assert mean.mean() == pytest.approx((2 + 4 + 9) / 3 + 0.5)


def test_without_a_sentence_there_is_no_loss():
    assert LossMean().mean() == 0
