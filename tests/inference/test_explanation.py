"""What is explained is what the tagger computes: against slow transcriptions and predictions."""

import dataclasses
import math

import numpy as np
import pytest
import tiny
import torch
from flair.data import Sentence
from flair.tokenization import SpaceTokenizer

from flair_jointner.inference import explain

SELF_ATTENTIONS = ("scaled", "unscaled", "learned")
TEXT = "robal rogop rolum unheard mifen migop milum"


@torch.no_grad()
def hidden_states(tagger, tokens):
    """H of one sentence alone, ``[tokens, hidden]``."""
    return tagger.encode(*tagger.embed([Sentence(tokens)]))[0].numpy()


def arrays(layer):
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


def slow_temperature(attention, state):
    """α of Eq. 6 or δ of Eq. 7 for one token."""
    scale = math.sqrt(len(state) / attention.num_heads)
    if attention.scaling == "learned":
        weight, bias = arrays(attention.temperature)
        return min(max(float(weight[0] @ state + bias[0]), 0.0), scale) + 1
    return {"scaled": scale, "unscaled": 1.0}[attention.scaling]


def slow_weights(attention, states):
    """Eqs. 5 and 6, a head, a query and a key at a time."""
    tokens, size = len(states), states.shape[1] // attention.num_heads
    found = np.zeros((attention.num_heads, tokens, tokens))
    for head in range(attention.num_heads):
        rows = slice(head * size, (head + 1) * size)
        for t, state in enumerate(states):
            (wq, bq), (wk, bk) = arrays(attention.query), arrays(attention.key)
            query = wq[rows] @ state + bq[rows]
            products = [query @ (wk[rows] @ other + bk[rows]) for other in states]
            shares = [math.exp(p / slow_temperature(attention, state)) for p in products]
            found[head, t] = np.array(shares) / sum(shares)
    return found


@pytest.mark.parametrize("attention", SELF_ATTENTIONS)
def test_weights_and_temperatures_are_equations_5_to_7(attention):
    tagger = tiny.joint_tagger(attention=attention)
    found = explain(tagger, TEXT)
    states = hidden_states(tagger, TEXT.split())
    assert found.attention == attention
    assert found.weights.shape == (2, 7, 7) and found.heads == 2
    np.testing.assert_allclose(found.weights.sum(-1), 1.0, atol=1e-6)
    np.testing.assert_allclose(found.weights, slow_weights(tagger.attention, states), atol=1e-5)
    expected = [slow_temperature(tagger.attention, state) for state in states]
    np.testing.assert_allclose(found.temperatures, expected, atol=1e-5)


def test_learned_temperatures_differ_within_their_bounds():
    found = explain(tiny.joint_tagger(attention="learned"), TEXT)
    assert found.highest_temperature == 3.0  # 1 + √(8/2)
    assert len(set(found.temperatures)) > 1
    assert found.temperatures.min() >= 1 and found.temperatures.max() <= 3


@pytest.mark.parametrize(("attention", "constant"), [("scaled", 2.0), ("unscaled", 1.0)])
def test_fixed_temperatures_are_the_constant(attention, constant):
    found = explain(tiny.joint_tagger(attention=attention), TEXT)
    assert found.temperatures.tolist() == [constant] * 7
    assert found.highest_temperature is None


def test_soft_weights_are_equation_4():
    tagger = tiny.joint_tagger(attention="soft")
    found = explain(tagger, TEXT)
    (w3, b3), (w2, b2) = arrays(tagger.attention.projection), arrays(tagger.attention.score)
    scores = [
        1 / (1 + math.exp(-(w2[0] @ np.tanh(w3 @ state + b3) + b2[0])))
        for state in hidden_states(tagger, TEXT.split())
    ]
    np.testing.assert_allclose(found.weights, np.array(scores) / sum(scores), atol=1e-5)
    assert found.heads == 0 and found.temperatures is None and found.highest_temperature is None


@pytest.mark.parametrize("attention", ["soft", *SELF_ATTENTIONS])
@torch.no_grad()
def test_a_sentence_alone_is_explained_as_it_is_used_in_a_batch(attention):
    tagger = tiny.joint_tagger(attention=attention)
    sentences = tiny.titles()
    embedded, mask = tagger.embed(sentences)
    states = tagger.encode(embedded, mask)
    _, weights = tagger.attention(states, mask)
    for place, sentence in enumerate(sentences):
        length = len(sentence)
        found = explain(tagger, [token.text for token in sentence])
        of_batch = weights[place][..., :length].numpy()
        of_batch = of_batch if attention == "soft" else of_batch[:, :length]
        np.testing.assert_allclose(found.weights, of_batch, atol=1e-5)
        if attention != "soft":
            temperatures = tagger.attention.temperatures(states)[place, :length]
            np.testing.assert_allclose(found.temperatures, temperatures, atol=1e-5)


