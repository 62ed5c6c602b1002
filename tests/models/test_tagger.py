"""The road: padding, agreement with Flair, what is decoded, losses and prediction calls."""

import copy
import gc
import logging
import pickle

import flair
import pytest
import tiny
import torch
from flair.data import Sentence
from flair.embeddings import DocumentEmbeddings, OneHotEmbeddings, StackedEmbeddings
from flair.models import SequenceTagger

from flair_jointner import JointTagger
from flair_jointner.data import mark_unannotated
from flair_jointner.models.fast_paths import FastPaths

ROADS = {
    "plain": {},
    "soft": {"attention": "soft"},
    "scaled": {"attention": "scaled"},
    "unscaled": {"attention": "unscaled"},
    "learned": {"attention": "learned"},
    "learned-no-residual": {"attention": "learned", "residual": False},
    "no-crf": {"use_crf": False},
    "no-crf-learned": {"use_crf": False, "attention": "learned"},
    "no-rnn": {"use_rnn": False, "attention": "learned"},
    "no-rnn-no-crf": {"use_rnn": False, "use_crf": False},
    "no-projection": {"reproject_embeddings": False},
    "gru": {"rnn_type": "GRU"},
    "two-layers": {"rnn_layers": 2},
    "one-direction": {"bidirectional": False, "attention": "learned"},
    "initial-state": {"train_initial_hidden_state": True},
    "initial-state-gru": {"train_initial_hidden_state": True, "rnn_type": "GRU", "rnn_layers": 2},
    "bio": {"tag_format": "BIO"},
    "bio-no-crf": {"tag_format": "BIO", "use_crf": False},
    "fine-tuned-words": {"embeddings": "fine-tuned"},
}


def road(options):
    options = dict(options)
    if options.pop("embeddings", None):
        table = tiny.words(fine_tune=True, stable=True)
        torch.nn.init.normal_(table.layer_norm.bias)
        options["embeddings"] = table
    return tiny.joint_tagger(**options)


def sentence_losses(tagger, sentences):
    output = tagger.forward(*tagger.embed(sentences))
    return {loss.name: loss.values.detach() for loss in tagger.losses(sentences, output)}


each_road = pytest.mark.parametrize("options", ROADS.values(), ids=ROADS)


@each_road
def test_a_sentence_has_the_same_loss_in_any_batch(options):
    tagger = road(options).double()
    sentences = tiny.titles()
    together = sentence_losses(tagger, sentences)
    assert set(together) == {tiny.TAG_TYPE, tiny.CLASS_TYPE}
    for index, sentence in enumerate(sentences):
        alone = sentence_losses(tagger, [sentence])
        for name, values in together.items():
            torch.testing.assert_close(values[index : index + 1], alone[name], rtol=1e-9, atol=0)


@each_road
def test_a_sentence_has_the_same_predictions_in_any_batch(options):
    tagger = road(options)
    tagger.linear.bias.data[0] = -5.0  # less O

    def predicted(sentences, batch_size):
        for sentence in sentences:
            sentence.remove_labels(tiny.TAG_TYPE)
        tagger.predict(sentences, batch_size, return_probabilities_for_all_classes=True)
        return [
            (
                tiny.spans(sentence, tiny.TAG_TYPE),
                [label.score for label in sentence.get_labels(tiny.TAG_TYPE)],
                {c.value: c.score for c in sentence.get_labels(tiny.CLASS_TYPE)},
                [
                    [label.score for label in token.get_tags_proba_dist(tiny.TAG_TYPE)]
                    for token in sentence
                ],
            )
            for sentence in sentences
        ]

    alone = predicted(tiny.titles(), 1)
    together = predicted(tiny.titles(), 4)
    backwards = predicted(tiny.titles()[::-1], 3)[::-1]
    assert any(spans for spans, *_ in alone)
    for one, other in zip(alone * 2, together + backwards, strict=True):
        assert one[0] == other[0]
        assert one[1] == pytest.approx(other[1], abs=1e-4)
        assert one[2] == pytest.approx(other[2], abs=1e-5)
        assert torch.tensor(one[3]) == pytest.approx(torch.tensor(other[3]), abs=1e-4)


