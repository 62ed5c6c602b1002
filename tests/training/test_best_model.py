"""A best model from the first epoch on, also while the dev score is 0."""

import logging

import pytest
import tiny
import torch
from flair.trainers import ModelTrainer
from flair.trainers.plugins import TrainerPlugin

from flair_jointner import JointTagger
from flair_jointner.training import BestModelPlugin, train


class Blind(JointTagger):
    """Finds nothing before an epoch, so that the dev score is 0 until then."""

    seeing_from = 99

    def evaluate(self, *arguments, **options):
        result = super().evaluate(*arguments, **options)
        epoch = (self.model_card or {}).get("training_parameters", {}).get("epoch", 99)
        result.main_score = 0.5 - epoch / 100 if epoch >= self.seeing_from else 0.0
        return result


def blind(seeing_from=99):
    model = Blind(tiny.words(), tiny.dictionary(), tiny.TAG_TYPE, hidden_size=4)
    model.seeing_from = seeing_from
    return model


class Losses(TrainerPlugin):
    """Remembers loss and weights after each epoch."""

    def __init__(self):
        super().__init__()
        self.losses, self.weights = [], []

    @TrainerPlugin.hook
    def after_evaluation(self, validation_scores, **_):
        self.losses.append(validation_scores[1])
        self.weights.append(self.model.linear.weight.detach().clone())


@pytest.fixture
def corpus():
    return tiny.corpus(tiny.titles() * 3, tiny.titles()[::2], tiny.titles())


def kept(tmp_path):
    return torch.load(tmp_path / "best-model.pt", weights_only=True)["state_dict"]["linear.weight"]


def test_with_a_score_of_zero_the_model_with_the_lowest_dev_loss_is_kept(corpus, tmp_path, caplog):
    seen = Losses()
    # A learning rate at which the loss goes up and down.
    result = train(
        blind(), corpus, tmp_path, plugins=[seen], max_epochs=8, learning_rate=1.0, least_updates=1
    )
    best = seen.losses.index(min(seen.losses))
    assert best not in (0, 7), "the test shows nothing"
    assert torch.equal(kept(tmp_path), seen.weights[best])
    assert result["model_file"] == tmp_path / "best-model.pt"
    assert "dev score was 0 after every epoch" in caplog.text


def test_once_there_is_a_score_it_decides(corpus, tmp_path, caplog):
    seen = Losses()
    train(blind(seeing_from=3), corpus, tmp_path, plugins=[seen], max_epochs=5)
    # The score falls from then on, and so does the loss, which would keep the last model.
    assert seen.losses[4] == min(seen.losses)
    assert torch.equal(kept(tmp_path), seen.weights[2])
    assert "dev score was 0" not in caplog.text


@pytest.mark.parametrize("seeing_from", [2, 99])
def test_the_final_model_is_evaluated_if_the_user_asks_for_it(corpus, tmp_path, seeing_from):
    seen = Losses()
    model = blind(seeing_from)
    result = train(
        model, corpus, tmp_path, plugins=[seen], max_epochs=4, learning_rate=0.5,
        use_final_model_for_eval=True,
    )  # fmt: skip
    assert result["model_file"] == tmp_path / "final-model.pt"
    assert not (tmp_path / "best-model.pt").exists()
    assert torch.equal(model.linear.weight, seen.weights[-1])


class Diverging(Blind):
    """Finds something, and has a loss that is no number from an epoch on."""

    diverging_from = 99

    def evaluate(self, *arguments, **options):
        result = super().evaluate(*arguments, **options)
        epoch = self.model_card["training_parameters"]["epoch"] if self.model_card else 0
        if epoch >= self.diverging_from:
            result.scores["loss"] = float("nan")
        return result


@pytest.mark.parametrize("diverging_from", [1, 3])
def test_training_that_diverges_ends(corpus, tmp_path, caplog, diverging_from):
    model = Diverging(tiny.words(), tiny.dictionary(), tiny.TAG_TYPE, hidden_size=4)
    model.seeing_from, model.diverging_from = 1, diverging_from
    message = f"not a number after epoch {diverging_from}. Lower the learning rate, which was 0.5."
    if diverging_from == 1:
        with pytest.raises(ValueError, match=message):
            train(model, corpus, tmp_path, max_epochs=9, learning_rate=0.5)
        assert not list(tmp_path.glob("*.pt"))
        return
    result = train(model, corpus, tmp_path, max_epochs=9, learning_rate=0.5)
    assert len(result["dev_scores"]) == diverging_from
    assert message in caplog.text
    assert result["model_file"] == tmp_path / "best-model.pt"


def test_training_with_the_dev_data_needs_no_score(corpus, tmp_path):
    result = train(blind(), corpus, tmp_path, max_epochs=1, train_with_dev=True)
    assert result["model_file"] == tmp_path / "final-model.pt"


def test_the_plugin_works_in_flairs_own_trainer(corpus, tmp_path, caplog):
    plugin = BestModelPlugin(tmp_path)
    with caplog.at_level(logging.WARNING, logger="flair_jointner"):
        ModelTrainer(blind(), corpus).train(tmp_path, plugins=[plugin], max_epochs=2)
    assert plugin.model_file() == tmp_path / "best-model.pt"
    card = Blind.load(tmp_path / "best-model.pt").model_card
    states = card["training_parameters"]["plugins"]
    assert {"__cls__": "flair_jointner.training.best_model.BestModelPlugin",
            "base_path": str(tmp_path)} in states  # fmt: skip


def test_training_that_goes_on_keeps_the_best_model_that_there_is(corpus, tmp_path):
    plugin = BestModelPlugin(tmp_path)
    ModelTrainer(blind(), corpus).train(tmp_path, max_epochs=1, plugins=[plugin])
    plugin.detach()
    best = kept(tmp_path)
    ModelTrainer(blind(), corpus).train(tmp_path, max_epochs=2, epoch=1, plugins=[plugin])
    assert torch.equal(kept(tmp_path), best)
    assert len(plugin.dev_scores) == 1
