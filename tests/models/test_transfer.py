"""Weights of a sentence classifier in a tagger."""

import logging

import pytest
import tiny
import torch
from flair.embeddings import (
    DocumentPoolEmbeddings,
    DocumentRNNEmbeddings,
    StackedEmbeddings,
    TransformerDocumentEmbeddings,
    TransformerWordEmbeddings,
)
from flair.models import TextClassifier

from flair_jointner import CharacterCNNEmbeddings, DocumentMaxPoolRNNEmbeddings, JointTagger
from flair_jointner.models import ModelFileError, load_classifier
from flair_jointner.models.embedding import join_characters, split_characters
from flair_jointner.training import train


def max_pool(embeddings=None, **options):
    return DocumentMaxPoolRNNEmbeddings(
        [embeddings or tiny.words()], **{"hidden_size": 4, "init_range": 0.8, **options}
    )


def flairs(embeddings=None, **options):
    settings = {"hidden_size": 4, "bidirectional": True, "rnn_type": "LSTM", **options}
    return DocumentRNNEmbeddings([embeddings or tiny.words()], **settings)


def classifier(document):
    return TextClassifier(
        document, label_type="category", label_dictionary=tiny.dictionary(tiny.CLASSES, False)
    )


RECURRENT = {
    "max-pool": (max_pool, {}, {}),
    "max-pool-gru": (
        lambda: max_pool(rnn_type="GRU", rnn_layers=2, bidirectional=False),
        {"rnn_type": "GRU", "rnn_layers": 2, "bidirectional": False},
        {},
    ),
    "max-pool-no-projection": (
        lambda: max_pool(reproject_words=False),
        {"reproject_embeddings": False},
        {},
    ),
    "flairs": (flairs, {}, {}),
    "flairs-gru": (lambda: flairs(rnn_type="GRU"), {"rnn_type": "GRU"}, {}),
    "flairs-no-projection": (
        lambda: flairs(reproject_words=False),
        {"reproject_embeddings": False},
        {},
    ),
}


@pytest.mark.parametrize("from_file", [False, True], ids=["object", "file"])
@pytest.mark.parametrize("make, options, _", RECURRENT.values(), ids=RECURRENT)
def test_projection_and_recurrent_layers_are_copied(make, options, _, from_file, tmp_path):
    model = classifier(make())
    tagger = tiny.joint_tagger(attention="learned", **options)
    before = {name: value.clone() for name, value in tagger.state_dict().items()}
    source = model
    if from_file:
        source = tmp_path / "classifier.pt"
        model.save(source)
    report = tagger.init_from_classifier(source)

    document = model.embeddings
    expected = [f"rnn.{name}" for name, _ in document.rnn.named_parameters()]
    for name, value in document.rnn.named_parameters():
        assert torch.equal(tagger.rnn.get_parameter(name), value), name
    if tagger.reproject_embeddings:
        expected += ["embedding2nn.weight", "embedding2nn.bias"]
        assert torch.equal(tagger.embedding2nn.weight, document.word_reprojection_map.weight)
        assert torch.equal(tagger.embedding2nn.bias, document.word_reprojection_map.bias)
    assert sorted(report.copied) == sorted(expected)
    for name, value in tagger.state_dict().items():
        assert torch.equal(value, before[name]) is (name not in expected), name


def test_a_copied_layer_does_not_stay_tied_to_the_classifier():
    model, tagger = classifier(max_pool()), tiny.joint_tagger()
    tagger.init_from_classifier(model)
    before = tagger.rnn.weight_ih_l0.detach().clone()
    model.embeddings.rnn.weight_ih_l0.data.zero_()
    assert torch.equal(tagger.rnn.weight_ih_l0, before)


@pytest.mark.parametrize("make", [max_pool, flairs])
def test_after_the_transfer_both_encode_a_sentence_alike(make):
    model = classifier(make())
    tagger = tiny.joint_tagger()
    sentences = tiny.random_titles(5)
    embedded, mask = tagger.embed(sentences)
    before = tagger.encode(embedded, mask)
    tagger.init_from_classifier(model)
    states = tagger.encode(embedded, mask)
    assert (states - before).abs().max() > 0.01
    model.embeddings.embed(sentences)
    for sentence, row, real in zip(sentences, states, mask, strict=True):
        if make is max_pool:
            expected = row[real].max(dim=0).values
        else:  # Flair joins the states at the first and at the last token
            expected = torch.cat([row[real][0], row[real][-1]])
        torch.testing.assert_close(sentence.get_embedding(), expected)


def test_the_report_says_what_was_copied_and_what_was_not(caplog):
    tagger = tiny.joint_tagger(attention="soft")
    with caplog.at_level(logging.INFO, logger="flair_jointner"):
        report = tagger.init_from_classifier(classifier(max_pool()))
    assert "rnn.weight_hh_l0_reverse" in report.copied
    assert report.left_in_classifier == ["decoder.weight", "decoder.bias"]
    assert {"linear.weight", "crf.transitions", "class_head.bias", "attention.score.weight"} <= set(
        report.left_in_tagger
    )
    assert not set(report.copied) & set(report.left_in_tagger)
    assert str(report) in caplog.text
    assert "Not copied from the classifier: decoder.weight, decoder.bias" in str(report)