@pytest.mark.parametrize("rnn_type", ["LSTM", "GRU"])
def test_the_trained_initial_state_is_where_each_sentence_begins(rnn_type):
    tagger = tiny.joint_tagger(train_initial_hidden_state=True, rnn_type=rnn_type, rnn_layers=2)
    sentences = tiny.titles()
    embedded, mask = tagger.embed(sentences)
    states = tagger.encode(embedded, mask)
    hidden, cell = tagger.lstm_init_h, tagger.lstm_init_c
    for row, out, real in zip(embedded, states, mask, strict=True):
        start = (hidden, cell) if rnn_type == "LSTM" else hidden
        expected, _ = tagger.rnn(tagger.embedding2nn(row[real]), start)
        torch.testing.assert_close(out[real], expected)


# ----- the same results as Flair -----

FLAIR = {
    "plain": {},
    "bio": {"tag_format": "BIO"},
    "no-crf": {"use_crf": False},
    "weighted": {"use_crf": False, "loss_weights": {"S-COLOUR": 3.0}},
    "gru": {"rnn_type": "GRU"},
    "one-direction": {"bidirectional": False},
    "two-layers": {"rnn_layers": 2},
    "no-rnn": {"use_rnn": False},
    "no-projection": {"reproject_embeddings": False},
    "initial-state": {"train_initial_hidden_state": True},
    "stack": {"embeddings": "stack"},
}


def flair_tagger(options):
    options = {"hidden_size": 4, "embeddings": tiny.words(), **options}
    if options["embeddings"] == "stack":
        # Members that stand in another order than their names, as a renamed stack may have them.
        members = [tiny.words(5, name="second", seed=3), tiny.words(3, name="first", seed=4)]
        options["embeddings"] = StackedEmbeddings(members, overwrite_names=False)
    tagger = SequenceTagger(tag_dictionary=tiny.dictionary(), tag_type=tiny.TAG_TYPE, **options)
    with torch.no_grad():
        for name, parameter in tagger.named_parameters():
            if parameter.requires_grad and "transitions" not in name:
                parameter.normal_()
        tagger.linear.bias.zero_()
        tagger.linear.weight.mul_(3.0)
    return tagger.eval()


@pytest.mark.parametrize("from_file", [False, True], ids=["object", "file"])
@pytest.mark.parametrize("options", FLAIR.values(), ids=FLAIR)
def test_the_weights_of_a_flair_tagger_give_its_tags_and_its_loss(options, from_file, tmp_path):
    theirs = flair_tagger(options)
    source = theirs
    if from_file:
        source = tmp_path / "flair.pt"
        theirs.save(source)
    ours = JointTagger.from_sequence_tagger(source, constrain_decoding=False).eval()

    sentences = tiny.titles() + tiny.random_titles(20)
    theirs.predict(sentences, label_name="theirs", force_token_predictions=True)
    ours.predict(sentences, label_name="ours", force_token_predictions=True)
    tags = [[tiny.token_tags(s, name) for s in sentences] for name in ("theirs", "ours")]
    assert tags[0] == tags[1]
    assert len({tag for sentence in tags[0] for tag in sentence}) > 3

    gold = tiny.titles()
    summed = theirs.forward_loss(gold)[0].item()
    assert float(ours.forward_loss(gold)[0]) * len(gold) == pytest.approx(summed, rel=1e-5)


def test_a_loss_weight_changes_the_loss_without_a_crf():
    gold = tiny.titles()
    losses = []
    for weights in (None, {"S-COLOUR": 3.0}):
        flair.set_seed(1)
        tagger = tiny.joint_tagger(use_crf=False, loss_weights=weights, classes=None)
        losses.append(float(tagger.forward_loss(gold)[0]))
    assert losses[0] < losses[1]


# ----- decoding -----