def test_tags_entities_and_category_are_the_prediction():
    tagger = tiny.joint_tagger(attention="learned")
    for title in tiny.titles():
        found = explain(tagger, title.text)
        sentence = Sentence([token.text for token in title])
        tagger.predict(sentence, return_probabilities_for_all_classes=True)
        assert [(e.start, e.end, e.type) for e in found.entities] == tiny.spans(sentence, "ner")
        (row,) = tagger.tag([title.text])
        assert found.category == (row["category"], pytest.approx(row["score"], abs=1e-6))
        for entity, expected in zip(found.entities, row["entities"], strict=True):
            assert (entity.text, entity.type) == (expected["text"], expected["type"])
            assert entity.score == pytest.approx(expected["score"], abs=1e-6)
        for token, tag, score in zip(sentence, found.tags, found.tag_scores, strict=True):
            shares = {label.value: label.score for label in token.get_tags_proba_dist("ner")}
            assert shares[tag] == pytest.approx(score, abs=1e-6)
        assert tiny.decode(found.tags) == tiny.spans(sentence, "ner")


def test_a_tagger_of_token_tags_has_a_tag_per_token_as_its_entities():
    tags = tiny.dictionary(("NOUN", "VERB"), spans=False)
    tagger = tiny.joint_tagger(types=tags, classes=None, attention="learned")
    found = explain(tagger, TEXT)
    assert found.category is None
    named = [(e.start, e.end, e.type, e.text) for e in found.entities]
    tokens = TEXT.split()
    assert named == [
        (place, place + 1, tag, tokens[place]) for place, tag in enumerate(found.tags) if tag != "O"
    ]


def test_a_text_is_cut_by_the_given_tokenizer_and_tokens_are_kept():
    tagger = tiny.joint_tagger(attention="learned")
    assert explain(tagger, "mibal, rofen").tokens == ["mibal", ",", "rofen"]
    assert explain(tagger, "mibal, rofen", SpaceTokenizer()).tokens == ["mibal,", "rofen"]
    assert explain(tagger, ["mi bal", "rofen"]).tokens == ["mi bal", "rofen"]


def test_the_gate_is_told():
    tagger = tiny.joint_tagger(attention="soft", attention_gate=True)
    with torch.no_grad():
        tagger.gate.fill_(0.25)
    assert explain(tagger, TEXT).gate == 0.25
    assert explain(tiny.joint_tagger(attention="soft"), TEXT).gate is None


def test_the_tagger_stays_as_it_was():
    tagger = tiny.joint_tagger(attention="learned").train()
    first = explain(tagger, TEXT)
    assert tagger.training
    assert not tagger.attention._forward_hooks
    np.testing.assert_array_equal(first.weights, explain(tagger, TEXT).weights)


def test_a_tagger_without_attention_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match="jointner train --attention learned"):
        explain(tiny.joint_tagger(), TEXT)


@pytest.mark.parametrize("text", ["  ", [], [""]])
def test_a_text_without_tokens_is_refused(text):
    with pytest.raises(ValueError, match="no token"):
        explain(tiny.joint_tagger(attention="learned"), text)


def test_empty_tokens_are_left_out_as_flairs_sentences_do():
    found = explain(tiny.joint_tagger(attention="learned"), ["mibal", "", "rofen"])
    assert found.tokens == ["mibal", "rofen"]
    assert found.weights.shape[1:] == (2, 2)


def test_the_tokens_attended_to_most_are_of_the_mean_over_heads():
    found = explain(tiny.joint_tagger(attention="learned"), "mibal rofen tagop")
    first, second = [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], [[0.1, 0.3, 0.6], [0.1, 0.1, 0.8]]
    found = dataclasses.replace(found, weights=np.array([first, second]))
    places, weights = zip(*found.attended(0, 3), strict=True)
    assert places == (2, 0, 1)
    assert weights == pytest.approx((0.4, 0.3, 0.3))
    assert found.attended(1, 1) == [(2, pytest.approx(0.8))]
