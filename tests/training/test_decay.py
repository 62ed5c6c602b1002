"""The learning rate that falls with each epoch, alone and beside annealing."""

import pytest
import tiny
import torch
from flair.trainers import ModelTrainer
from flair.trainers.plugins import TrainerPlugin

from flair_jointner.models import BaseTagger
from flair_jointner.training import InverseDecayPlugin, train


class Rates(TrainerPlugin):
    """Notes the learning rates of each batch."""

    def __init__(self):
        super().__init__()
        self.seen = {}

    @TrainerPlugin.hook
    def before_training_batch(self, epoch, **_):
        rates = [group["lr"] for group in self.trainer.optimizer.param_groups]
        assert self.seen.setdefault(epoch, rates) == rates


class Falling(BaseTagger):
    """Its dev score falls from the first epoch on."""

    epochs = 0

    def evaluate(self, *arguments, **options):
        result = super().evaluate(*arguments, **options)
        self.epochs += 1
        result.main_score = 1.0 / self.epochs
        return result


def rates(tmp_path, decay, **options):
    corpus = tiny.corpus(tiny.titles(), tiny.titles())
    model = Falling(tiny.words(), tiny.dictionary(), "ner", hidden_size=4)
    seen = Rates()
    plugins = [InverseDecayPlugin(decay), seen]
    train(model, corpus, tmp_path, plugins=plugins, least_updates=2, **options)
    return seen.seen


def test_the_rate_of_an_epoch_is_that_of_the_formula(tmp_path):
    found = rates(tmp_path, 0.05, learning_rate=0.001, max_epochs=6, patience=6)
    assert found == {t + 1: [pytest.approx(0.001 / (1 + 0.05 * t))] for t in range(6)}


def test_annealing_on_a_plateau_goes_beside_it(tmp_path):
    found = rates(tmp_path, 0.5, max_epochs=7)
    # The first epoch is the best: the rate is halved after the fourth and after the seventh.
    halvings = [1, 1, 1, 1, 2, 2, 2]
    expected = [1e-3 / (1 + 0.5 * t) / halving for t, halving in enumerate(halvings)]
    assert [rate for (rate,) in found.values()] == pytest.approx(expected)


def test_each_group_of_parameters_keeps_its_share(tmp_path):
    found = rates(tmp_path, 1.0, decoder_learning_rate=0.01, max_epochs=2, patience=3)
    assert found[1] == pytest.approx([0.01, 0.001])
    assert found[2] == pytest.approx([0.005, 0.0005])


def test_training_ends_when_the_rate_is_too_low(tmp_path):
    found = rates(tmp_path, 1.0, max_epochs=20, patience=30, min_learning_rate=2.2e-4)
    assert len(found) == 5  # 1e-3 / 5


def test_a_run_that_begins_later_begins_with_the_rate_of_that_epoch(tmp_path):
    found = rates(tmp_path, 0.5, epoch=2, max_epochs=4, patience=9)
    assert found == {3: [pytest.approx(1e-3 / 2)], 4: [pytest.approx(1e-3 / 2.5)]}


def test_a_plugin_begins_anew_with_each_training(tmp_path):
    plugin, seen = InverseDecayPlugin(1.0), []
    for run in range(2):
        watch = Rates()
        corpus = tiny.corpus(tiny.titles(), tiny.titles())
        model = BaseTagger(tiny.words(), tiny.dictionary(), "ner", hidden_size=4)
        train(
            model, corpus, tmp_path / str(run),
            plugins=[plugin, watch], max_epochs=2, least_updates=1,
        )  # fmt: skip
        seen.append(watch.seen)
    assert seen[0] == seen[1]


def test_the_model_card_names_it(tmp_path):
    corpus = tiny.corpus(tiny.titles(), tiny.titles())
    model = BaseTagger(tiny.words(), tiny.dictionary(), "ner", hidden_size=4)
    train(model, corpus, tmp_path, plugins=[InverseDecayPlugin(0.25)], max_epochs=1)
    card = BaseTagger.load(tmp_path / "final-model.pt").model_card
    assert "InverseDecayPlugin" in str(card)
    torch.load(tmp_path / "final-model.pt", weights_only=True)


def test_the_linear_schedule_of_fine_tuning_is_refused(tmp_path):
    corpus = tiny.corpus(tiny.titles(), tiny.titles())
    model = BaseTagger(tiny.words(), tiny.dictionary(), "ner", hidden_size=4)
    with pytest.raises(ValueError, match="sets the learning rate at each batch"):
        ModelTrainer(model, corpus).fine_tune(tmp_path, plugins=[InverseDecayPlugin()])


@pytest.mark.parametrize("decay", [-0.1, float("nan"), float("inf")])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(ValueError, match="decay is"):
        InverseDecayPlugin(decay)