@pytest.mark.parametrize("use_crf", [True, False], ids=["crf", "no-crf"])
@pytest.mark.parametrize("scheme", ["BIOES", "BIO"])
def test_only_valid_tag_sequences_are_decoded(scheme, use_crf):
    sentences = tiny.random_titles(100, longest=9)
    broken = {}
    for constrained in (True, False):
        flair.set_seed(2)
        tagger = tiny.joint_tagger(
            tag_format=scheme, use_crf=use_crf, constrain_decoding=constrained, init_range=3.0
        )
        tagger.predict(sentences, label_name="tags", force_token_predictions=True)
        paths = [tiny.token_tags(sentence, "tags") for sentence in sentences]
        broken[constrained] = sum(tiny.decode(path, scheme) is None for path in paths)
    assert broken[True] == 0
    assert broken[False] > 0


def test_unknown_tags_are_predicted_only_where_allowed():
    found = {}
    for allowed in (True, False):
        tagger = tiny.joint_tagger(allow_unk_predictions=allowed)
        if allowed:
            unknown = tagger.label_dictionary.get_idx_for_item("<unk>")
            tagger.linear.bias.data[unknown] = 50.0
        sentences = tiny.random_titles(5)
        tagger.predict(sentences, force_token_predictions=True)
        found[allowed] = {tag for s in sentences for tag in tiny.token_tags(s, tiny.TAG_TYPE)}
    assert found[True] == {"<unk>"}
    assert "<unk>" not in found[False]


# ----- the training loss -----


def test_the_tag_loss_is_a_mean_over_sentences():
    tagger = tiny.joint_tagger(classes=None)
    one, other = tiny.titles()[:2]
    loss, count = tagger.forward_loss([one, other])
    parts = [float(tagger.forward_loss([sentence])[0]) for sentence in (one, other)]
    assert parts[0] != pytest.approx(parts[1])
    assert float(loss) == pytest.approx(sum(parts) / 2, rel=1e-5)
    assert count == 1


def test_unannotated_sentences_are_not_taken_for_sentences_without_entities():
    tagger = tiny.joint_tagger(classes=None)
    known = tiny.title("mibal rofen", [(0, 1, "COLOUR")])
    nothing_there = tiny.title("tabal kefen kelum")
    not_annotated = tiny.title("tabal kefen kelum", annotated=False)
    alone = float(tagger.forward_loss([known])[0])
    assert float(tagger.forward_loss([known, not_annotated])[0]) == pytest.approx(alone, rel=1e-5)
    assert float(tagger.forward_loss([known, nothing_there])[0]) != pytest.approx(alone, rel=1e-3)


@pytest.mark.parametrize(
    "batch",
    [[], [Sentence([])], [tiny.title("mibal rofen", annotated=False)]],
    ids=["no sentence", "empty sentence", "nothing annotated"],
)
def test_a_batch_without_labels_has_loss_zero_and_a_backward_pass(batch):
    tagger = tiny.joint_tagger().train()
    loss, _ = tagger.forward_loss(batch)
    loss.backward()
    assert float(loss) == 0.0


def test_an_empty_sentence_changes_no_loss():
    tagger = tiny.joint_tagger()
    gold = tiny.titles()
    expected = float(tagger.forward_loss(gold)[0])
    with_empty = [gold[0], Sentence([]), *gold[1:]]
    assert float(tagger.forward_loss(with_empty)[0]) == pytest.approx(expected)


def test_an_unknown_tag_stops_training_and_says_what_to_do():
    tagger = tiny.joint_tagger().train()
    batch = [*tiny.titles(), tiny.title("mibal rofen", [(0, 1, "SIZE")])]
    with pytest.raises(ValueError, match=r"'ner' lacks S-SIZE.*mibal rofen.*make_label_dictionary"):
        tagger.forward_loss(batch)


