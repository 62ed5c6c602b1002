"""Taggers with adversarial training that start from weights of models without it."""

import pytest
import tiny
import torch
from flair.embeddings import StackedEmbeddings, TransformerWordEmbeddings, WordEmbeddings
from flair.models import SequenceTagger, TextClassifier

from flair_jointner import CharacterCNNEmbeddings, DocumentMaxPoolRNNEmbeddings, JointTagger
from flair_jointner.training import train


def far_words():
    """Vectors that normalisation changes much."""
    embeddings = tiny.words()
    with torch.no_grad():
        embeddings.embedding.weight[:-1].mul_(3.0).add_(5.0)
    return embeddings


def stack():
    return StackedEmbeddings([tiny.words(3, name="b"), far_words()], overwrite_names=False)


def states(tagger, sentences):
    tagger.eval()
    with torch.no_grad():
        return tagger.encode(*tagger.embed(sentences))


@pytest.mark.parametrize("projection", [True, False])
@pytest.mark.parametrize("rnn", ["LSTM", "GRU"])
def test_a_classifier_gives_the_states_that_it_gives_without_adversarial_training(projection, rnn):
    document = DocumentMaxPoolRNNEmbeddings(
        [far_words()], hidden_size=4, rnn_type=rnn, reproject_words=projection, init_range=0.8
    )
    classes = tiny.dictionary(tiny.CLASSES, False)
    classifier = TextClassifier(document, label_type="category", label_dictionary=classes)
    found = []
    for size in (None, 2.0):
        tagger = tiny.joint_tagger(
            far_words(), rnn_type=rnn, reproject_embeddings=projection, perturbation=size
        )
        tagger.init_from_classifier(classifier)
        found.append(states(tagger, tiny.titles()))  # one of which has an unknown word
    assert found[0].abs().max() > 0.01
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("make", [far_words, stack])
def test_a_plain_tagger_gives_the_same_tags(make):
    plain = SequenceTagger(make(), tiny.dictionary(), "ner", hidden_size=4)
    taggers = [JointTagger.from_sequence_tagger(plain, perturbation=size) for size in (None, 2.0)]
    outputs = []
    for tagger in taggers:
        tagger.eval()
        with torch.no_grad():
            outputs.append(tagger.forward(*tagger.embed(tiny.titles())).emissions)
    torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)


def test_the_normalisation_stays_in_training_and_in_the_file(tmp_path):
    plain = SequenceTagger(far_words(), tiny.dictionary(), "ner", hidden_size=4)
    tagger = JointTagger.from_sequence_tagger(plain, perturbation=2.0)
    norm = tagger.normalisation_of(tagger.embeddings)
    before = norm.mean.clone(), norm.variance.clone()
    torch.testing.assert_close(before[0], tagger.embeddings.embedding.weight[:-1].mean(0))
    corpus = tiny.corpus(tiny.titles() * 3, tiny.titles())
    file = train(tagger, corpus, tmp_path, max_epochs=1)["model_file"]
    loaded = JointTagger.load(file)
    for model in (tagger, loaded):
        norm = model.normalisation_of(model.embeddings)
        assert norm.fixed and torch.equal(norm.mean, before[0])
        assert torch.equal(norm.variance, before[1])
    torch.testing.assert_close(states(tagger, tiny.titles()), states(loaded, tiny.titles()))


def test_what_cannot_be_undone_is_refused(tiny_bert):
    characters = StackedEmbeddings(
        [tiny.words(), CharacterCNNEmbeddings("abc")], overwrite_names=False
    )
    for embeddings in (characters, TransformerWordEmbeddings(str(tiny_bert))):
        plain = SequenceTagger(embeddings, tiny.dictionary(), "ner", hidden_size=4)
        with pytest.raises(ValueError, match="for static word vectors only: leave perturbation"):
            JointTagger.from_sequence_tagger(plain, perturbation=1.0)
    trained = WordEmbeddings(
        None, vocab={"word": 0}, embedding_length=6, fine_tune=True, name="trained"
    )
    plain = SequenceTagger(trained, tiny.dictionary(), "ner", hidden_size=4)
    with pytest.raises(ValueError, match="for static word vectors only"):
        JointTagger.from_sequence_tagger(plain, perturbation=1.0)
    with pytest.raises(ValueError, match="The tagger was trained adversarially"):
        JointTagger.from_sequence_tagger(tiny.joint_tagger(perturbation=1.0))
    bare = SequenceTagger(
        tiny.words(), tiny.dictionary(), "ner", use_rnn=False, reproject_embeddings=False
    )
    with pytest.raises(ValueError, match="no layer below the attention"):
        JointTagger.from_sequence_tagger(bare, perturbation=1.0)
