"""The map of shared features: the vectors, the points, the file."""

import numpy as np
import pytest
import tiny
import torch
from flair.data import Sentence

from flair_jointner import DATNet
from flair_jointner.data import mark_source
from flair_jointner.inference.resource_figure import (
    draw_resources,
    resource_figure,
    shared_features,
    told_apart,
)


def datnet(**options):
    made = DATNet(tiny.words(), tiny.dictionary(), "ner", hidden_size=4, **options)
    return made.train()


def both(count=30):
    sentences = tiny.random_titles(count)
    for sentence in sentences[::3]:
        mark_source(sentence)
    return sentences


@pytest.mark.parametrize("share", ["full", "part"])
def test_a_vector_is_the_mean_over_the_tokens_of_the_shared_states(share):
    tagger, sentences = datnet(share=share), both(7)
    features, is_source = shared_features(tagger, [*sentences, Sentence("")], batch_size=3)
    assert tagger.training  # as it was
    assert is_source.tolist() == [True, False, False] * 2 + [True]
    tagger.eval()
    for sentence, vector in zip(sentences, features, strict=True):
        with torch.no_grad():
            states = tagger.rnn(tagger.embed([sentence])[0])[0]
        np.testing.assert_allclose(vector, states[0].mean(0).numpy(), atol=1e-6)


def test_the_figure_holds_a_point_for_each_sentence_and_is_the_same_again():
    taggers, sentences = {"one": datnet(), "other": datnet()}, both()
    figures = [resource_figure(taggers, sentences, 5) for _ in range(2)]
    assert [len(figure.axes) for figure in figures] == [2, 2]
    for first, second in zip(figures[0].axes, figures[1].axes, strict=True):
        assert [len(part.get_offsets()) for part in first.collections] == [10, 20]
        for part, again in zip(first.collections, second.collections, strict=True):
            np.testing.assert_array_equal(part.get_offsets(), again.get_offsets())
    labels = [text.get_text() for text in figures[0].axes[0].legend_.texts]
    assert labels == ["source (10 sentences)", "target (20 sentences)"]
    assert figures[0].axes[1].get_title().startswith("other\ntold apart: ")


def test_a_linear_classifier_tells_what_differs_and_nothing_else():
    draw = np.random.default_rng(0)
    is_source = np.arange(200) % 4 == 0
    alike = draw.normal(size=(200, 6))
    assert abs(told_apart(alike, is_source) - 0.5) < 0.12
    assert told_apart(alike + 5 * is_source[:, None], is_source) == 1.0


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("a.pdf", b"%PDF")])
def test_it_is_drawn_into_a_file(tmp_path, name, start):
    file = draw_resources({"one": datnet()}, both(), tmp_path / name, perplexity=5)
    assert file.read_bytes().startswith(start)


def test_too_few_sentences_are_refused(tmp_path):
    with pytest.raises(ValueError, match="0 sentences from the source and 9 from the target"):
        resource_figure({"one": datnet()}, tiny.random_titles(9))
    with pytest.raises(ValueError, match="perplexity is 30.0 for 20 sentences"):
        resource_figure({"one": datnet()}, both(20), perplexity=30.0)
    with pytest.raises(ValueError, match="batch size is 0"):
        shared_features(datnet(), both(9), 0)
    with pytest.raises(ValueError, match=r"a\.txt has to end in one of \.png"):
        draw_resources({"one": datnet()}, both(), tmp_path / "a.txt")
    with pytest.raises(ValueError, match="needs 5 sentences or more"):
        told_apart(np.zeros((6, 2)), np.arange(6) < 2)
    assert len(shared_features(datnet(), [Sentence("")])[0]) == 0
