"""Words as numbers: what shares one, and whose vectors come back."""

import pytest
import tiny
import torch
from flair.data import Sentence

from flair_jointner import CharacterCNNEmbeddings
from flair_jointner.layers.perturbation import RunningNormalisation
from flair_jointner.models import numbered_words
from flair_jointner.models.numbered_words import SpelledWords, TableWords

TOKENS = ["rofen", "unheard", "mibal", "rofen", "unseen"]


def embedded(embeddings, tokens):
    sentence = Sentence(tokens)
    embeddings.embed(sentence)
    return torch.stack([token.get_embedding(embeddings.get_names()) for token in sentence])


def norm(size):
    made = RunningNormalisation(size)
    made.update(torch.randn(50, size) * 3 + 1)
    return made.eval()


@pytest.mark.parametrize("normalised", [False, True])
def test_words_of_a_table_are_its_rows(normalised):
    table = tiny.words()
    layer = norm(6) if normalised else None
    words = TableWords(table, layer)
    assert words.met == words.room == len(tiny.WORDS) + 1
    numbers = words.find(TOKENS)
    assert numbers[1] == numbers[4] == len(tiny.WORDS)  # what has no vector shares one
    expected = embedded(table, TOKENS)
    expected = layer(expected) if normalised else expected
    torch.testing.assert_close(words.vectors(torch.tensor(numbers)), expected)


def test_a_stream_of_ever_new_words_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(numbered_words, "_MOST_TEXTS", 10)
    words = TableWords(tiny.words())
    for number in range(50):
        tokens = [f"new{number}", "mibal"]
        assert words.find(tokens) == [len(tiny.WORDS), tiny.WORDS.index("mibal")]
    assert len(words._rows) <= 12


@torch.no_grad()
def test_spelled_words_have_a_number_for_each_spelling_and_all_vectors():
    letters = CharacterCNNEmbeddings("abcdefghijklmnopqrstuvwxyz").eval()
    table, layer = tiny.words(), norm(6)
    words = SpelledWords([(letters, None), (table, layer)])
    assert words.find(TOKENS) == [0, 1, 2, 0, 3]
    assert words.met == 4
    expected = torch.cat([letters(TOKENS), layer(embedded(table, TOKENS))], dim=-1)
    torch.testing.assert_close(words.vectors(torch.tensor([0, 1, 2, 0, 3])), expected)
    torch.testing.assert_close(words.vectors(torch.tensor([3, 2])), expected[[4, 2]])
    words.forget()
    assert words.met == 0
    assert words.find(["unseen", "mibal"]) == [0, 1]
    torch.testing.assert_close(words.vectors(torch.tensor([0, 1])), expected[[4, 2]])
