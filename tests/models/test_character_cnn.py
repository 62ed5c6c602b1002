"""Word vectors from characters: against a slow loop, in files, below a tagger that needs them."""

import copy
import json
import pickle
import subprocess
import sys

import pytest
import tiny
import torch
from flair.data import Sentence
from flair.embeddings import StackedEmbeddings
from flair.embeddings.base import load_embeddings
from flair.tokenization import SpaceTokenizer

from flair_jointner import CharacterCNNEmbeddings, JointTagger
from flair_jointner.models.embedding import embed_batch
from flair_jointner.models.tagger import BaseTagger
from flair_jointner.training import train

WORDS = ["a", "ab", "abc", "bacca", "bbbbbbbbb", "c", "?!", "aé", "", "cab" * 20]


def embeddings(characters="abcdefgh", **options):
    """In float64 with wild weights, those of the unknown character among them."""
    made = CharacterCNNEmbeddings(list(characters), **options).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.uniform_(-1, 1)
        made.table.weight[0] = 0.0  # beside the word
    return made


@torch.no_grad()
def slow_vector(made: CharacterCNNEmbeddings, word: str):
    """A place of the window, a filter and a character at a time."""
    window = made.convolution.kernel_size[0]
    left = (window - 1) // 2
    best = [float("-inf")] * made.embedding_length
    for middle in range(len(word)):
        for number in range(made.embedding_length):
            value = made.convolution.bias[number].item()
            for offset in range(window):
                place = middle - left + offset
                if 0 <= place < len(word):
                    known = word[place] in made.characters
                    row = made.characters.index(word[place]) + 2 if known else 1
                    weights = made.convolution.weight[number, :, offset]
                    value += (weights @ made.table.weight[row]).item()
            best[number] = max(best[number], value)
    return best if word else [0.0] * made.embedding_length


@pytest.mark.parametrize("window", [1, 2, 3, 4, 5])
def test_the_vectors_are_those_of_a_slow_loop(window):
    made = embeddings(embedding_size=4, filters=5, window=window)
    vectors = made(WORDS)
    assert vectors.shape == (len(WORDS), 5)
    expected = torch.tensor([slow_vector(made, word) for word in WORDS], dtype=torch.float64)
    torch.testing.assert_close(vectors, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("window", [1, 2, 3, 6])
def test_a_word_has_the_same_vector_alone_and_in_any_company(window):
    made = embeddings(window=window)
    together, turned = made(WORDS), made(WORDS[::-1]).flip(0)
    alone = torch.cat([made([word]) for word in WORDS])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)
    torch.testing.assert_close(turned, alone, rtol=0, atol=1e-12)
    assert made([]).shape == (0, 20)
    assert made([""]).tolist() == [[0.0] * 20]


def test_the_gradient_passes_gradcheck_and_spares_the_padding():
    made = embeddings("abc", embedding_size=2, filters=3)
    made(WORDS).sum().backward()
    assert made.table.weight.grad[0].abs().sum() == 0
    assert made.table.weight.grad[1].abs().sum() > 0  # the unknown character learns
    names, parameters = zip(*made.named_parameters(), strict=True)

    def run(*values):
        row = torch.zeros(1, 2, dtype=torch.float64)
        values = dict(zip(names, values, strict=True))
        values["table.weight"] = torch.cat([row, values["table.weight"]])
        return torch.func.functional_call(made, values, (["ab", "cba", "a?"],))

    below = [p[1:].detach().requires_grad_() if n == "table.weight" else p
             for n, p in zip(names, parameters, strict=True)]  # fmt: skip
    assert torch.autograd.gradcheck(run, tuple(below))


# ----- characters -----


def test_the_characters_are_those_of_sentences_or_of_a_list():
    corpus = tiny.corpus([Sentence(["żaba", "Bab"]), Sentence(["😀a"])], [Sentence("x")])
    from_corpus = CharacterCNNEmbeddings(corpus.train)
    assert from_corpus.characters == ("B", "a", "b", "ż", "😀")
    assert CharacterCNNEmbeddings("aż😀bBa").characters == from_corpus.characters
    assert from_corpus.table.weight.shape == (2 + 5, 30)


