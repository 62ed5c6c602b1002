"""Sentences to one padded tensor, as Flair's own embeddings would give it."""

import pytest
import tiny
import torch
from flair.data import Sentence
from flair.embeddings import OneHotEmbeddings, StackedEmbeddings, TransformerWordEmbeddings

from flair_jointner.models.character_cnn import CharacterCNNEmbeddings
from flair_jointner.models.embedding import embed_batch, get_names, sentence_context, set_names


def one_hot():
    return OneHotEmbeddings(tiny.dictionary(tiny.WORDS, spans=False, add_unk=True))


def shuffled_stack(*more):
    members = [tiny.words(3, name="zz", seed=2), tiny.words(4, name="aa", seed=3), *more]
    return StackedEmbeddings(members, overwrite_names=False)


KINDS = {
    "table": tiny.words,
    "fine-tuned-table": lambda: tiny.words(fine_tune=True),
    "normed-table": lambda: tiny.words(stable=True),
    "stack-of-tables": shuffled_stack,
    "renamed-stack": lambda: StackedEmbeddings([tiny.words(3, name="z"), tiny.words(4, name="a")]),
    "generic": one_hot,
    "mixed-stack": lambda: shuffled_stack(one_hot()),
    "characters": lambda: CharacterCNNEmbeddings(tiny.titles(), name="cc"),
    "words-and-characters": lambda: shuffled_stack(
        CharacterCNNEmbeddings(tiny.titles(), name="cc")
    ),
}


def flair_vectors(embeddings, sentences):
    """What Flair's tagger reads: the vectors of each token, in Flair's order of names."""
    embeddings.embed(sentences)
    names = embeddings.get_names()
    rows = [torch.stack([token.get_embedding(names) for token in s]) for s in sentences]
    for sentence in sentences:
        sentence.clear_embeddings()
    return rows


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_the_batch_holds_the_vectors_that_flair_gives_and_zeros(make):
    embeddings = make()
    embeddings.eval()
    sentences = tiny.titles()
    expected = flair_vectors(embeddings, sentences)
    batch = embed_batch(embeddings, sentences)
    assert batch.shape == (len(sentences), 7, embeddings.embedding_length)
    for row, vectors in zip(batch, expected, strict=True):
        torch.testing.assert_close(row[: len(vectors)], vectors)
        assert not row[len(vectors) :].any()


def test_tables_leave_no_vector_on_the_tokens():
    sentences = tiny.titles()
    embed_batch(shuffled_stack(CharacterCNNEmbeddings(sentences)), sentences)
    assert all(not token._embeddings for sentence in sentences for token in sentence)


def test_unknown_words_get_zeros_and_words_are_found_in_lower_case():
    batch = embed_batch(tiny.words(), [Sentence(["unheard", "Mibal", "mibal"])])
    assert not batch[0, 0].any()
    assert batch[0, 1].any()
    assert torch.equal(batch[0, 1], batch[0, 2])


def test_a_fine_tuned_table_receives_gradients():
    table = tiny.words(fine_tune=True)
    embed_batch(table, tiny.titles()).sum().backward()
    assert table.embedding.weight.grad.abs().sum() > 0


def test_a_fine_tuned_unknown_vector_does_not_reach_the_padding():
    table = tiny.words(fine_tune=True)
    table.embedding.weight.data[-1] = 9.0
    batch = embed_batch(table, [Sentence(["unheard", "mibal"]), Sentence(["mibal"])])
    assert float(batch[0, 0, 0].detach()) == 9.0
    assert not batch[1, 1].any()


# ----- context -----


@pytest.fixture
def context_words(tiny_bert):
    return TransformerWordEmbeddings(str(tiny_bert), use_context=2, fine_tune=False)


def test_neighbours_are_linked_for_embeddings_that_read_them_and_unlinked_after(context_words):
    sentences = tiny.random_titles(4)
    with sentence_context(context_words, sentences):
        assert sentences[1].previous_sentence() is sentences[0]
        assert sentences[1].next_sentence() is sentences[2]
    assert not any(sentence.is_context_set() for sentence in sentences)


def test_links_are_taken_away_after_an_error(context_words):
    sentences = tiny.random_titles(3)
    with pytest.raises(ZeroDivisionError), sentence_context(context_words, sentences):
        raise ZeroDivisionError
    assert not any(sentence.is_context_set() for sentence in sentences)


def test_links_of_the_user_are_kept(context_words):
    sentences = tiny.random_titles(3)
    Sentence.set_context_for_sentences(sentences)
    other = tiny.random_titles(2, seed=5)
    with sentence_context(context_words, [*other, *sentences]):
        assert sentences[0].previous_sentence() is None
    assert sentences[1].previous_sentence() is sentences[0]
    assert not any(sentence.is_context_set() for sentence in other)


def test_static_embeddings_need_no_links():
    sentences = tiny.random_titles(3)
    with sentence_context(tiny.words(), sentences):
        assert not any(sentence.is_context_set() for sentence in sentences)


def test_a_tagger_over_a_context_transformer_reads_the_neighbours(context_words):
    def probabilities(batch_size, sentences):
        tagger.predict(sentences, batch_size, return_probabilities_for_all_classes=True)
        assert not any(sentence.is_context_set() for sentence in sentences)
        return torch.tensor(
            [
                [label.score for label in token.get_tags_proba_dist(tiny.TAG_TYPE)]
                for sentence in sentences
                for token in sentence
            ]
        )

    tagger = tiny.joint_tagger(context_words, init_range=0.5)
    # The longest go first through the network: neighbours have to be those of the text.
    in_batches = probabilities(2, tiny.random_titles(7))
    together = probabilities(7, tiny.random_titles(7))
    alone = torch.cat([probabilities(1, [sentence]) for sentence in tiny.random_titles(7)])
    assert float((in_batches - together).abs().max()) < 1e-4
    assert float((in_batches - alone).abs().max()) > 1e-2


# ----- names -----


def test_names_can_be_taken_and_given_back():
    first, second = (shuffled_stack(one_hot()) for _ in range(2))
    names = get_names(first)
    assert names == ["Stack", "zz", "aa", "one-hot-text"]
    set_names(second, ["Stack", "c", "b", "a"])
    assert second.get_names() == ["c", "b", "a"]
    set_names(second, names)
    assert second.get_names() == first.get_names()