def test_a_file_of_flairs_trainer_is_read_without_trust(tmp_path):
    data = [tiny.title("mibal rofen", category="garden"), tiny.title("kelum", category="office")]
    model = classifier(max_pool(locked_dropout=0.0))
    result = train(model, tiny.corpus(data * 4, data, data), tmp_path, max_epochs=2)
    tagger = tiny.joint_tagger()
    tagger.init_from_classifier(result["model_file"])
    assert torch.equal(tagger.rnn.weight_ih_l0, model.embeddings.rnn.weight_ih_l0)


def test_words_that_only_one_side_knows_are_no_hindrance():
    table = tiny.words()
    fewer = tiny.words(vocabulary=(*tiny.WORDS[5:12], "unheard"))
    fewer.embedding.weight.data[:7] = table.embedding.weight[5:12]
    for one, other in ((table, fewer), (fewer, table)):
        tiny.joint_tagger(one).init_from_classifier(classifier(max_pool(other)))


# ----- vectors from characters -----


def with_characters(characters="abcdefghijklmnopqrstuvwxyz", seed=1):
    torch.manual_seed(seed)
    return join_characters(tiny.words(), characters)


@pytest.mark.parametrize("from_file", [False, True], ids=["object", "file"])
@pytest.mark.parametrize("make", [max_pool, flairs])
def test_vectors_from_characters_are_copied(make, from_file, tmp_path):
    model = classifier(make(with_characters(seed=2)))
    tagger = tiny.joint_tagger(with_characters())
    sentences = [*tiny.random_titles(5), tiny.title("unheard")]
    before = tagger.encode(*tagger.embed(sentences))
    source = model
    if from_file:
        source = tmp_path / "classifier.pt"
        model.save(source)
    report = tagger.init_from_classifier(source)
    copied = [name for name in report.copied if name.startswith("embeddings.")]
    assert len(copied) == 3  # table, weight and bias of the convolution
    states, mask = tagger.encode(*(given := tagger.embed(sentences))), given[1]
    assert (states - before).abs().max() > 0.01
    model.embeddings.embed(sentences)
    for sentence, row, real in zip(sentences, states, mask, strict=True):
        expected = row[real].max(dim=0).values
        if make is flairs:
            expected = torch.cat([row[real][0], row[real][-1]])
        torch.testing.assert_close(sentence.get_embedding(), expected)


@pytest.mark.parametrize("name", ["abc", "zyx", "Words", "300d"])
def test_words_of_a_file_of_any_name_fit(name):
    model = classifier(max_pool(with_characters()))
    words = tiny.words(name=name)
    tiny.joint_tagger(join_characters(words, "abcdefghijklmnopqrstuvwxyz")).init_from_classifier(
        model
    )


def test_copied_vectors_from_characters_do_not_stay_tied_to_the_classifier():
    model, tagger = classifier(max_pool(with_characters())), tiny.joint_tagger(with_characters())
    tagger.init_from_classifier(model)
    _, ours = split_characters(tagger.embeddings)
    _, theirs = split_characters(model.embeddings.embeddings)
    theirs.table.weight.data.zero_()
    assert (ours.table.weight.abs().sum(dim=1) > 0).sum() == 26


# ----- transformers -----


@pytest.mark.parametrize("from_file", [False, True], ids=["object", "file"])
def test_a_transformer_is_copied(tiny_bert, tmp_path, from_file):
    model = classifier(TransformerDocumentEmbeddings(str(tiny_bert)))
    with torch.no_grad():
        for parameter in model.embeddings.parameters():
            parameter.normal_()
    tagger = tiny.joint_tagger(TransformerWordEmbeddings(str(tiny_bert)))
    source = model
    if from_file:
        source = tmp_path / "classifier.pt"
        model.save(source)
    report = tagger.init_from_classifier(source)
    theirs = dict(model.embeddings.model.named_parameters())
    for name, value in tagger.embeddings.model.named_parameters():
        assert torch.equal(value, theirs[name]), name
    assert len(report.copied) == len(theirs)
    assert "decoder.weight" in report.left_in_classifier
    assert "rnn.weight_ih_l0" in report.left_in_tagger


def test_a_transformer_does_not_fit_on_word_vectors(tiny_bert):
    model = classifier(TransformerDocumentEmbeddings(str(tiny_bert)))
    with pytest.raises(ValueError, match="TransformerDocumentEmbeddings, the tagger on Word"):
        tiny.joint_tagger().init_from_classifier(model)
    tagger = tiny.joint_tagger(TransformerWordEmbeddings(str(tiny_bert)))
    with pytest.raises(ValueError, match=r"kind of word.*WordEmbeddings.*TransformerWord"):
        tagger.init_from_classifier(classifier(max_pool()))