def test_unknown_characters_have_a_vector_of_their_own_and_share_it():
    made = embeddings("bdf")
    a, c, z, far, b = made(["a", "c", "z", "\ud800", "b"])
    assert torch.equal(a, c)
    assert torch.equal(a, z)
    assert torch.equal(a, far)
    assert not torch.allclose(a, b)
    made.table.weight.data[1] += 1.0
    assert not torch.allclose(made(["a"])[0], a)
    assert torch.equal(made(["b"])[0], b)


def test_before_training_an_unknown_character_says_nothing():
    made = CharacterCNNEmbeddings("abc")
    assert torch.equal(made(["?"])[0], made.convolution.bias)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"characters": []}, "There is no character"),
        ({"characters": ["ab"]}, "'ab' is no character"),
        ({"characters": [1]}, "1 is no character"),
        ({"embedding_size": 0}, "embedding_size is 0"),
        ({"filters": 0}, "filters is 0"),
        ({"window": -1}, "window is -1"),
        ({"dropout": 1.0}, "dropout is 1.0"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        CharacterCNNEmbeddings(**{"characters": "abc", **options})


# ----- as embeddings of Flair -----


def test_each_token_gets_the_vector_of_its_word():
    made = CharacterCNNEmbeddings("abc", filters=7, name="cnn")
    sentences = [Sentence(["ab", "c", "ab"]), Sentence(["abc"])]
    assert made.embed(sentences) is sentences
    expected = made(["ab", "c", "ab", "abc"])
    found = torch.stack([token.get_embedding(["cnn"]) for s in sentences for token in s])
    torch.testing.assert_close(found, expected)
    batch = embed_batch(made, sentences)
    assert batch.shape == (2, 3, 7)
    assert not batch[1, 1:].any()
    made.convolution.bias.data += 1.0  # vectors that were stored on tokens are made anew
    made.embed(sentences)
    torch.testing.assert_close(sentences[1][0].embedding, expected[3] + 1.0)


def test_dropout_acts_in_training_only():
    made = CharacterCNNEmbeddings("abc", dropout=0.5)
    assert torch.equal(made(["abcab"]), made(["abcab"]))
    made.train()
    assert not torch.equal(made(["abcab"]), made(["abcab"]))


def test_the_parameters_come_back_with_every_argument():
    made = CharacterCNNEmbeddings("żab", 4, 5, 2, 0.25, "mine", True)
    saved = json.loads(json.dumps(made.to_params()))
    again = CharacterCNNEmbeddings.from_params(saved)
    assert again.to_params() == made.to_params()
    assert list(saved.values()) == [["a", "b", "ż"], 4, 5, 2, 0.25, "mine", True]
    for copied in (
        load_embeddings(made.save_embeddings()),
        pickle.loads(pickle.dumps(made)),
        copy.deepcopy(made),
    ):
        assert type(copied) is CharacterCNNEmbeddings
        assert torch.equal(copied(["baż?"]), made(["baż?"]))


# ----- below a tagger -----


def stack(**options):
    letters = sorted(set("".join(tiny.WORDS)))
    return StackedEmbeddings([tiny.words(), CharacterCNNEmbeddings(letters, **options)])


def spans_and_scores(tagger, count=70):
    sentences = [*tiny.titles(), *tiny.random_titles(count)]
    tagger.predict(sentences)
    return [tiny.labels(s, tiny.TAG_TYPE, 4) for s in sentences]


FRESH = """
import json, sys
from flair.data import Sentence
from flair_jointner import JointTagger
tagger = JointTagger.load(sys.argv[1])
sentence = Sentence(sys.argv[2].split())
tagger.predict(sentence)
print("RESULT " + json.dumps([str(label) for label in sentence.get_labels()]))
"""


def test_a_tagger_is_the_same_from_its_file_in_this_process_and_in_another(tmp_path):
    tagger, path = tiny.joint_tagger(stack(dropout=0.1, window=4)), tmp_path / "tagger.pt"
    tagger.save(path)
    torch.load(path, weights_only=True)
    assert spans_and_scores(JointTagger.load(path)) == spans_and_scores(tagger)
    sentence = Sentence(["mibal", "rofen", "neverseen?", "tagop"])
    tagger.predict(sentence)
    process = subprocess.run(
        [sys.executable, "-c", FRESH, str(path), "mibal rofen neverseen? tagop"],
        capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip
    found = [line for line in process.stdout.splitlines() if line.startswith("RESULT")]
    assert found == ["RESULT " + json.dumps([str(label) for label in sentence.get_labels()])]


def test_bulk_tagging_is_folded_and_says_what_predict_says():
    tagger = tiny.joint_tagger(stack())
    assert set(tagger.describe_fast_path().values()) == {"on"}
    texts = [sentence.text for sentence in tiny.random_titles(80)]
    rows = list(tagger.tag(texts, tokenizer=SpaceTokenizer(), batch_size=9))
    sentences = [Sentence(text, use_tokenizer=SpaceTokenizer()) for text in texts]
    tagger.predict(sentences)
    for row, sentence in zip(rows, sentences, strict=True):
        expected = [(s.text, s.get_label("ner").value) for s in sentence.get_spans("ner")]
        assert [(e["text"], e["type"]) for e in row["entities"]] == expected
    assert sum(len(row["entities"]) for row in rows) > 20


def test_flairs_trainer_trains_the_characters_and_keeps_the_best(tmp_path):
    tagger = tiny.joint_tagger(stack(), init_range=0.1)
    characters = tagger.embeddings.embeddings[1]
    before = {name: value.clone() for name, value in characters.state_dict().items()}
    corpus = tiny.corpus(tiny.titles(), tiny.titles(), tiny.titles())
    train(tagger, corpus, tmp_path, max_epochs=1, least_updates=2, embeddings_storage_mode="cpu")
    after = characters.state_dict()
    assert all(not torch.equal(after[name], before[name]) for name in before)
    assert not after["table.weight"][0].any()  # beside the word
    assert after["table.weight"][1].any()  # "unheard" holds characters outside the list
    assert spans_and_scores(JointTagger.load(tmp_path / "final-model.pt"), 2)


def suffix_titles(count, seed):
    """Invented words, of which those that end in "ik" are colours; no two sentences share one."""
    generator = torch.Generator().manual_seed(seed)

    def draw(high):
        return int(torch.randint(high, (1,), generator=generator))

    made = []
    for _ in range(count):
        ends = [("ik", "ki", "ak", "in", "ke")[draw(5)] for _ in range(2 + draw(4))]
        stems = ["".join("abeiklmnorst"[draw(12)] for _ in range(3 + draw(5))) for _ in ends]
        text = " ".join(stem + end for stem, end in zip(stems, ends, strict=True))
        colours = [(i, i + 1, "COLOUR") for i, end in enumerate(ends) if end == "ik"]
        made.append(tiny.title(text, colours))
    return made


def test_a_tagger_learns_what_only_the_characters_tell():
    training = suffix_titles(150, seed=1)
    characters = CharacterCNNEmbeddings(training)
    embeddings = StackedEmbeddings([tiny.words(), characters])
    tagger = BaseTagger(
        embeddings, tiny.dictionary(), tiny.TAG_TYPE, hidden_size=64, locked_dropout=0.0
    )
    optimizer = torch.optim.Adam(tagger.parameters(), lr=0.01)
    tagger.train()
    for step in range(200):
        optimizer.zero_grad()
        tagger.forward_loss(training[step % 3 :: 3])[0].backward()
        optimizer.step()
    tagger.eval()
    # No word has a word vector: without the characters the F1 is 0, with filters that are not
    # trained about 0.4, and about 0.33 where every word is called a colour.
    result = tagger.evaluate(suffix_titles(100, seed=2), tiny.TAG_TYPE)
    assert result.main_score > 0.9
    with torch.no_grad():
        characters.convolution.weight.zero_()
    assert tagger.evaluate(suffix_titles(100, seed=2), tiny.TAG_TYPE).main_score < 0.5
