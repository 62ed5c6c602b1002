"""Self-training: what is taken, and that it reaches the next tagger."""

import pytest
import tiny
from flair.data import Sentence
from flair.trainers.plugins import TrainerPlugin
from test_settings import QUICK, small_corpus, tagger, titles

from flair_jointner import JointTagger
from flair_jointner.data import is_annotated, mark_unannotated
from flair_jointner.training import annotate_confidently, self_train, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("self")
    corpus = small_corpus()
    train(tagger(corpus), corpus, folder, **QUICK)
    return JointTagger.load(folder / "best-model.pt")


def unlabelled(count=30, seed=9):
    made = titles(count, seed)
    for sentence in made:
        sentence.remove_labels(tiny.TAG_TYPE)
        mark_unannotated(sentence, tiny.TAG_TYPE)
    return made


def least_probability(model, sentence):
    """The probability of the least sure tag, through the public way of predicting."""
    copy = Sentence([token.text for token in sentence])
    model.predict(copy, return_probabilities_for_all_classes=True)
    tags = model.predict_tokens([[token.text for token in sentence]])[0].tags
    rows = [token.get_tags_proba_dist(tiny.TAG_TYPE) for token in copy]
    names = [model.label_dictionary.get_item_for_index(tag) for tag in tags]
    return min(
        next(label.score for label in row if label.value == name)
        for row, name in zip(rows, names, strict=True)
    )


def test_sentences_are_taken_whose_every_tag_is_probable_enough(trained):
    sentences = unlabelled()
    least = sorted(least_probability(trained, s) for s in sentences)
    confidence = (least[10] + least[11]) / 2  # between two sentences
    taken = annotate_confidently(trained, sentences, confidence)
    expected = [s for s in sentences if least_probability(trained, s) >= confidence]
    assert [s.to_plain_string() for s in taken] == [s.to_plain_string() for s in expected]
    assert len(taken) == 19


def test_what_is_taken_carries_the_found_entities_and_its_own_class(trained):
    sentences = unlabelled(5)
    for sentence, made in zip(sentences, annotate_confidently(trained, sentences, 0), strict=True):
        assert is_annotated(made, tiny.TAG_TYPE) and not is_annotated(sentence, tiny.TAG_TYPE)
        predicted = Sentence([token.text for token in sentence])
        trained.predict(predicted)
        assert tiny.spans(made, tiny.TAG_TYPE) == tiny.spans(predicted, tiny.TAG_TYPE)
        assert made.get_label(tiny.CLASS_TYPE).value == sentence.get_label(tiny.CLASS_TYPE).value
        assert not sentence.get_labels(tiny.TAG_TYPE)


@pytest.mark.parametrize("confidence", [-0.1, 1.1])
def test_a_confidence_that_is_no_probability_is_refused(trained, confidence):
    with pytest.raises(ValueError, match="it is a probability"):
        annotate_confidently(trained, unlabelled(2), confidence)


def test_the_next_tagger_learns_from_what_was_taken_and_the_best_on_dev_is_returned(tmp_path):
    corpus = tiny.corpus(titles(60, 1), titles(40, 2))
    seen = []

    def make_tagger(corpus):
        seen.append(len(corpus.train))
        return tagger(corpus)

    result = self_train(
        make_tagger, corpus, unlabelled(50), tmp_path, confidence=0.0, rounds=2, **QUICK
    )
    assert seen == [60, 110, 110]

    def dev_score(folder):
        model = JointTagger.load(folder / "best-model.pt")
        return model.evaluate(list(corpus.dev), tiny.TAG_TYPE).main_score

    assert result["model_file"] == tmp_path / "best-model.pt"
    rounds = [dev_score(tmp_path / f"round-{number}") for number in range(3)]
    assert dev_score(tmp_path) == max(rounds) > 0.8


class CtrlC(TrainerPlugin):
    """Interrupts a training before it has evaluated anything."""

    @TrainerPlugin.hook
    def after_training_epoch(self, **_):
        raise KeyboardInterrupt


def test_ctrl_c_ends_it_with_the_model_so_far(tmp_path):
    corpus = tiny.corpus(titles(20, 1), titles(10, 2))
    result = self_train(
        tagger, corpus, unlabelled(5), tmp_path, confidence=0.0, plugins=[CtrlC()], **QUICK
    )
    assert result["interrupted"] and result["dev_scores"] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best-model.pt", "round-0"]
    assert result["model_file"] == tmp_path / "best-model.pt"
    assert JointTagger.load(result["model_file"]).predict_tokens([["bantal"]])


def test_dev_data_that_are_trained_on_cannot_choose(tmp_path):
    corpus = tiny.corpus(titles(20, 1), titles(10, 2))
    with pytest.raises(ValueError, match="choose the best tagger"):
        self_train(tagger, corpus, unlabelled(5), tmp_path, train_with_dev=True)


def test_it_ends_where_nothing_is_confident_enough(tmp_path):
    corpus = tiny.corpus(titles(20, 1), titles(10, 2))
    self_train(
        tagger, corpus, unlabelled(5), tmp_path, confidence=1.0, **{**QUICK, "max_epochs": 1}
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best-model.pt", "round-0"]


class Diverging(TrainerPlugin):
    """Makes the weights of the second training no numbers."""

    trainings = 0

    @TrainerPlugin.hook
    def after_setup(self, **_):
        self.trainings += 1

    @TrainerPlugin.hook
    def after_training_epoch(self, **_):
        if self.trainings == 2:
            self.model.linear.weight.data.fill_(float("nan"))


def test_a_round_that_diverges_leaves_the_best_model_of_those_before(tmp_path):
    corpus = tiny.corpus(titles(20, 1), titles(10, 2))
    tagger(corpus, hidden_size=8).save(tmp_path / "best-model.pt")  # of an older training
    settings = {**QUICK, "max_epochs": 1, "plugins": [Diverging()]}
    with pytest.raises(ValueError, match="Training diverged"):
        self_train(tagger, corpus, unlabelled(5), tmp_path, confidence=0.0, **settings)
    assert JointTagger.load(tmp_path / "best-model.pt").hidden_size == 16


def test_tags_of_tokens_are_refused():
    model = JointTagger(
        tiny.words(), tiny.dictionary(("N", "V"), spans=False), "pos", hidden_size=4
    )
    with pytest.raises(ValueError, match="self-training is for entities"):
        annotate_confidently(model, unlabelled(), 0.5)


def test_sentences_with_entities_are_refused(trained):
    with pytest.raises(ValueError, match=r"of the sentences hold labels of type 'ner' already"):
        annotate_confidently(trained, titles(5, seed=3), 0.5)


def test_self_training_refuses_them_before_it_trains(tmp_path):
    corpus = small_corpus()
    with pytest.raises(ValueError, match="would be annotated anew"):
        self_train(tagger, corpus, titles(5, seed=3), tmp_path / "out", **QUICK)
    assert not (tmp_path / "out").exists()
