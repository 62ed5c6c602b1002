"""Scores against the enumeration of every valid path, and labels on sentences."""

import itertools
import math

import pytest
import tiny
import torch
from flair.data import Sentence

from flair_jointner.layers import length_mask
from flair_jointner.layers.viterbi import viterbi
from flair_jointner.models import prediction as module
from flair_jointner.models.prediction import Decoder, Prediction, SpanPrediction, write_labels
from flair_jointner.models.tagging import TaggingRun
from flair_jointner.models.tagset import TagSet

KINDS = {
    "BIOES": {"tag_format": "BIOES", "types": ("COLOUR",)},
    "BIO": {"tag_format": "BIO", "types": tiny.TYPES},
    "BIOES-no-crf": {"tag_format": "BIOES", "types": ("COLOUR",), "use_crf": False},
    "BIO-no-crf": {"tag_format": "BIO", "types": tiny.TYPES, "use_crf": False},
}


def path_probabilities(tagger, sentence):
    """Probability of each valid path, the slow way, in float64."""
    with torch.no_grad():
        emissions = tagger.forward(*tagger.embed([sentence])).emissions[0].double()
    tags = tagger.label_dictionary.get_items()
    transitions = torch.zeros(len(tags), len(tags), dtype=torch.float64)
    start = stop = None
    if tagger.use_crf:
        transitions = tagger.crf.transitions.detach().double()
        start, stop = tags.index("<START>"), tags.index("<STOP>")
    scores = {}
    for path in itertools.product(range(len(tags)), repeat=len(sentence)):
        if tiny.decode([tags[tag] for tag in path], tagger.tag_format) is None:
            continue
        score = sum(emissions[place, tag] for place, tag in enumerate(path))
        score = score + sum(transitions[b, a] for a, b in itertools.pairwise(path))
        if tagger.use_crf:
            score = score + transitions[path[0], start] + transitions[stop, path[-1]]
        scores[tuple(tags[tag] for tag in path)] = score
    probabilities = torch.softmax(torch.stack(list(scores.values())), 0).tolist()
    return dict(zip(scores, probabilities, strict=True))


def brute_force_cases(kind):
    tagger = tiny.joint_tagger(init_range=0.9, **KINDS[kind])
    if tagger.use_crf:
        free = tagger.crf.transitions > -100
        tagger.crf.transitions.data[free] = 2 * torch.randn(int(free.sum()))
    tagger.linear.bias.data[0] = -2.0  # less O
    sentences = tiny.random_titles(8, longest=4, seed=9)
    paths = [path_probabilities(tagger, sentence) for sentence in sentences]
    return tagger, sentences, paths


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("constrained", [True, False])
def test_scores_change_no_path(constrained, temperature, monkeypatch):
    """A path that the posterior shows to be the best is the one that Viterbi finds."""
    tagger = tiny.joint_tagger(constrain_decoding=constrained)
    tagger.crf.transitions.data[tagger.crf.transitions > -100] *= 10
    decoder = Decoder(tagger.tagset, *tagger.decoding_chain(), temperature)
    mask = length_mask(torch.randint(1, 9, (400,)))
    emissions = 6 * torch.rand(400, 1, 1) * torch.randn(*mask.shape, len(tagger.tagset))
    plain = [found.tags for found in decoder(emissions, mask, with_scores=False)]
    searched = []
    monkeypatch.setattr(
        module, "viterbi", lambda e, *rest: searched.append(len(e)) or viterbi(e, *rest)
    )
    assert [found.tags for found in decoder(emissions, mask)] == plain
    assert 30 < sum(searched) < 370, "the test shows nothing"


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_of_an_entity_is_its_posterior_probability(kind):
    tagger, sentences, paths = brute_force_cases(kind)
    tagger.predict(sentences)
    checked = 0
    for sentence, probabilities in zip(sentences, paths, strict=True):
        best = max(probabilities, key=probabilities.get)
        assert tiny.spans(sentence, tiny.TAG_TYPE) == tiny.decode(best, tagger.tag_format)
        for (start, end), kind_of, score in tiny.labels(sentence, tiny.TAG_TYPE, digits=9):
            expected = sum(
                probability
                for path, probability in probabilities.items()
                if (start, end, kind_of) in tiny.decode(path, tagger.tag_format)
            )
            assert score == pytest.approx(expected, abs=1e-5)
            checked += 1
    assert checked >= 3


