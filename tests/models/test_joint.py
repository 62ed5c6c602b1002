"""The joint tagger: its losses, its sentence head, its first weights, its arguments."""

import logging

import pytest
import tiny
import torch
from flair.embeddings import StackedEmbeddings, TransformerWordEmbeddings
from flair.models import SequenceTagger
from torch import nn

from flair_jointner import DATNet, JointTagger
from flair_jointner.layers import MultiHeadSelfAttention, SoftAttention

# ----- Eq. 3 -----


def ner_and_class_loss(tagger, sentence):
    """Both losses of one sentence, each as the mean over a batch of one."""
    weight, tagger.class_loss_weight = tagger.class_loss_weight, 0.0
    ner = float(tagger.forward_loss([sentence])[0].detach())
    tagger.predict(sentence, label_name="p", return_probabilities_for_all_classes=True)
    tagger.class_loss_weight = weight
    gold = sentence.get_labels(tiny.CLASS_TYPE)
    scores = {label.value: label.score for label in sentence.get_labels("p_category")}
    assert sum(scores.values()) == pytest.approx(1.0, abs=1e-5)
    return ner, -torch.tensor(scores[gold[0].value]).log().item() if gold else None


def mixed_batch():
    first, second, third, *_ = tiny.titles()
    only_tags = tiny.title("mifen rogop", [(1, 2, "COLOUR")])
    only_class = tiny.title("kelum sufen mibal robal", category="office", annotated=False)
    neither = tiny.title("tabal tabal", annotated=False)
    return [neither, first, only_class, second, only_tags, third]