def test_an_unknown_tag_is_left_out_of_the_evaluation_loss_with_one_warning(caplog):
    tagger = tiny.joint_tagger(classes=None)
    gold = tiny.titles()
    expected = tagger.evaluate(gold, tiny.TAG_TYPE).loss
    strange = [tiny.title("mibal rofen", [(0, 1, "SIZE")]) for _ in range(3)]
    with caplog.at_level(logging.WARNING, logger="flair_jointner"):
        found = tagger.evaluate([*gold, *strange], tiny.TAG_TYPE).loss
    assert found == pytest.approx(expected, rel=1e-5)
    assert [r.levelname for r in caplog.records if r.name == "flair_jointner"] == ["WARNING"]
    assert "S-SIZE" in caplog.text


# ----- predict -----


@pytest.fixture(scope="module")
def tagger():
    flair.set_seed(7)
    return tiny.joint_tagger(attention="learned")


def test_a_single_sentence_is_tagged_like_a_list_of_one(tagger):
    single, listed = tiny.random_titles(1, seed=4)[0], tiny.random_titles(1, seed=4)
    assert tagger.predict(single) is None
    tagger.predict(listed)
    assert single.get_labels()
    assert str(single) == str(listed[0])


@pytest.mark.parametrize("sentences", [[], [Sentence([])], Sentence([])])
def test_nothing_to_tag_is_no_error(tagger, sentences):
    tagger.predict(sentences)
    loss, count = tagger.predict(sentences, return_loss=True)
    assert float(loss) == 0.0
    assert count == len([sentences] if isinstance(sentences, Sentence) else sentences)


def test_an_empty_sentence_among_others_is_left_as_it_is(tagger):
    expected = tiny.random_titles(6)
    tagger.predict(expected)
    sentences = tiny.random_titles(6)
    empty = Sentence([])
    tagger.predict([*sentences[:3], empty, *sentences[3:]], mini_batch_size=2)
    assert [str(s) for s in sentences] == [str(s) for s in expected]
    assert not empty.labels


def test_predicting_twice_leaves_one_set_of_labels(tagger):
    sentences = tiny.random_titles(10)
    tagger.predict(sentences)
    once = [[str(label) for label in sentence.get_labels()] for sentence in sentences]
    tagger.predict(sentences)
    assert [[str(label) for label in s.get_labels()] for s in sentences] == once


def test_labels_go_to_the_given_name_and_gold_stays(tagger):
    sentences = tiny.titles()
    gold = [str(sentence) for sentence in sentences]
    tagger.predict(sentences, label_name="found")
    assert any(s.get_labels("found") for s in sentences)
    for sentence, before in zip(sentences, gold, strict=True):
        for name in ("found", "found_category"):
            sentence.remove_labels(name)
        assert str(sentence) == before


def test_tokens_are_labelled_instead_of_spans_on_request(tagger):
    sentences = tiny.random_titles(20)
    tagger.predict(sentences)
    tagger.predict(sentences, label_name="tokens", force_token_predictions=True)
    entities = 0
    for sentence in sentences:
        tags = tiny.token_tags(sentence, "tokens")
        assert tiny.decode(tags) == tiny.spans(sentence, tiny.TAG_TYPE)
        entities += len(tiny.spans(sentence, tiny.TAG_TYPE))
    assert entities > 20


def test_the_loss_is_returned_for_the_gold_labels_that_are_overwritten(tagger):
    sentences = tiny.titles()
    expected = float(tagger.forward_loss(sentences)[0])
    loss, count = tagger.predict(sentences, return_loss=True, mini_batch_size=4)
    assert count == len(sentences)
    assert float(loss) / count == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_prediction_restores_the_mode_and_has_no_dropout(training):
    tagger = tiny.joint_tagger(dropout=0.5)
    expected = tiny.random_titles(5)
    tagger.predict(expected)
    tagger.train(training)
    sentences = tiny.random_titles(5)
    tagger.predict(sentences)
    assert tagger.training is tagger.linear.training is training
    assert [str(s) for s in sentences] == [str(s) for s in expected]


