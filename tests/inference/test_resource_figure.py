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
    tagger, sentences = datnet(), both()
    points = [
        [part.get_offsets() for part in resource_figure(tagger, sentences, 5).axes[0].collections]
        for _ in range(2)
    ]
    assert [len(part) for part in points[0]] == [10, 20]
    for first, second in zip(*points, strict=True):
        np.testing.assert_array_equal(first, second)
    labels = [t.get_text() for t in resource_figure(tagger, sentences, 5).axes[0].legend_.texts]
    assert labels == ["source (10 sentences)", "target (20 sentences)"]


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("a.pdf", b"%PDF")])
def test_it_is_drawn_into_a_file(tmp_path, name, start):
    file = draw_resources(datnet(), both(), tmp_path / name, perplexity=5)
    assert file.read_bytes().startswith(start)


def test_too_few_sentences_are_refused():
    with pytest.raises(ValueError, match="0 sentences from the source and 9 from the target"):
        resource_figure(datnet(), tiny.random_titles(9))
    with pytest.raises(ValueError, match="perplexity is 30.0 for 9 sentences"):
        resource_figure(datnet(), both(9))
    with pytest.raises(ValueError, match="batch size is 0"):
        shared_features(datnet(), both(9), 0)
    assert len(shared_features(datnet(), [Sentence("")])[0]) == 0
