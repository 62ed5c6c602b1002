"""A sentence classifier, trained as the start of a tagger."""

import pytest
import tiny
import torch
from flair.models import TextClassifier
from flair.trainers.plugins import TrainerPlugin

from flair_jointner import DocumentMaxPoolRNNEmbeddings
from flair_jointner.models import load_classifier
from flair_jointner.training import pretrain_classifier


def titles(count: int, seed: int):
    """Two words, one of which decides the category."""
    made = tiny.random_titles(count, longest=4, seed=seed)
    for sentence in made:
        hints = [token.text[:2] for token in sentence]
        sentence.add_label(tiny.CLASS_TYPE, "garden" if "mi" in hints else "office")
    return made


def test_a_classifier_is_trained_kept_and_fits_a_tagger(tmp_path):
    corpus = tiny.corpus(titles(200, 1), titles(40, 2), titles(60, 3))
    embeddings = tiny.words(12)
    model, result = pretrain_classifier(
        corpus, embeddings, tmp_path, class_type=tiny.CLASS_TYPE, hidden_size=8, epochs=15,
        learning_rate=0.02, mini_batch_size=16,
    )  # fmt: skip
    assert isinstance(model, TextClassifier)
    assert isinstance(model.embeddings, DocumentMaxPoolRNNEmbeddings)
    assert result["test_score"] > 0.85  # 0.63 are of one class
    assert result["model_file"] == tmp_path / "best-model.pt"

    again = load_classifier(result["model_file"])
    sentences = titles(20, 4)
    for name, one in (("kept", model), ("loaded", again)):
        one.predict(sentences, label_name=name)
    assert [tiny.labels(s, "kept") for s in sentences] == [
        tiny.labels(s, "loaded") for s in sentences
    ]

    tagger = tiny.joint_tagger(embeddings, hidden_size=8)
    tagger.init_from_classifier(result["model_file"])
    assert torch.equal(tagger.rnn.weight_hh_l0, model.embeddings.rnn.weight_hh_l0)


def test_the_classes_are_those_of_the_training_data(tmp_path):
    corpus = tiny.corpus(titles(30, 1), titles(10, 2))
    model, _ = pretrain_classifier(corpus, tiny.words(), tmp_path, hidden_size=4, epochs=1)
    assert sorted(model.label_dictionary.get_items()) == ["garden", "office"]
    assert model.embeddings.rnn.hidden_size == 4


def test_sentences_without_a_class_are_left_out(tmp_path):
    silent = tiny.random_titles(3)
    corpus = tiny.corpus([*titles(30, 1), *silent], [*titles(10, 2), *silent])
    model, result = pretrain_classifier(corpus, tiny.words(), tmp_path, hidden_size=4, epochs=1)
    assert sorted(model.label_dictionary.get_items()) == ["garden", "office"]
    (score,) = result["dev_scores"]
    assert 10 * score == pytest.approx(round(10 * score))  # of ten sentences, not of thirteen


def test_a_split_without_any_class_is_refused(tmp_path):
    corpus = tiny.corpus(titles(5, 1), tiny.random_titles(3))
    with pytest.raises(ValueError, match="Of 3 dev sentences none has a label of type 'category'"):
        pretrain_classifier(corpus, tiny.words(), tmp_path)
    with pytest.raises(ValueError, match="Of 0 train sentences"):
        pretrain_classifier(tiny.corpus([], titles(5, 1)), tiny.words(), tmp_path)


def test_without_dev_data_the_learning_rate_stays(tmp_path):
    rates = []

    class Rates(TrainerPlugin):
        @TrainerPlugin.hook
        def before_training_epoch(self, **_):
            rates.append(self.trainer.optimizer.param_groups[0]["lr"])

    pretrain_classifier(
        tiny.corpus(titles(60, 1)), tiny.words(), tmp_path, hidden_size=4, epochs=8,
        plugins=[Rates()],
    )  # fmt: skip
    assert rates == pytest.approx([1e-3] * 8)