@pytest.mark.parametrize("kind", KINDS)
def test_the_scores_of_a_token_are_marginals(kind):
    tagger, sentences, paths = brute_force_cases(kind)
    tagger.predict(
        sentences, return_probabilities_for_all_classes=True, force_token_predictions=True
    )
    for sentence, probabilities in zip(sentences, paths, strict=True):
        for place, token in enumerate(sentence):
            found = {label.value: label.score for label in token.get_tags_proba_dist(tiny.TAG_TYPE)}
            assert list(found) == tagger.label_dictionary.get_items()
            assert sum(found.values()) == pytest.approx(1.0, abs=1e-5)
            for tag, score in found.items():
                expected = sum(p for path, p in probabilities.items() if path[place] == tag)
                assert score == pytest.approx(expected, abs=1e-5)
            label = token.get_label(tiny.TAG_TYPE)
            if label.value != "O":
                assert label.score == pytest.approx(found[label.value])


@pytest.mark.parametrize("scheme", ["BIOES", "BIO"])
@pytest.mark.parametrize("constrained", [True, False])
def test_every_score_is_a_probability_however_wild_the_weights(scheme, constrained):
    tagger = tiny.joint_tagger(
        tag_format=scheme, init_range=20.0, constrain_decoding=constrained, use_rnn=False
    )
    sentences = tiny.random_titles(60, longest=12)
    tagger.predict(sentences, return_probabilities_for_all_classes=True)
    scores = [label.score for sentence in sentences for label in sentence.get_labels()]
    for sentence in sentences:
        for token in sentence:
            scores += [label.score for label in token.get_tags_proba_dist(tiny.TAG_TYPE)]
    assert all(0.0 <= score <= 1.0 for score in scores)


# ----- labels -----


TAGSET = TagSet(["B-x", "E-x", "O"], True, "BIOES")


def prediction():
    return Prediction(
        tags=[0, 1, 2],
        spans=[SpanPrediction(0, 2, "x", 0.6)],
        probabilities=torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.2, 0.7]]),
        classes=[("big", 0.75), ("small", 0.25)],
    )


def test_spans_and_the_best_class_are_written_in_place_of_older_labels():
    sentence = Sentence(["a", "b", "c"])
    sentence[2:3].add_label("ner", "old")
    sentence[0].add_label("ner", "older")
    sentence.add_label("size", "medium")
    sentence.add_label("other", "kept")
    write_labels(sentence, prediction(), TAGSET, "ner", "size")
    assert tiny.labels(sentence, "ner") == [((0, 2), "x", 0.6)]
    assert tiny.labels(sentence, "size") == [(None, "big", 0.75)]
    assert tiny.labels(sentence, "other") == [(None, "kept", 1.0)]


def test_tokens_are_labelled_where_their_tag_says_something():
    sentence = Sentence(["a", "b", "c"])
    write_labels(sentence, prediction(), TAGSET, "ner", "size", as_tokens=True)
    assert tiny.labels(sentence, "ner") == [((0, 1), "B-x", 0.9), ((1, 2), "E-x", 0.8)]


def test_all_probabilities_are_written_on_request():
    sentence = Sentence(["a", "b", "c"])
    write_labels(sentence, prediction(), TAGSET, "ner", "size", all_probabilities=True)
    assert tiny.labels(sentence, "size") == [(None, "big", 0.75), (None, "small", 0.25)]
    last = sentence[2].get_tags_proba_dist("ner")
    assert [(label.value, round(label.score, 3)) for label in last] == [
        ("B-x", 0.1),
        ("E-x", 0.2),
        ("O", 0.7),
    ]


@pytest.mark.parametrize(
    "spans, expected",
    [
        ([SpanPrediction(0, 2, "x", 0.6)], {(4, 0, 2, "x")}),
        ([], set()),
        (None, {(4, 0, 1, "B-x"), (4, 1, 2, "E-x")}),
    ],
)
def test_a_prediction_claims_its_spans_or_the_tags_of_its_tokens(spans, expected):
    said = prediction()
    said.spans = spans
    assert said.facts(4, TAGSET) == expected


def test_an_evaluation_asks_for_no_scores():
    tagger = tiny.joint_tagger()
    sentences = tiny.random_titles(5)
    run = TaggingRun(tagger, 2, with_scores=False)
    plain = dict(run.over_sentences(sentences))
    scored = dict(TaggingRun(tagger, 2).over_sentences(sentences))
    for index, prediction in plain.items():
        assert [span[:3] for span in prediction.spans] == [s[:3] for s in scored[index].spans]
        assert all(math.isnan(span.score) for span in prediction.spans)
        assert not any(math.isnan(span.score) for span in scored[index].spans)