def test_the_mode_is_restored_after_an_error(tagger, monkeypatch):
    tagger.train()
    monkeypatch.setattr(tagger, "decode", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tagger.predict(tiny.random_titles(1))
    assert tagger.training
    tagger.eval()


def test_the_work_grows_linearly_with_the_number_of_sentences(tagger, monkeypatch):
    calls = []
    monkeypatch.setattr(Sentence, "clear_embeddings", lambda self, names: calls.append(self))
    tagger.predict(tiny.random_titles(60), mini_batch_size=2)
    assert len(calls) <= 60


def test_vectors_that_were_trained_since_they_were_stored_are_made_anew():
    known = tiny.dictionary(tiny.WORDS, spans=False, add_unk=True)
    tagger = tiny.joint_tagger(StackedEmbeddings([OneHotEmbeddings(known), tiny.words()]))
    sentences, fresh = tiny.titles(), tiny.titles()
    for _ in range(2):
        stored = tagger.evaluate(sentences, tiny.TAG_TYPE, embedding_storage_mode="cpu")
        assert stored.loss == tagger.evaluate(fresh, tiny.TAG_TYPE).loss
        with torch.no_grad():
            next(tagger.embeddings.parameters()).mul_(-5)


@pytest.mark.parametrize("mode, kept", [("none", False), ("cpu", True)])
def test_embeddings_are_stored_as_asked(mode, kept):
    known = tiny.dictionary(tiny.WORDS, spans=False, add_unk=True)
    tagger = tiny.joint_tagger(StackedEmbeddings([OneHotEmbeddings(known), tiny.words()]))
    sentences = tiny.random_titles(5)
    tagger.predict(sentences, embedding_storage_mode=mode, mini_batch_size=2)
    assert all(bool(len(s[0].embedding)) is kept for s in sentences)


def test_many_predicted_sentences_can_be_pickled_and_copied(tagger):
    sentences = tiny.random_titles(500, longest=3)
    tagger.predict(sentences, force_token_predictions=True)
    again = pickle.loads(pickle.dumps(sentences))
    assert [str(s) for s in again] == [str(s) for s in sentences]
    assert str(copy.deepcopy(sentences[-1])) == str(sentences[-1])


def test_the_progress_bar_is_shown_on_request_only(tagger, capsys):
    tagger.predict(tiny.random_titles(3))
    assert "Tagging" not in capsys.readouterr().err
    tagger.predict(tiny.random_titles(3), verbose=True)
    assert "Tagging" in capsys.readouterr().err


# ----- what stands in Flair -----

FLAIR_NAMES = {
    Sentence: ["set_context_for_sentences", "is_context_set", "_handle_problem_characters"],
    DocumentEmbeddings: ["_everything_embedded", "_add_embeddings_internal"],
    SequenceTagger: [
        "_determine_if_span_prediction_problem",
        "_fetch_model",
        "_get_gold_labels",
        "_get_state_dict",
        "_init_model_with_state_dict",
    ],
}


def test_the_private_names_of_flair_that_we_use_exist_in_this_version():
    assert flair.__version__.startswith("0.15."), "look through every private name used again"
    for owner, names in FLAIR_NAMES.items():
        for name in names:
            assert callable(getattr(owner, name)), name
    sentence = Sentence(["one"])
    for name in ("_previous_sentence", "_next_sentence", "_has_context"):
        assert name in vars(sentence), name


# ----- fast paths -----

SLOW = FastPaths(word_table=False, memory=False, fast_lstm=False, scaled_crf=False)


def loss_and_gradients(tagger, sentences):
    tagger.zero_grad()
    loss, _ = tagger.forward_loss(sentences)
    loss.backward()
    return [loss, *(weight.grad for weight in tagger.parameters() if weight.requires_grad)]


@pytest.mark.parametrize("name", ["word_table", "memory", "fast_lstm", "scaled_crf", "all"])
def test_a_fast_path_changes_neither_loss_nor_gradient_nor_prediction(name):
    tagger = tiny.joint_tagger(attention="learned")
    sentences = tiny.titles()
    fast = loss_and_gradients(tagger, sentences)
    tagger.predict(sentences, label_name="fast")
    tagger.fast_paths = SLOW if name == "all" else FastPaths(**{name: False})
    slow = loss_and_gradients(tagger, sentences)
    tagger.predict(sentences, label_name="slow")
    for ours, theirs in zip(fast, slow, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    for sentence in sentences:
        assert tiny.labels(sentence, "fast", 4) == tiny.labels(sentence, "slow", 4)


def test_changed_labels_change_the_loss():
    tagger = tiny.joint_tagger()
    sentence = tiny.title("mibal rofen tagop", [(0, 1, "COLOUR")], "garden")

    def loss():
        return float(tagger.forward_loss([sentence])[0].detach())

    losses = [loss(), loss()]
    assert losses[0] == losses[1]
    sentence[0:1].set_label(tiny.TAG_TYPE, "PRODUCT")
    losses.append(loss())
    sentence.remove_labels(tiny.TAG_TYPE)
    losses.append(loss())
    sentence[1:3].add_label(tiny.TAG_TYPE, "PRODUCT")
    losses.append(loss())
    sentence.set_label(tiny.CLASS_TYPE, "office")
    losses.append(loss())
    sentence.remove_labels(tiny.TAG_TYPE)
    mark_unannotated(sentence, tiny.TAG_TYPE)
    losses.append(loss())
    assert len(set(losses)) == 6


def test_what_is_remembered_goes_with_the_sentence():
    tagger = tiny.joint_tagger()
    sentences = tiny.titles()
    tagger.forward_loss(sentences)
    assert len(tagger._known_tags._values) == len(sentences)
    copied = copy.deepcopy(tagger)
    assert len(copied._known_tags._values) == 0
    del sentences
    gc.collect()
    assert len(tagger._known_tags._values) == len(tagger._word_indices._values) == 0


def test_gold_tags_follow_a_label_whose_value_is_changed_in_place():
    tagger = tiny.joint_tagger()
    sentence = tiny.title("mibal rofen", [(0, 1, "COLOUR")])
    before = tagger.gold_tags([sentence])[0].tolist()
    sentence.get_labels(tiny.TAG_TYPE)[0].set_value("PRODUCT")
    after = tagger.gold_tags([sentence])[0].tolist()
    assert [tagger.tagset.tags[row[0]] for row in (before[0], after[0])] == [
        "S-COLOUR",
        "S-PRODUCT",
    ]


def test_what_flairs_forward_takes_is_refused():
    tagger = tiny.joint_tagger()
    with pytest.raises(TypeError, match=r"tagger\.forward\(\*tagger\.embed\(sentences\)\)"):
        tagger.forward(*tagger._prepare_tensors(tiny.titles()))


def test_a_device_without_float64_is_refused(monkeypatch):
    monkeypatch.setattr(flair, "device", torch.device("mps"))
    with pytest.raises(ValueError, match="no float64"):
        tiny.joint_tagger()


def test_an_unknown_tag_format_is_refused():
    with pytest.raises(ValueError, match="Unknown tag_format 'IOB2': choose 'BIOES' or 'BIO'"):
        tiny.joint_tagger(tag_format="IOB2")


def test_a_given_rnn_with_a_dropout_that_no_file_keeps_is_refused():
    rnn = torch.nn.LSTM(6, 5, num_layers=2, batch_first=True)
    with pytest.raises(ValueError, match=r"with several layers, dropout=0\.5"):
        tiny.joint_tagger(rnn=rnn)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_tagger_of_another_precision_has_a_loss_and_tags(dtype):
    tagger = tiny.joint_tagger().to(dtype)
    sentences = tiny.titles()
    assert float(tagger.forward_loss(sentences)[0].detach()) > 0
    assert tagger.evaluate(sentences, tiny.TAG_TYPE).loss > 0


def test_unknown_tags_spell_no_entity():
    tagger = tiny.joint_tagger(
        types=tiny.dictionary(add_unk=True), allow_unk_predictions=True, constrain_decoding=False
    )
    with torch.no_grad():
        tagger.linear.bias[tagger.tagset.tags.index("<unk>")] = 50.0
    sentences = tiny.random_titles(20)
    tagger.predict(sentences)
    assert not any(sentence.get_spans(tiny.TAG_TYPE) for sentence in sentences)
