"""Training end to end with Flair's trainer on a small task that has to be learnt."""

import copy
import logging

import flair
import pytest
import tiny
import torch
from flair.data import Sentence
from flair.trainers.plugins import TrainerPlugin

from flair_jointner import JointTagger
from flair_jointner.data import TransferCorpus, is_source
from flair_jointner.training import PAPER_SETTINGS, train

QUICK = {"learning_rate": 0.02, "mini_batch_size": 16, "max_epochs": 20}
NOUNS, COLOURS = tiny.WORDS[:8], tiny.WORDS[8:12]


def titles(count: int, seed: int, unannotated=0.0):
    """Titles in which the word before decides: a noun after the marker is a PRODUCT of two words.

    The category depends on whether the marker stands there, and on which colour: no word decides
    it alone, and most nouns are no entities.
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(options):
        return options[int(torch.randint(len(options), (1,), generator=generator))]

    made = []
    for _ in range(count):
        text, spans = [draw(NOUNS) for _ in range(draw((0, 1, 2)))], []
        marked = draw((True, False))
        if marked:
            text.append("sulum")  # the marker
            spans.append((len(text), len(text) + 2, "PRODUCT"))
        text += [draw(NOUNS), draw(NOUNS)]
        colour = draw(COLOURS)
        spans.append((len(text), len(text) + 1, "COLOUR"))
        text.append(colour)
        category = tiny.CLASSES[(colour in COLOURS[:2]) + marked]
        annotated = float(torch.rand(1, generator=generator)) >= unannotated
        made.append(tiny.title(" ".join(text), spans if annotated else (), category, annotated))
    return made


def small_corpus(**options):
    return tiny.corpus(titles(200, 1, **options), titles(40, 2), titles(60, 3))


def tagger(corpus, attention="learned", **options):
    return JointTagger(
        tiny.words(12),
        corpus.make_label_dictionary(tiny.TAG_TYPE, add_unk=False),
        tiny.TAG_TYPE,
        corpus.make_label_dictionary(tiny.CLASS_TYPE, add_unk=False),
        tiny.CLASS_TYPE,
        attention,
        **{"hidden_size": 16, "attention_heads": 4, "locked_dropout": 0.1, **options},
    )


def test_the_settings_are_the_papers():
    assert PAPER_SETTINGS["optimizer"] is torch.optim.Adam
    assert PAPER_SETTINGS["learning_rate"] == 1e-3
    assert PAPER_SETTINGS["mini_batch_size"] == 32
    assert PAPER_SETTINGS["max_grad_norm"] == 5.0
    assert PAPER_SETTINGS["anneal_factor"] == 0.5
    assert PAPER_SETTINGS["min_learning_rate"] == 1e-5
    assert PAPER_SETTINGS["max_epochs"] == 100


def test_a_joint_tagger_learns_entities_and_categories(tmp_path, recwarn):
    corpus = small_corpus(unannotated=0.4)
    model = tagger(corpus)
    result = train(model, corpus, tmp_path, **QUICK)
    assert result["test_score"] > 0.9
    assert result["model_file"] == tmp_path / "best-model.pt"
    assert result["seconds"] > 0
    again = JointTagger.load(result["model_file"])
    scores = again.evaluate(corpus.test, tiny.TAG_TYPE)
    assert scores.main_score == pytest.approx(result["test_score"])
    assert scores.scores["class", "accuracy"] > 0.9
    assert not [w for w in recwarn if "flair_jointner" in w.filename]
    again.print_model_card()
    assert not list(tmp_path.glob(".*"))
    torch.load(tmp_path / "best-model.pt", weights_only=True)


def test_without_weight_the_categories_are_not_learnt(tmp_path):
    corpus = small_corpus()
    model = tagger(corpus, class_loss_weight=0.0)
    train(model, corpus, tmp_path, **QUICK)
    assert model.evaluate(corpus.test, tiny.TAG_TYPE).scores["class", "accuracy"] < 0.8


@pytest.mark.parametrize("options", [{"use_crf": False}, {"tag_format": "BIO", "attention": None}])
def test_variants_learn_as_well(tmp_path, options):
    corpus = small_corpus()
    result = train(tagger(corpus, **options), corpus, tmp_path, **QUICK)
    assert result["test_score"] > 0.9


def test_the_same_seed_gives_the_same_weights(tmp_path):
    weights = []
    for seed in (5, 5, 6):
        flair.set_seed(seed)
        corpus = small_corpus()
        model = tagger(corpus)
        train(model, corpus, tmp_path / str(seed), **{**QUICK, "max_epochs": 2})
        weights.append(model.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not torch.equal(weights[0]["linear.weight"], weights[2]["linear.weight"])


# ----- Ctrl-C -----


class CtrlC(TrainerPlugin):
    """Interrupts in the middle of an epoch."""

    def __init__(self, epoch: int):
        super().__init__()
        self.epoch = epoch

    @TrainerPlugin.hook
    def before_training_batch(self, epoch, batch_no, **_):
        if epoch == self.epoch and batch_no == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("epoch, file", [(1, "final-model.pt"), (4, "best-model.pt")])
def test_ctrl_c_keeps_the_best_model_and_says_where(tmp_path, caplog, epoch, file):
    corpus = small_corpus()
    model = tagger(corpus)
    with caplog.at_level(logging.INFO, logger="flair_jointner"):
        result = train(model, corpus, tmp_path, plugins=[CtrlC(epoch)], **QUICK)
    assert result["model_file"] == tmp_path / file
    assert str(tmp_path / file) in caplog.records[-1].getMessage()
    kept = JointTagger.load(result["model_file"]).evaluate(corpus.test, tiny.TAG_TYPE)
    assert kept.main_score == pytest.approx(result["test_score"])


def test_an_older_model_in_the_folder_is_not_taken_for_the_best(tmp_path):
    corpus = small_corpus()
    old = tagger(corpus, hidden_size=8)
    old.save(tmp_path / "best-model.pt")
    result = train(tagger(corpus), corpus, tmp_path, plugins=[CtrlC(1)], **QUICK)
    assert JointTagger.load(result["model_file"]).hidden_size == 16


# ----- what is checked before -----


@pytest.mark.parametrize("split", ["training", "dev"])
@pytest.mark.parametrize("broken", [[], [tiny.title("mibal rofen", category="garden")]])
def test_a_split_without_entities_is_refused_before_training(tmp_path, split, broken):
    good = titles(10, 1)
    model = tagger(tiny.corpus(good))
    corpus = tiny.corpus(broken, good) if split == "training" else tiny.corpus(good, broken)
    with pytest.raises(ValueError, match=f"The {split} data hold no label of type 'ner'") as caught:
        train(model, corpus, tmp_path / "out", **QUICK)
    assert ("found: category." if broken else "found: none.") in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_users_plugins_and_the_settings_are_not_changed(tmp_path):
    corpus = tiny.corpus(titles(8, 1), titles(8, 2), titles(8, 3))
    plugins, before = [], copy.copy(PAPER_SETTINGS)
    train(tagger(corpus), corpus, tmp_path, plugins=plugins, max_epochs=1)
    assert plugins == []
    assert before == PAPER_SETTINGS


def test_a_rare_tag_in_the_dev_data_does_not_stop_training(tmp_path):
    corpus = tiny.corpus(titles(20, 1), titles(8, 2), titles(8, 3))
    model = tagger(corpus)
    corpus.dev.append(tiny.title("mibal rofen", [(0, 1, "RARE")], "attic"))
    train(model, corpus, tmp_path, max_epochs=2)


def test_the_learning_rate_falls_with_the_third_bad_epoch(tmp_path):
    corpus = tiny.corpus(titles(8, 1), titles(8, 2), titles(8, 3))
    rates = []

    class Falling(JointTagger):
        def evaluate(self, *arguments, **options):
            result = super().evaluate(*arguments, **options)
            result.main_score = 1.0 / (1 + len(rates))
            return result

    class Rates(TrainerPlugin):
        @TrainerPlugin.hook
        def before_training_epoch(self, **_):
            rates.append(self.trainer.optimizer.param_groups[0]["lr"])

    model = Falling(tiny.words(), tiny.dictionary(), tiny.TAG_TYPE, hidden_size=4)
    train(model, corpus, tmp_path, plugins=[Rates()], max_epochs=8)
    # The first epoch is the best; after the second, third and fourth the rate is halved.
    assert rates == pytest.approx([1e-3] * 4 + [5e-4] * 3 + [2.5e-4])


# ----- fast paths -----


class Watch(TrainerPlugin):
    """Sees the optimizer and the lengths of each batch."""

    @TrainerPlugin.hook
    def before_training_batch(self, batch, **_):
        self.optimizer = self.trainer.optimizer
        self.spreads = [*getattr(self, "spreads", []), max(map(len, batch)) - min(map(len, batch))]
        self.mixed = [*getattr(self, "mixed", []), torch.is_autocast_enabled("cpu")]


def watch(tmp_path, **options):
    corpus = small_corpus()
    plugin = Watch()
    train(
        tagger(corpus), corpus, tmp_path, plugins=[plugin], **{**QUICK, "max_epochs": 1}, **options
    )
    return plugin


def test_the_fast_paths_are_on_and_can_be_switched_off(tmp_path):
    fast = watch(tmp_path / "fast")
    slow = watch(tmp_path / "slow", sampler=None, fused=False)
    assert fast.optimizer.defaults["fused"] and not slow.optimizer.defaults["fused"]
    assert sum(fast.spreads) < 0.5 * sum(slow.spreads)


def test_an_optimizer_without_a_fused_kind_is_taken_as_it_is(tmp_path):
    assert "fused" not in watch(tmp_path, optimizer=torch.optim.RAdam).optimizer.defaults


def test_sentences_keep_their_order_where_the_user_wants_that(tmp_path):
    first = watch(tmp_path / "1", shuffle=False).spreads
    assert first == watch(tmp_path / "2", shuffle=False).spreads
    assert first != watch(tmp_path / "3").spreads


def test_batches_of_a_transfer_corpus_are_of_one_resource_each(tmp_path):
    class Resources(TrainerPlugin):
        seen = ()

        @TrainerPlugin.hook
        def before_training_batch(self, batch, **_):
            (mark,) = {is_source(sentence) for sentence in batch}
            self.seen = (*self.seen, mark)

    source, target = tiny.corpus(titles(50, 4)), tiny.corpus(titles(8, 1), titles(8, 2))
    corpus = TransferCorpus(source, target, mixing_rate=0.25)
    plugin = Resources()
    train(tagger(corpus), corpus, tmp_path, plugins=[plugin], max_epochs=1)
    assert len(plugin.seen) == 32
    assert sum(plugin.seen) == 8


def test_the_gradient_of_a_batch_in_chunks_is_its_mean(tmp_path):
    class Gradients(TrainerPlugin):
        @TrainerPlugin.hook
        def after_training_batch(self, **_):
            weights = self.model.named_parameters()
            self.found = {k: w.grad.clone() for k, w in weights if w.grad is not None}

    found = []
    for chunk in (None, 4):
        flair.set_seed(1)
        corpus = tiny.corpus(titles(12, 1), titles(4, 2))
        model = tagger(corpus, attention=None, locked_dropout=0.0)
        plugin = Gradients()
        settings = {"max_epochs": 1, "mini_batch_size": 12, "max_grad_norm": None}
        own = {"plugins": [plugin], "least_updates": 1, "mini_batch_chunk_size": chunk}
        train(model, corpus, tmp_path, **settings, **own)
        found.append(plugin.found)
    whole, chunks = found
    for name, gradient in whole.items():
        assert torch.allclose(chunks[name], gradient, rtol=1e-4, atol=1e-6), name


def test_training_in_bfloat16_learns_the_task(tmp_path):
    corpus = small_corpus()
    model = tagger(corpus)
    dtypes = []
    forward = model.crf.forward

    def watched(emissions, *rest):
        losses = forward(emissions, *rest)
        dtypes.append((emissions.dtype, losses.dtype, torch.is_autocast_enabled("cpu")))
        return losses

    model.crf.forward = watched
    torch.set_autocast_dtype("cpu", torch.float16)
    result = train(model, corpus, tmp_path, bfloat16=True, **QUICK)
    assert (torch.bfloat16, torch.float32, True) in dtypes
    assert torch.get_autocast_dtype("cpu") == torch.float16
    torch.set_autocast_dtype("cpu", torch.bfloat16)  # torch's default
    assert result["test_score"] > 0.9
    assert not torch.is_autocast_enabled("cpu")


def test_empty_training_sentences_are_refused(tmp_path):
    corpus = tiny.corpus([*tiny.titles(), Sentence("")], tiny.titles())
    with pytest.raises(ValueError, match=r"1 training sentences are empty.*filter_empty_sentences"):
        train(tagger(corpus), corpus, tmp_path)
    corpus.filter_empty_sentences()
    train(tagger(corpus), corpus, tmp_path, max_epochs=1)


def test_another_kind_of_optimizer_may_be_asked_for(tmp_path):
    corpus = small_corpus()
    result = train(tagger(corpus), corpus, tmp_path, **{**QUICK, "max_epochs": 1}, foreach=True)
    assert len(result["dev_scores"]) == 1