@pytest.mark.parametrize("weight", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("attention", [None, "learned"])
def test_each_loss_is_a_mean_over_the_sentences_that_have_its_annotation(attention, weight):
    tagger = tiny.joint_tagger(attention=attention, class_loss_weight=weight, init_range=0.5)
    batch = mixed_batch()
    neither, first, only_class, second, only_tags, third = batch
    tags = [ner_and_class_loss(tagger, s)[0] for s in (first, second, only_tags, third)]
    classes = [ner_and_class_loss(tagger, s)[1] for s in (first, only_class, second, third)]
    expected = sum(tags) / 4 + weight * sum(classes) / 4
    assert min(*tags, *classes) > 1e-3
    assert float(tagger.forward_loss(batch)[0].detach()) == pytest.approx(expected, rel=1e-4)


def test_a_batch_of_categories_only_trains_the_shared_layers_but_not_the_crf():
    tagger = tiny.joint_tagger(attention="learned").train()
    tagger.forward_loss([tiny.title("mibal rofen", category="garden", annotated=False)])[
        0
    ].backward()
    assert tagger.rnn.weight_ih_l0.grad.abs().sum() > 0
    assert tagger.attention.value.weight.grad.abs().sum() > 0
    assert tagger.class_head.weight.grad.abs().sum() > 0
    assert tagger.crf.transitions.grad is None


def test_an_unknown_category_stops_training_and_says_what_to_do():
    tagger = tiny.joint_tagger().train()
    with pytest.raises(ValueError, match="'category' lacks attic.*make_label_dictionary"):
        tagger.forward_loss([tiny.title("mibal rofen", category="attic")])


def test_an_unknown_category_is_left_out_of_the_evaluation_loss_with_one_warning(caplog):
    tagger = tiny.joint_tagger()
    gold = tiny.titles()
    expected = tagger.evaluate(gold, tiny.TAG_TYPE).loss
    strange = [tiny.title("mibal", category="attic", annotated=False) for _ in range(3)]
    with caplog.at_level(logging.WARNING, logger="flair_jointner"):
        found = tagger.evaluate([*gold, *strange], tiny.TAG_TYPE)
    assert found.loss == pytest.approx(expected, rel=1e-5)
    assert [r.levelname for r in caplog.records if r.name == "flair_jointner"] == ["WARNING"]
    # It counts in the accuracy all the same: the model is wrong there.
    assert "(9 sentences)" in found.detailed_results


# ----- the sentence head -----


@pytest.mark.parametrize("attention", [None, "soft", "learned"])
def test_the_class_is_the_linear_layer_over_the_maximum_of_the_enriched_states(attention):
    tagger = tiny.joint_tagger(attention=attention)
    sentence = tiny.random_titles(1, seed=2)[0]
    tagger.predict(sentence, return_probabilities_for_all_classes=True)
    output = tagger.forward(*tagger.embed([sentence]))
    pooled = output.states[0].max(dim=0).values
    expected = torch.softmax(tagger.class_head(pooled), 0).tolist()
    found = {label.value: label.score for label in sentence.get_labels(tiny.CLASS_TYPE)}
    assert [found[kind] for kind in tiny.CLASSES] == pytest.approx(expected, abs=1e-5)
    scores = [label.score for label in sentence.get_labels(tiny.CLASS_TYPE)]
    assert max(found, key=found.get) == tiny.CLASSES[expected.index(max(expected))]
    assert len(scores) == 3


@pytest.mark.parametrize(
    "label_name, expected",
    [(None, "category"), (tiny.TAG_TYPE, "category"), ("predicted", "predicted_category")],
)
def test_the_class_has_a_label_type_of_its_own(label_name, expected):
    sentences = tiny.random_titles(5)
    tiny.joint_tagger().predict(sentences, label_name=label_name)
    for sentence in sentences:
        assert [place for place, *_ in tiny.labels(sentence, expected)] == [None]
        assert all(place for place, *_ in tiny.labels(sentence, label_name or tiny.TAG_TYPE))
    assert any(sentence.get_labels(label_name or tiny.TAG_TYPE) for sentence in sentences)


def test_without_classes_no_class_is_predicted():
    sentences = tiny.titles()
    tiny.joint_tagger(classes=None).predict(sentences)
    assert [s.get_label("category").value for s in sentences][:2] == ["garden", "kitchen"]
    assert not any(s.get_labels("") for s in sentences)


def test_an_unknown_item_of_the_class_dictionary_is_never_predicted():
    classes = tiny.dictionary(tiny.CLASSES, spans=False, add_unk=True)
    tagger = JointTagger(tiny.words(), tiny.dictionary(), "ner", classes, "category", hidden_size=4)
    assert tagger.classes == list(tiny.CLASSES)
    assert tagger.class_head.out_features == 3


# ----- attention -----


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("attention", ["soft", "scaled", "unscaled", "learned"])
def test_attention_output_is_added_to_the_hidden_states(attention, residual):
    tagger = tiny.joint_tagger(attention=attention, residual=residual)
    embedded, mask = tagger.embed(tiny.titles())
    states = tagger.encode(embedded, mask)
    context = tagger.attention(states, mask)[0]
    expected = states + context if residual else context
    assert context.abs().max() > 1e-3
    torch.testing.assert_close(tagger.forward(embedded, mask).states, expected)
    assert isinstance(
        tagger.attention, SoftAttention if attention == "soft" else MultiHeadSelfAttention
    )


@pytest.mark.parametrize("attention", ["soft", "learned"])
def test_a_gated_attention_starts_as_none_and_is_learned(attention):
    tagger = tiny.joint_tagger(attention=attention, attention_gate=True)
    states, mask = torch.randn(2, 3, 8), torch.ones(2, 3, dtype=torch.bool)
    assert torch.equal(tagger.enrich(states, mask), states)
    tagger.train()
    tagger.forward_loss(tiny.titles())[0].backward()
    assert tagger.gate.grad.abs().sum() > 0
    with torch.no_grad():
        tagger.gate.fill_(0.5)
    tagger.eval()
    expected = states + 0.5 * tagger.attention(states, mask)[0]
    torch.testing.assert_close(tagger.enrich(states, mask), expected)
    assert JointTagger.load(tagger._get_state_dict()).gate.item() == 0.5


def test_attention_output_has_locked_dropout_before_the_residual_connection():
    tagger = tiny.joint_tagger(
        attention="unscaled", attention_dropout=0.0, locked_dropout=0.0,
        attention_locked_dropout=0.5,
    ).train()  # fmt: skip
    embedded, mask = tagger.embed(tiny.titles())
    states = tagger.encode(embedded, mask)
    context = tagger.attention(states, mask)[0]
    ratio = (tagger.enrich(states, mask) - states) / context  # 0 or 1/(1 - 0.5)
    ratio = ratio[mask.unsqueeze(-1).expand_as(ratio)].detach()
    assert all(abs(value) < 1e-2 or abs(value - 2) < 1e-2 for value in ratio.tolist())
    assert 0 < float(ratio.mean()) < 2
    dropped = (tagger.enrich(states, mask) - states).abs() < 1e-7
    for sentence, real in zip(dropped, mask, strict=True):  # the same units at each token
        assert torch.equal(sentence[real], sentence[:1].expand(int(real.sum()), -1))


def test_the_defaults_are_the_papers():
    tagger = JointTagger(tiny.words(), tiny.dictionary(), "ner", attention="learned")
    assert tagger.rnn.hidden_size == 256
    assert tagger.rnn.bidirectional
    assert tagger.rnn.num_layers == 1
    assert isinstance(tagger.rnn, nn.LSTM)
    assert isinstance(tagger.embedding2nn, nn.Linear)
    assert tagger.use_locked_dropout == tagger.attention_locked_dropout.dropout_rate == 0.5
    assert not tagger.use_word_dropout
    assert not tagger.use_dropout
    assert tagger.tag_format == "BIOES"
    assert tagger.attention.num_heads == 8
    assert tagger.attention.dropout.p == 0.1
    assert tagger.residual
    assert tagger.class_loss_weight == 1.0
    assert tagger.constrain_decoding


def test_a_tagger_without_recurrent_layer_attends_over_the_embeddings():
    tagger = tiny.joint_tagger(use_rnn=False, attention="scaled")
    assert tagger.class_head.in_features == tagger.attention.query.in_features == 6


# ----- first weights -----


def trained(tagger):
    return {
        name: parameter.detach()
        for name, parameter in tagger.named_parameters()
        if parameter.requires_grad and not name.startswith("embeddings.")
    }


@pytest.mark.parametrize("init_range", [0.1, 0.02])
@pytest.mark.parametrize(
    "options",
    [{"attention": "learned"}, {"attention": "soft", "rnn_type": "GRU", "rnn_layers": 2}],
)
def test_trained_parameters_are_uniform_in_the_range(options, init_range):
    tagger = tiny.joint_tagger(
        hidden_size=32, init_range=init_range, train_initial_hidden_state=True, **options
    )
    parameters = trained(tagger)
    assert {"linear.weight", "class_head.bias", "embedding2nn.weight", "crf.transitions"} <= set(
        parameters
    )
    for name, values in parameters.items():
        if name == "crf.transitions":
            values = values[values > -1000]
        assert values.abs().max() <= init_range, name
        if values.numel() >= 100:
            assert values.min() < -0.9 * init_range, name
            assert values.max() > 0.9 * init_range, name
            # The standard deviation of U(-a, a) is a/√3.
            assert float(values.std()) == pytest.approx(init_range / 3**0.5, rel=0.15), name


def test_start_cannot_be_entered_and_stop_cannot_be_left():
    tagger = tiny.joint_tagger(init_range=0.1)
    start, stop = (tagger.label_dictionary.get_idx_for_item(n) for n in ("<START>", "<STOP>"))
    forbidden = tagger.crf.transitions == -10_000.0
    assert forbidden[start].all()
    assert forbidden[:, stop].all()
    size = len(tagger.tagset)
    assert int(forbidden.sum()) == 2 * size - 1


@pytest.mark.parametrize("fine_tune", [True, False])
def test_embeddings_keep_their_weights(fine_tune, tiny_bert):
    members = [
        TransformerWordEmbeddings(str(tiny_bert), fine_tune=fine_tune),
        tiny.words(fine_tune=fine_tune),
    ]
    stack = StackedEmbeddings(members)
    before = {name: value.clone() for name, value in stack.state_dict().items()}
    tagger = tiny.joint_tagger(stack)
    for name, value in tagger.embeddings.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert trained(tagger)


def test_without_a_range_torchs_initialisation_stays():
    torch.manual_seed(3)
    theirs = SequenceTagger(tiny.words(), tiny.dictionary(), "ner", hidden_size=32)
    torch.manual_seed(3)
    ours = tiny.joint_tagger(hidden_size=32, init_range=None, classes=None)
    for name, value in theirs.named_parameters():
        assert torch.equal(value, ours.get_parameter(name)), name
    tagger = tiny.joint_tagger(hidden_size=32, init_range=None)
    norm = tagger.class_head.weight.detach().abs().max().item()
    assert norm <= 1 / 64**0.5


# ----- arguments -----


def test_the_users_dictionaries_are_not_changed():
    tags, pos = tiny.dictionary(), tiny.dictionary(("NOUN", "VERB"), spans=False)
    classes = tiny.dictionary(tiny.CLASSES, spans=False)
    for given in (tags, pos):
        items = given.get_items()
        tagger = JointTagger(tiny.words(), given, "ner", classes, "category", hidden_size=4)
        assert given.get_items() == items
        assert tagger.label_dictionary is not given
    classes.add_item("attic")
    assert tagger.classes == list(tiny.CLASSES)


WRONG = [
    ({"attention": "hard"}, "attention 'hard'.*soft.*learned"),
    ({"class_dictionary": tiny.dictionary(tiny.CLASSES)}, "class_type go together"),
    ({"class_type": "category"}, "class_dictionary and class_type go together"),
    ({"class_type": "ner", "class_dictionary": tiny.dictionary("ab")}, "both 'ner'"),
    (
        {"class_type": "category", "class_dictionary": tiny.dictionary(["one"], add_unk=True)},
        "two classes or more, got .*one",
    ),
    ({"attention": "learned", "attention_heads": 3}, "3 attention heads"),
    ({"loss_weights": {"O": 0.5}}, "loss_weights have no effect on a CRF"),
    ({"tag_dictionary": tiny.dictionary([])}, "no entity type.*make_label_dictionary"),
    ({"tag_dictionary": tiny.dictionary(["O"], add_unk=True)}, "no entity type"),
    ({"rnn": nn.LSTM(6, 4)}, "batch_first=True"),
    ({"rnn": nn.LSTM(6, 4, batch_first=True, proj_size=2)}, "no projection"),
    ({"rnn": nn.GRU(6, 4, batch_first=True, bias=False)}, "bias=True"),
    ({"rnn": nn.RNN(6, 4, batch_first=True, nonlinearity="relu")}, "nonlinearity"),
]


@pytest.mark.parametrize("options, message", WRONG)
def test_arguments_that_contradict_each_other_are_refused(options, message):
    arguments = {"tag_dictionary": tiny.dictionary(), "hidden_size": 4, **options}
    with pytest.raises(ValueError, match=message):
        JointTagger(tiny.words(), tag_type="ner", **arguments)


def test_an_unknown_argument_is_no_silent_one():
    with pytest.raises(TypeError, match="hidden_sice"):
        tiny.joint_tagger(hidden_sice=4)


# ----- starting from Flair's tagger -----


def test_loss_weights_that_flair_does_not_use_are_no_hindrance():
    arguments = (tiny.words(), tiny.dictionary(), "ner")
    for use_crf in (True, False):
        theirs = SequenceTagger(*arguments, hidden_size=4, use_crf=use_crf, loss_weights={"O": 0.5})
        ours = JointTagger.from_sequence_tagger(theirs)
        assert (ours.weight_dict is None) is use_crf


def test_a_tagger_started_from_flairs_keeps_its_settings_and_adds_its_own():
    theirs = SequenceTagger(
        tiny.words(), tiny.dictionary(), "ner", hidden_size=4, rnn_type="GRU", rnn_layers=2,
        bidirectional=False, dropout=0.1, word_dropout=0.2, locked_dropout=0.3, tag_format="BIO",
    )  # fmt: skip
    ours = JointTagger.from_sequence_tagger(
        theirs, tiny.dictionary(tiny.CLASSES), "category", "soft", class_loss_weight=0.5
    )
    assert (ours.use_dropout, ours.use_word_dropout, ours.use_locked_dropout) == (0.1, 0.2, 0.3)
    assert ours.tag_format == "BIO"
    assert ours.class_loss_weight == 0.5
    assert ours.class_head.out_features == 3
    assert isinstance(ours.attention, SoftAttention)
    for name, value in theirs.named_parameters():
        assert torch.equal(value, ours.get_parameter(name)), name
    ours.train().forward_loss(tiny.titles())[0].backward()


def test_a_start_from_a_joint_tagger_takes_no_head_and_no_attention():
    old = tiny.joint_tagger(attention="soft", attention_gate=True)
    others = tiny.dictionary(("red", "green", "blue"), spans=False)
    new = JointTagger.from_sequence_tagger(old, others, "colour", attention="soft")
    assert torch.equal(new.linear.weight, old.linear.weight)
    assert not torch.equal(new.class_head.weight, old.class_head.weight)
    assert not torch.equal(new.attention.score.weight, old.attention.score.weight)
    two = tiny.dictionary(("red", "green"), spans=False)
    assert len(JointTagger.from_sequence_tagger(old, two, "colour").classes) == 2


@pytest.mark.parametrize("allowed", [True, False])
def test_what_decides_the_predictions_of_the_other_tagger_is_taken_along(allowed):
    theirs = SequenceTagger(
        tiny.words(), tiny.dictionary(), "ner", hidden_size=4, allow_unk_predictions=allowed
    )
    assert JointTagger.from_sequence_tagger(theirs).allow_unk_predictions is allowed
    old = tiny.joint_tagger(constrain_decoding=allowed, train_initial_hidden_state=True)
    old.tag_temperature = 2.0
    new = JointTagger.from_sequence_tagger(old)
    assert (new.constrain_decoding, new.tag_temperature) == (allowed, 2.0)
    assert torch.equal(new.lstm_init_h, old.lstm_init_h)


def test_a_tagger_with_weights_of_its_own_is_refused():
    other = DATNet(tiny.words(), tiny.dictionary(), "ner", tiny.words(6, "source"), hidden_size=4)
    with pytest.raises(ValueError, match="weights of a DATNet are not those of a JointTagger"):
        JointTagger.from_sequence_tagger(other)


def test_several_classes_of_a_sentence_are_refused():
    several = tiny.dictionary(tiny.CLASSES, spans=False)
    several.multi_label = True
    with pytest.raises(ValueError, match="the sentence head predicts one"):
        JointTagger(tiny.words(), tiny.dictionary(), tiny.TAG_TYPE, several, tiny.CLASS_TYPE)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_of_the_class_loss_that_is_none_is_refused(weight):
    with pytest.raises(ValueError, match="give a number from 0 on"):
        tiny.joint_tagger(class_loss_weight=weight)
