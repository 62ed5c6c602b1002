"""Against Flair on real sentences, where the folder of corpora lies beside the project."""

from pathlib import Path

import pytest
import tiny
import torch
from flair.data import Sentence
from flair.models import SequenceTagger

from flair_jointner import JointTagger
from flair_jointner.data import corpus_vocabulary, read_sentences

QUESTIONS = Path(__file__).parents[2] / "shared" / "data" / "questions-vi" / "test"
pytestmark = pytest.mark.skipif(not QUESTIONS.exists(), reason=f"there is no {QUESTIONS}")


@pytest.fixture(scope="module")
def sentences():
    return read_sentences(QUESTIONS)[:300]


def both_taggers(sentences, types, spread):
    """Flair's tagger and ours with the same random weights, and transitions of some spread."""
    embeddings = tiny.words(20, vocabulary=sorted(corpus_vocabulary(sentences)))
    dictionary = tiny.dictionary([f"T{index}" for index in range(types)])
    ours = JointTagger(embeddings, dictionary, "ner", hidden_size=16, constrain_decoding=False)
    with torch.no_grad():
        ours.linear.weight.mul_(30)
        free = ours.crf.transitions > -100
        ours.crf.transitions[free] = spread * torch.randn(int(free.sum()))
    theirs = SequenceTagger(
        embeddings, dictionary, "ner", hidden_size=16, rnn_layers=1, locked_dropout=0.5,
        word_dropout=0.0,
    )  # fmt: skip
    theirs.load_state_dict(ours.state_dict())
    return theirs.eval(), ours.eval()


@pytest.mark.parametrize("types, spread", [(3, 1.0), (20, 0.3), (20, 3.0)])
def test_paths_on_real_sentences_are_flairs(sentences, types, spread):
    theirs, ours = both_taggers(sentences, types, spread)
    found = []
    for tagger in (theirs, ours):
        fresh = [Sentence([token.text for token in sentence]) for sentence in sentences]
        tagger.predict(fresh, force_token_predictions=True, mini_batch_size=32)
        found.append([tiny.token_tags(sentence, "ner") for sentence in fresh])
    tags = {tag for row in found[0] for tag in row}
    assert len(tags) > types
    assert found[0] == found[1]