# ----- refusals -----


def stack_of(*seeds):
    return StackedEmbeddings([tiny.words(3, f"w{seed}", seed=seed) for seed in seeds])


REFUSED = {
    "size": (lambda: max_pool(hidden_size=5), {}, "hidden size.*: 5 in the cl.*, 4 in the tagger"),
    "type": (lambda: max_pool(rnn_type="GRU"), {}, "RNN type: GRU in the cl.*, LSTM in the tag"),
    "flairs-type": (lambda: flairs(rnn_type="GRU"), {}, "RNN type: GRU .*, LSTM"),
    "direction": (lambda: max_pool(bidirectional=False), {}, "bidirectional: False .*, True in"),
    "layers": (lambda: max_pool(rnn_layers=2), {}, "number of RNN layers: 2 .*, 1 in"),
    "projection": (lambda: max_pool(reproject_words=False), {}, "projection.*: False .*, True in"),
    "projection-size": (
        lambda: flairs(reproject_words_dimension=9),
        {},
        "RNN input size: 9 in the classifier, 6 in the tagger",
    ),
    "vector-size": (lambda: max_pool(tiny.words(5)), {}, r"size of word.*\[5\].*\[6\]"),
    "vectors": (
        lambda: max_pool(tiny.words(seed=5, name="others")),
        {},
        "vectors of 20 of 20 words, 'mibal' among them: 'others' in the .*'tiny' in the tagger",
    ),
    "vocabulary": (
        lambda: max_pool(tiny.words(vocabulary=("x", "y"))),
        {},
        "no word in common",
    ),
    "stack": (
        lambda: DocumentMaxPoolRNNEmbeddings(
            [tiny.words(3, "a"), tiny.words(3, "b")], hidden_size=4
        ),
        {},
        r"kind of word embeddings: \['Word.*', 'Word.*'\] in the cl.*, \['Word.*'\] in the tagger",
    ),
    "characters": (
        lambda: max_pool(with_characters()),
        {},
        r"kind of word embeddings: \['CharacterCNN.*', 'Word.*'\] in the cl.*, \['Word.*'\] in the",
    ),
    "other-characters": (
        lambda: max_pool(with_characters("abc")),
        {"embeddings": with_characters("abd")},
        "differ in 2 characters, 'c' among them: make '0-character-cnn' with the characters of",
    ),
    "filters": (
        lambda: max_pool(StackedEmbeddings([CharacterCNNEmbeddings("ab", 5, 6), tiny.words()])),
        {"embeddings": StackedEmbeddings([CharacterCNNEmbeddings("ab", 4, 6), tiny.words()])},
        r"'0-character-cnn', table.weight: \(4, 5\) in the classifier, \(4, 4\) in the tagger",
    ),
    "no-rnn": (max_pool, {"use_rnn": False}, "recurrent layer, the tagger has use_rnn=False"),
    "pooling": (
        lambda: DocumentPoolEmbeddings([tiny.words()]),
        {},
        "DocumentPoolEmbeddings shares no layer.*DocumentMaxPoolRNNEmbeddings",
    ),
}


@pytest.mark.parametrize("make, options, message", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_and_nothing_is_copied(make, options, message):
    tagger = tiny.joint_tagger(**options)
    before = {name: value.clone() for name, value in tagger.state_dict().items()}
    with pytest.raises(ValueError, match=f"(?s){message}"):
        tagger.init_from_classifier(classifier(make()))
    for name, value in tagger.state_dict().items():
        assert torch.equal(value, before[name])


def test_stacks_fit_when_their_members_do():
    members = [tiny.words(3, "a", seed=1), tiny.words(3, "b", seed=2)]
    model = classifier(DocumentMaxPoolRNNEmbeddings(members, hidden_size=4))
    tagger = tiny.joint_tagger(stack_of(1, 2))
    tagger.init_from_classifier(model)
    with pytest.raises(ValueError, match="vectors of"):
        tiny.joint_tagger(stack_of(2, 1)).init_from_classifier(model)


def test_a_file_of_another_model_is_no_classifier(tmp_path):
    tiny.joint_tagger().save(tmp_path / "tagger.pt")
    with pytest.raises(ModelFileError, match="holds a JointTagger, not a TextClassifier"):
        load_classifier(tmp_path / "tagger.pt")
    with pytest.raises(FileNotFoundError, match="no model file"):
        tiny.joint_tagger().init_from_classifier(tmp_path / "missing.pt")


def test_a_transferred_tagger_survives_in_a_file(tmp_path):
    tagger = tiny.joint_tagger()
    tagger.init_from_classifier(classifier(max_pool()))
    tagger.save(tmp_path / "tagger.pt")
    again = JointTagger.load(tmp_path / "tagger.pt")
    assert torch.equal(again.rnn.weight_ih_l0, tagger.rnn.weight_ih_l0)
