"""What Flair's users do with any tagger, done with ours through Flair's own calls."""

import tiny
import torch
from flair.data import Sentence
from flair.embeddings import TransformerWordEmbeddings
from flair.models import MultitaskModel
from flair.nn.multitask import make_multitask_model_and_corpus
from flair.trainers import ModelTrainer

from flair_jointner import JointTagger


def small_corpus():
    return tiny.corpus(tiny.titles() * 6, tiny.titles(), tiny.titles())


def f1(model, **options):
    return model.evaluate(tiny.titles(), tiny.TAG_TYPE, **options).main_score


def make_tagger(embeddings, **options):
    classes = tiny.dictionary(tiny.CLASSES, spans=False)
    arguments = (embeddings, tiny.dictionary(), tiny.TAG_TYPE, classes, tiny.CLASS_TYPE)
    return JointTagger(*arguments, locked_dropout=0.0, init_range=None, **options)


def test_a_transformer_is_fine_tuned(tiny_bert, tmp_path):
    bert = TransformerWordEmbeddings(str(tiny_bert), layers="-1", fine_tune=True)
    tagger = make_tagger(bert, use_rnn=False, reproject_embeddings=False)
    before = {name: weight.clone() for name, weight in bert.named_parameters()}
    ModelTrainer(tagger, small_corpus()).fine_tune(
        tmp_path, learning_rate=1e-2, mini_batch_size=4, max_epochs=20
    )
    assert f1(tagger) == f1(JointTagger.load(tmp_path / "final-model.pt")) > 0.9
    moved = [
        name for name, weight in bert.named_parameters() if not torch.equal(weight, before[name])
    ]
    assert any("embeddings.word_embeddings" in name for name in moved)


def test_mixed_precision_of_flairs_trainer(tmp_path):
    tagger = make_tagger(tiny.words(12), hidden_size=16)
    ModelTrainer(tagger, small_corpus()).train(
        tmp_path, optimizer=torch.optim.Adam, learning_rate=2e-2, mini_batch_size=8, max_epochs=15,
        use_amp=True,
    )  # fmt: skip
    assert f1(tagger) > 0.9
    with torch.autocast("cpu", torch.bfloat16):
        assert f1(tagger) > 0.9


def test_two_taggers_share_their_embeddings_in_a_multitask_model(tmp_path):
    shared = tiny.words(12, fine_tune=True)
    taggers = [make_tagger(shared, hidden_size=16) for _ in range(2)]
    model, corpus = make_multitask_model_and_corpus(
        [(tagger, small_corpus(), 4.0) for tagger in taggers]
    )
    ModelTrainer(model, corpus).train(
        tmp_path, optimizer=torch.optim.Adam, learning_rate=2e-2, mini_batch_size=8, max_epochs=15
    )
    again = MultitaskModel.load(tmp_path / "final-model.pt")
    for task, tagger in zip(model.tasks, taggers, strict=True):
        assert f1(again.tasks[task]) == f1(tagger) > 0.9
    sentence = Sentence("mibal rofen tagop")
    again.predict([sentence])
    assert sentence.get_label(tiny.CLASS_TYPE).value in tiny.CLASSES
