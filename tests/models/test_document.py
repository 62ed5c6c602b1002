"""The paper's sentence encoder inside Flair's TextClassifier."""

import pytest
import tiny
import torch
from flair.data import Sentence
from flair.embeddings import OneHotEmbeddings, StackedEmbeddings
from flair.models import TextClassifier

from flair_jointner import CharacterCNNEmbeddings, DocumentMaxPoolRNNEmbeddings
from flair_jointner.models import load_classifier
from flair_jointner.models.embedding import join_characters

OPTIONS = {
    "plain": {},
    "gru": {"rnn_type": "GRU", "rnn_layers": 2},
    "one-direction": {"bidirectional": False},
    "no-projection": {"reproject_words": False},
    "torch-init": {"init_range": None, "locked_dropout": 0.2},
}
each = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def document(*members, **options):
    settings = {"hidden_size": 5, "init_range": 0.8, **options}
    return DocumentMaxPoolRNNEmbeddings(list(members) or [tiny.words()], **settings)


def classifier(embeddings):
    return TextClassifier(
        embeddings, label_type="category", label_dictionary=tiny.dictionary(tiny.CLASSES, False)
    ).eval()


def embedded(encoder, sentences):
    encoder.embed(sentences)
    return torch.stack([sentence.get_embedding() for sentence in sentences]).detach()


@each
def test_a_sentence_is_the_maximum_of_its_own_hidden_states(options):
    encoder = document(**options)
    sentences = tiny.titles()
    together = embedded(encoder, sentences)
    assert together.shape == (len(sentences), encoder.embedding_length)
    table = encoder.embeddings
    for sentence, vector in zip(sentences, together, strict=True):
        rows = [table.vocab.get(token.text, len(table.vocab)) for token in sentence]
        states = table.embedding.weight[rows].unsqueeze(0)
        if encoder.word_reprojection_map is not None:
            states = encoder.word_reprojection_map(states)
        expected = encoder.rnn(states)[0][0].max(dim=0).values
        torch.testing.assert_close(vector, expected.detach())


@each
def test_padding_does_not_reach_the_embedding(options):
    encoder = document(**options).double()
    together = embedded(encoder, tiny.titles())
    alone = torch.cat([embedded(encoder, [sentence]) for sentence in tiny.titles()])
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-12)


@each
def test_a_classifier_over_it_survives_in_a_file(options, tmp_path):
    model = classifier(document(**options))
    model.save(tmp_path / "classifier.pt")
    for load in (TextClassifier.load, load_classifier):
        again = load(tmp_path / "classifier.pt")
        sentences = tiny.random_titles(6)
        model.predict(sentences, label_name="one")
        again.predict(sentences, label_name="other")
        assert [tiny.labels(s, "one") for s in sentences] == [
            tiny.labels(s, "other") for s in sentences
        ]
        assert str(again.embeddings) == str(model.embeddings)
        assert again.embeddings.init_range == model.embeddings.init_range


def test_a_stack_keeps_the_order_of_its_members_in_a_file(tmp_path):
    # By name the words come first; numbered anew, the characters would.
    letters = CharacterCNNEmbeddings("abcdefghijklmnopqrstuvwxyz", name="b")
    stack = StackedEmbeddings([letters, tiny.words(name="a")], overwrite_names=False)
    model = classifier(document(stack))
    model.save(tmp_path / "classifier.pt")
    again = load_classifier(tmp_path / "classifier.pt")
    expected = embedded(model.embeddings, tiny.random_titles(4))
    torch.testing.assert_close(embedded(again.embeddings, tiny.random_titles(4)), expected)


def test_several_embeddings_are_stacked_and_survive_in_a_file(tmp_path):
    known = tiny.dictionary(tiny.WORDS, spans=False, add_unk=True)
    one_hot = OneHotEmbeddings(known, embedding_length=5)
    model = classifier(document(one_hot, tiny.words(3, "b"), tiny.words(4, "a", seed=9)))
    for _ in range(2):
        model.save(tmp_path / "classifier.pt")
        again = load_classifier(tmp_path / "classifier.pt")
        expected = embedded(model.embeddings, tiny.random_titles(4))
        torch.testing.assert_close(embedded(again.embeddings, tiny.random_titles(4)), expected)
        model = again


def test_empty_sentences_are_left_out_by_the_classifier():
    model = classifier(document())
    sentences = [Sentence([]), *tiny.titles()]
    model.predict(sentences, label_name="found")
    assert not sentences[0].get_labels("found")
    assert all(s.get_labels("found") for s in sentences[1:])
    model.train().forward_loss(sentences)[0].backward()


def test_the_weights_are_uniform_in_the_range_but_the_words_are_kept():
    table = tiny.words(fine_tune=True)
    before = table.embedding.weight.detach().clone()
    encoder = document(table, hidden_size=32, init_range=0.1)
    assert torch.equal(table.embedding.weight, before)
    for name, values in encoder.named_parameters():
        if not name.startswith("embeddings."):
            assert values.abs().max() <= 0.1
            assert values.numel() < 100 or values.min() < -0.08 < 0.08 < values.max()


def test_dropout_is_locked_and_only_in_training():
    encoder = document(locked_dropout=0.5)
    quiet = [embedded(encoder, tiny.titles()) for _ in range(2)]
    assert torch.equal(*quiet)
    encoder.train()
    assert not torch.equal(embedded(encoder, tiny.titles()), embedded(encoder, tiny.titles()))


def test_sentences_are_embedded_anew_after_the_weights_change():
    encoder = document()
    sentences = tiny.titles()
    before = embedded(encoder, sentences)
    encoder.rnn.weight_hh_l0.data.mul_(2.0)
    assert not torch.equal(embedded(encoder, sentences), before)


def test_an_unknown_kind_of_rnn_is_refused():
    with pytest.raises(ValueError, match="Unknown rnn_type 'lstm': choose 'LSTM', 'GRU' or 'RNN'"):
        DocumentMaxPoolRNNEmbeddings([tiny.words()], rnn_type="lstm")


def test_a_file_that_does_not_say_the_names_is_read_all_the_same():
    made = document(join_characters(tiny.words(), "abc"))
    params = made.to_params()
    assert params.pop("embedding_names") == ["Stack", "0-character-cnn", "tiny"]
    again = DocumentMaxPoolRNNEmbeddings.from_params(params)
    assert again.to_params()["embedding_names"] == made.to_params()["embedding_names"]
