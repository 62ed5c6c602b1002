"""The moving average of the weights, against its recursion in plain arithmetic."""

import pytest
import torch
from flair.trainers.plugins import TrainerPlugin
from test_settings import QUICK, small_corpus, tagger

from flair_jointner import JointTagger
from flair_jointner.training import train
from flair_jointner.training.averaging import AveragingPlugin


class Weights(TrainerPlugin):
    """The weights after each update, and those with which the dev data were scored."""

    def __init__(self):
        super().__init__()
        self.updates, self.scored = [], []

    def now(self):
        return {n: p.detach().double().clone() for n, p in self.model.named_parameters()}

    @TrainerPlugin.hook
    def before_training_batch(self, **_):
        self.updates.append(self.now())

    @TrainerPlugin.hook
    def after_evaluation(self, **_):
        self.scored.append(self.now())


def test_what_is_scored_and_saved_is_the_average_and_training_goes_on_from_the_weights(tmp_path):
    torch.manual_seed(0)
    corpus = small_corpus()
    weights, plain = Weights(), Weights()
    model = tagger(corpus)
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    settings = {**QUICK, "max_epochs": 2, "shuffle": False}
    train(model, corpus, tmp_path, plugins=[weights], average_weights=0.8, **settings)

    model.load_state_dict(start)
    torch.manual_seed(1)
    train(model, corpus, tmp_path / "plain", plugins=[plain], **settings)
    assert len(weights.updates) == len(plain.updates) == 26
    assert not torch.equal(weights.scored[0]["crf.transitions"], plain.scored[0]["crf.transitions"])
    # The first weights of the second epoch are those that the last update of the first left.
    assert not torch.equal(
        weights.updates[13]["crf.transitions"], weights.scored[0]["crf.transitions"]
    )
    for name in ("crf.transitions", "linear.weight"):
        average = weights.updates[0][name]
        for step, weight in enumerate(weights.updates[1:14], start=1):
            decay = min(0.8, (1 + step) / (10 + step))
            average = decay * average + (1 - decay) * weight[name]
        assert torch.allclose(average, weights.scored[0][name], atol=1e-6)
    best = JointTagger.load(tmp_path / "best-model.pt")
    assert any(
        torch.allclose(best.linear.weight.double(), scored["linear.weight"])
        for scored in weights.scored
    )


def test_embeddings_that_are_not_trained_are_left_alone(tmp_path):
    corpus = small_corpus()
    model = tagger(corpus)
    table = model.embeddings.embedding.weight.clone()
    train(model, corpus, tmp_path, average_weights=0.5, **{**QUICK, "max_epochs": 1})
    assert torch.equal(table, model.embeddings.embedding.weight)


@pytest.mark.parametrize("decay", [0, 1, -0.5, 1.5])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(ValueError, match="lies between 0 and 1"):
        AveragingPlugin(decay)


def test_the_model_card_names_the_plugin(tmp_path):
    corpus = small_corpus()
    train(tagger(corpus), corpus, tmp_path, average_weights=0.9, **{**QUICK, "max_epochs": 1})
    card = JointTagger.load(tmp_path / "best-model.pt").model_card
    assert "'decay': 0.9" in str(card)


class CtrlC(TrainerPlugin):
    """Interrupts in the middle of an epoch, and keeps the weights of that moment."""

    @TrainerPlugin.hook
    def before_training_batch(self, batch_no, **_):
        if batch_no == 6:
            self.weights = self.model.linear.weight.detach().clone()
            raise KeyboardInterrupt


def test_ctrl_c_saves_the_average_too(tmp_path):
    corpus, plugin = small_corpus(), CtrlC()
    result = train(tagger(corpus), corpus, tmp_path, plugins=[plugin], average_weights=0.9, **QUICK)
    assert result["model_file"] == tmp_path / "final-model.pt"
    saved = JointTagger.load(result["model_file"]).linear.weight
    assert not torch.allclose(saved, plugin.weights, atol=1e-4)


def test_weights_that_go_back_to_the_best_are_not_averaged(tmp_path):
    corpus = small_corpus()
    with pytest.raises(ValueError, match="leave one of them out"):
        train(tagger(corpus), corpus, tmp_path, average_weights=0.9, anneal_with_restarts=True)


def test_the_plugin_starts_anew_with_each_training(tmp_path):
    corpus, plugin = small_corpus(), AveragingPlugin(0.8)
    models = [tagger(corpus), tagger(corpus)]
    for number, model in enumerate(models):
        torch.manual_seed(number)
        torch.nn.init.normal_(model.linear.weight)
        before = model.linear.weight.detach().clone()
        seen = Weights()
        settings = {**QUICK, "max_epochs": 1}
        train(model, corpus, tmp_path / str(number), plugins=[plugin, seen], **settings)
        assert torch.equal(seen.updates[0]["linear.weight"], before.double())
        first = seen.updates[1]["linear.weight"]
        assert not torch.equal(first, before.double())
        assert plugin._updates == len(seen.updates)
