"""DATNet: what is shared and what is not, the discriminator, two decoders, files, and transfer."""

import copy
import json
import subprocess
import sys

import flair
import pytest
import tiny
import torch
from flair.data import Sentence
from flair.embeddings import OneHotEmbeddings, StackedEmbeddings
from flair.nn import Classifier
from flair.tokenization import SpaceTokenizer
from torch import nn

from flair_jointner import CharacterCNNEmbeddings, DATNet, JointTagger
from flair_jointner.data import TransferCorpus, is_source, mark_source
from flair_jointner.inference.calibration import score_predictions
from flair_jointner.layers import grad_loss
from flair_jointner.models import ModelFileError
from flair_jointner.training import fit_temperatures, train

OTHER_TYPES = ("SHAPE", "COLOUR", "SIZE")


def characters(**options):
    return CharacterCNNEmbeddings(sorted(set("".join(tiny.WORDS))), 5, 4, **options)


def datnet(types=tiny.TYPES, source_types=None, apart=True, shared=True, **options):
    """A random tagger in evaluation mode, with weights wild enough to predict many things."""
    tagger = DATNet(
        tiny.words(name="target", seed=1),
        tiny.dictionary(types),
        tiny.TAG_TYPE,
        tiny.words(name="source", seed=2) if apart else None,
        tiny.dictionary(source_types) if source_types else None,
        characters() if shared else None,
        **{"hidden_size": 4, **options},
    )
    with torch.no_grad():
        for name, parameter in tagger.named_parameters():
            if parameter.requires_grad and "crf" not in name:
                parameter.uniform_(-1, 1)
    return tagger.eval()


def marked(sentences):
    for sentence in sentences:
        mark_source(sentence)
    return sentences


def renamed(sentence, names):
    spans = [(start, end, names[kind]) for start, end, kind in tiny.spans(sentence, "ner")]
    return tiny.title(sentence.text, spans)


def source_titles(types=tiny.TYPES):
    names = dict(zip(tiny.TYPES, types, strict=False))
    return marked([renamed(sentence, names) for sentence in tiny.titles()])


def gradients(tagger):
    """Names of the parameters that a gradient reached."""
    return {
        name
        for name, parameter in tagger.named_parameters()
        if parameter.grad is not None and bool((parameter.grad != 0).any())
    }


def run(tagger, sentences):
    return tagger.forward(*tagger.embed(sentences))


# ----- the discriminator -----


@pytest.mark.parametrize("share", ["full", "part"])
@pytest.mark.parametrize("kind", ["grad", "plain"])
@pytest.mark.parametrize("rate", [1.0, 0.3, 0.0])
def test_the_encoder_gets_the_negative_of_the_discriminators_gradient(share, kind, rate):
    """Against the same network with the identity in the place of the reversal, in float64."""
    tagger = datnet(share=share, discriminator=kind, reversal_rate=rate, apart=False).double()
    batch = [*tiny.titles(), *source_titles()]

    def gradient():
        tagger.zero_grad()
        tagger.resource_loss(run(tagger, batch)).sum().backward()
        return {
            name: parameter.grad.clone()
            for name, parameter in tagger.named_parameters()
            if parameter.grad is not None and parameter.grad.any()
        }

    reversed_ = gradient()
    tagger.discriminator.reversal = nn.Identity()
    straight = gradient()
    below = [name for name in straight if name.startswith(("rnn.", "embeddings.list_embedding_0"))]
    assert len(below) == 8 + 3
    for name in below:
        found = reversed_.get(name, torch.zeros_like(straight[name]))
        torch.testing.assert_close(found, -rate * straight[name], rtol=1e-12, atol=1e-18)
    above = [name for name in straight if name.startswith("discriminator.")]
    assert len(above) == 5
    for name in above:
        torch.testing.assert_close(reversed_[name], straight[name], rtol=0, atol=0)
    # It reads the shared BiLSTM alone, and no decoder reads it.
    assert set(straight) == {*below, *above}


@pytest.mark.parametrize("share", ["full", "part"])
def test_the_terms_are_those_of_equation_1(share):
    tagger = datnet(share=share, alpha=0.3, gamma=1.5, dropout=0.0).train()
    batch = [*tiny.titles(), *source_titles()]
    output = run(tagger, batch)
    shared = output.states[..., :8]
    r = tagger.discriminator(shared, output.mask).sigmoid().tolist()
    expected = [
        -0.7 * p**1.5 * torch.tensor(1 - p).log() for p in r[:6]
    ] + [-0.3 * (1 - p) ** 1.5 * torch.tensor(p).log() for p in r[6:]]  # fmt: skip
    torch.testing.assert_close(tagger.resource_loss(output), torch.stack(expected))
    losses = {loss.name: loss for loss in tagger.losses(batch, output)}
    assert set(losses) == {"ner", "resource"}
    assert losses["resource"].weight == 1.0
    torch.testing.assert_close(losses["resource"].values, torch.stack(expected))


def test_the_plain_discriminator_is_trained_with_cross_entropy():
    tagger = datnet(discriminator="plain")
    output = run(tagger, [*tiny.titles(), *source_titles()])
    r = tagger.discriminator(output.states, output.mask).sigmoid()
    twice = 2 * grad_loss(r, output.is_source, alpha=0.5, gamma=0.0)
    torch.testing.assert_close(tagger.resource_loss(output), twice)


def test_without_a_discriminator_and_in_evaluation_there_is_no_such_loss():
    batch = source_titles()
    for tagger in (datnet(discriminator=None).train(), datnet().eval()):
        assert [loss.name for loss in tagger.losses(batch, run(tagger, batch))] == ["ner"]
    assert datnet(discriminator=None).discriminator is None


def resource_titles(count, seed):
    """Target and source sentences over the same words: the source begins with a marker word."""
    sentences = tiny.random_titles(count, seed=seed)
    return [
        *sentences[: count // 2],
        *marked([Sentence(["sulum", *(t.text for t in s)]) for s in sentences[count // 2 :]]),
    ]


def accuracy(tagger, sentences):
    tagger.eval()
    with torch.no_grad():
        output = run(tagger, sentences)
        found = tagger.discriminator(tagger.shared_states(output), output.mask) > 0
    return float((found == output.is_source).float().mean())


def learn_resources(rate):
    flair.set_seed(7)
    tagger = datnet(shared=False, apart=False, reversal_rate=rate, dropout=0.0, alpha=0.5)
    optimizer = torch.optim.Adam(tagger.parameters(), lr=0.02)
    batch = resource_titles(120, seed=1)
    for _ in range(200):
        tagger.train()
        optimizer.zero_grad()
        tagger.resource_loss(run(tagger, batch)).mean().backward()
        optimizer.step()
    return accuracy(tagger, resource_titles(60, seed=2))


def test_the_discriminator_learns_to_tell_the_resources_and_the_encoder_to_hide_them():
    assert learn_resources(rate=0.0) > 0.9  # a target may begin with the marker by chance
    assert learn_resources(rate=1.0) < 0.75


# ----- what a batch of one resource reaches -----


@pytest.mark.parametrize("own", ["source", "target"])
@pytest.mark.parametrize("share", ["full", "part"])
def test_a_batch_of_one_resource_leaves_the_others_parts_untouched(share, own):
    tagger = datnet(source_types=OTHER_TYPES, share=share)
    for embeddings in (tagger.source_embeddings, tagger.embeddings.embeddings[1]):
        embeddings.embedding.weight.requires_grad_()  # as if they were fine-tuned
    tagger.train()
    parts = {
        "source": ("source_embeddings.", "private.source.", "source_decoder."),
        "target": ("embeddings.list_embedding_1.", "private.target.", "linear.", "crf."),
    }
    other = parts["target" if own == "source" else "source"]
    batch = source_titles(OTHER_TYPES) if own == "source" else tiny.titles()
    before = copy.deepcopy(tagger.state_dict())
    optimizer = torch.optim.Adam(tagger.parameters(), lr=0.1)
    tagger.forward_loss(batch)[0].backward()
    reached = gradients(tagger)
    for name, parameter in tagger.named_parameters():
        if name.startswith(other):
            assert parameter.grad is None, name
    optimizer.step()
    after = tagger.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any(name.startswith(other) for name in changed)
    # And it trains its own, and all that is shared.
    shared = ("rnn.", "discriminator.", "embeddings.list_embedding_0.")
    for part in (*shared, *parts[own]):
        if part.startswith("private") and share == "full":
            continue
        assert any(name.startswith(part) for name in reached), part
        assert any(name.startswith(part) for name in changed), part


def test_after_a_batch_of_the_other_resource_momentum_moves_nothing_either():
    """With gradients of zero Adam would go on moving what it moved before."""
    tagger = datnet(share="part", source_types=OTHER_TYPES).train()
    optimizer = torch.optim.Adam(tagger.parameters(), lr=0.1)
    for step, batch in enumerate([tiny.titles(), source_titles(OTHER_TYPES)]):
        before = copy.deepcopy(tagger.private["target"].state_dict())
        optimizer.zero_grad()
        tagger.forward_loss(batch)[0].backward()
        optimizer.step()
        after = tagger.private["target"].state_dict()
        assert all(torch.equal(before[name], after[name]) for name in before) == (step == 1)


# ----- batches of both -----


@pytest.mark.parametrize("source_types", [None, OTHER_TYPES])
@pytest.mark.parametrize("share", ["full", "part"])
def test_a_sentence_is_the_same_alone_and_in_a_batch_of_both(share, source_types):
    tagger = datnet(source_types=source_types, share=share).double()
    types = OTHER_TYPES if source_types else tiny.TYPES
    batch = [s for pair in zip(tiny.titles(), source_titles(types), strict=True) for s in pair]
    together = run(tagger, batch)
    assert together.is_source.tolist() == [False, True] * 6
    for index, sentence in enumerate(batch):
        alone = run(tagger, [sentence])
        length = len(sentence)
        torch.testing.assert_close(together.states[index, :length], alone.states[0])
        torch.testing.assert_close(together.emissions[index, :length], alone.emissions[0])
    values = [float(tagger.forward_loss([s])[0].detach()) for s in batch]
    assert float(tagger.forward_loss(batch)[0].detach()) == pytest.approx(sum(values) / 12)


def test_padding_reaches_nothing():
    tagger = datnet(share="part", source_types=OTHER_TYPES).double()
    batch = [tiny.titles()[1], source_titles(OTHER_TYPES)[3]]
    vectors, mask, marks = tagger.embed(batch)
    assert not vectors[~mask].any()
    wild = torch.where(mask.unsqueeze(-1), vectors, torch.full_like(vectors, 1e3))
    clean, dirty = tagger.forward(vectors, mask, marks), tagger.forward(wild, mask, marks)
    torch.testing.assert_close(clean.emissions[mask], dirty.emissions[mask])
    torch.testing.assert_close(tagger.resource_loss(clean), tagger.resource_loss(dirty))


def test_each_resource_has_its_words_and_both_have_the_characters():
    tagger = datnet()
    vectors, _, _ = tagger.embed([Sentence(["mibal"]), *marked([Sentence(["mibal"])])])
    target, source = vectors[:, 0]
    made = tagger.embeddings.embeddings[0](["mibal"])[0]
    torch.testing.assert_close(target, torch.cat([made, tiny.words(seed=1).embedding.weight[0]]))
    torch.testing.assert_close(source, torch.cat([made, tiny.words(seed=2).embedding.weight[0]]))
    together, _, _ = datnet(apart=False).embed(
        [Sentence(["mibal"]), *marked([Sentence(["mibal"])])]
    )
    torch.testing.assert_close(together[0], together[1])


def test_the_private_states_stand_behind_the_shared_ones():
    tagger = datnet(share="part", dropout=0.5)
    batch = [tiny.titles()[0], source_titles()[2]]
    vectors, mask, marks = tagger.embed(batch)
    states = tagger.encode(vectors, mask, marks)
    for row, name in enumerate(("target", "source")):
        length = len(batch[row])
        alone = vectors[row : row + 1, :length]
        expected = torch.cat([tagger.rnn(alone)[0], tagger.private[name](alone)[0]], dim=-1)
        torch.testing.assert_close(states[row, :length], expected[0])


@pytest.mark.parametrize("switch", ["word_table", "memory", "fast_lstm", "scaled_crf"])
def test_the_fast_paths_change_nothing(switch):
    tagger = datnet(share="part", source_types=OTHER_TYPES)
    batch = [*tiny.titles(), *source_titles(OTHER_TYPES)]
    fast = float(tagger.forward_loss(batch)[0].detach())
    setattr(tagger.fast_paths, switch, False)
    assert float(tagger.forward_loss(batch)[0].detach()) == pytest.approx(fast, rel=1e-5)


def test_weights_are_never_folded():
    """The folded encoder knows one table of words and one BiLSTM."""
    tagger = datnet(shared=False)
    described = tagger.describe_fast_path()["folded_lstm"]
    assert described == "DATNet has its own embed and encode and forward"
    assert datnet().describe_fast_path()["word_table"] == "on"


# ----- decoders -----


def test_a_decoder_is_shared_if_the_types_are_the_same_in_any_order():
    for tagger in (datnet(), datnet(source_types=tiny.TYPES[::-1])):
        assert tagger.source_decoder is None
        assert tagger.source_tagset is tagger.tagset
    tagger = datnet(source_types=OTHER_TYPES)
    assert tagger.source_tagset.types == sorted(OTHER_TYPES)
    assert tagger.source_decoder.linear.out_features == len(tagger.source_tagset) == 15
    assert not datnet(source_types=OTHER_TYPES, use_crf=False).source_decoder.crf


def test_a_target_that_lacks_a_type_of_the_source_shares_its_decoder(tmp_path):
    tagger = datnet(source_types=[*tiny.TYPES, "SIZE"])
    assert tagger.source_decoder is None
    assert tagger.tagset.types == sorted([*tiny.TYPES, "SIZE"])
    tagger.save(tmp_path / "tagger.pt")
    loaded = DATNet.load(tmp_path / "tagger.pt")
    assert loaded.source_decoder is None and loaded.tagset.tags == tagger.tagset.tags


@pytest.mark.parametrize("use_crf", [True, False])
def test_each_resource_is_tagged_with_its_own_types(use_crf):
    tagger = datnet(source_types=OTHER_TYPES, use_crf=use_crf)
    sentences = [*tiny.random_titles(40, seed=1), *marked(tiny.random_titles(40, seed=2))]
    alone = copy.deepcopy(sentences)
    tagger.predict(sentences)
    found = [{label.value for label in s.get_labels(tiny.TAG_TYPE)} for s in sentences]
    assert "PRODUCT" in set.union(*found[:40]) <= set(tiny.TYPES)
    assert {"SHAPE", "SIZE"} & set.union(*found[40:])
    assert set.union(*found[40:]) <= set(OTHER_TYPES)
    for sentence, expected in zip(alone, sentences, strict=True):
        tagger.predict(sentence)
        assert tiny.labels(sentence, "ner", 4) == tiny.labels(expected, "ner", 4)


@pytest.mark.parametrize("tag_format", ["BIOES", "BIO"])
def test_token_tags_of_a_resource_are_its_own(tag_format):
    tagger = datnet(source_types=OTHER_TYPES, tag_format=tag_format)
    for sentences in (tiny.random_titles(9), marked(tiny.random_titles(9))):
        as_spans = copy.deepcopy(sentences)
        tagger.predict(as_spans)
        assert any(sentence.get_labels("ner") for sentence in as_spans)
        tagger.predict(sentences, force_token_predictions=True)
        for sentence, expected in zip(sentences, as_spans, strict=True):
            tags = tiny.token_tags(sentence, "ner")
            assert tiny.decode(tags, tag_format) == tiny.spans(expected, "ner")


def test_the_loss_of_two_decoders_skips_what_is_not_annotated():
    tagger = datnet(source_types=OTHER_TYPES)
    batch = [*tiny.titles()[:2], *source_titles(OTHER_TYPES)[2:4]]
    silent = [tiny.title("mibal rofen sulum", annotated=False) for _ in range(2)]
    mark_source(silent[0])
    expected = float(tagger.forward_loss(batch)[0].detach())
    mixed = [silent[0], *batch[:3], silent[1], batch[3]]
    assert float(tagger.forward_loss(mixed)[0].detach()) == pytest.approx(expected, rel=1e-5)
    assert tagger.losses(silent, run(tagger, silent)) == []


def test_a_type_of_the_other_resource_stops_training():
    tagger = datnet(source_types=OTHER_TYPES).train()
    with pytest.raises(ValueError, match="lacks S-PRODUCT"):
        tagger.forward_loss(source_titles(tiny.TYPES)[1:2])
    sentence = tiny.titles()[1]
    tagger.forward_loss([sentence])
    mark_source(sentence)  # what was remembered of it is not taken
    with pytest.raises(ValueError, match="lacks S-PRODUCT"):
        tagger.forward_loss([sentence])


def test_evaluation_scores_each_resource_by_its_own_types(tmp_path):
    tagger = datnet(source_types=OTHER_TYPES)
    gold = [*tiny.random_titles(20, seed=1), *marked(tiny.random_titles(20, seed=2))]
    tagger.predict(gold)  # what it predicts is right
    result = tagger.evaluate(gold, tiny.TAG_TYPE, out_path=tmp_path / "out.txt")
    assert result.main_score == 1.0
    assert {"SHAPE", "PRODUCT"} < set(result.classification_report)
    assert score_predictions(tagger, gold)[0] is not None


def test_temperatures_are_fitted_on_the_target():
    tagger = datnet(source_types=OTHER_TYPES)
    alone = fit_temperatures(tagger, tiny.titles())
    together = fit_temperatures(tagger, [*source_titles(OTHER_TYPES), *tiny.titles()])
    assert together.tags == pytest.approx(alone.tags, rel=1e-4)


# ----- arguments -----


def test_the_defaults_are_the_papers():
    made = [
        DATNet(tiny.words(), tiny.dictionary(), "ner", share=share) for share in ("full", "part")
    ]
    assert [tagger.rnn.hidden_size for tagger in made] == [200, 100]
    assert {name: rnn.hidden_size for name, rnn in made[1].private.items()} == {
        "source": 100,
        "target": 100,
    }
    assert made[0].linear.in_features == made[1].linear.in_features == 400
    for tagger in made:
        assert tagger.options["gamma"] == 2.0
        assert tagger.discriminator.reversal.rate == 1.0
        assert not tagger.reproject_embeddings
        assert tagger.dropout.p == 0.5
        assert not tagger.use_locked_dropout and not tagger.use_word_dropout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": "half"}, "Unknown share 'half': choose 'full', 'part'"),
        ({"discriminator": "none"}, "Unknown discriminator 'none': choose 'grad', 'plain', None"),
        ({"alpha": 1.5}, "alpha is 1.5"),
        ({"gamma": -1}, "gamma is -1"),
        ({"reversal_rate": -1}, "rate of a gradient reversal is -1"),
        ({"use_rnn": False}, "leave use_rnn=False out"),
        ({"share": "part", "train_initial_hidden_state": True}, "goes with share='full'"),
        (
            {"source_types": OTHER_TYPES, "use_crf": False, "loss_weights": {"O": 2.0}},
            "loss_weights go with one decoder",
        ),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        datnet(**options)


def test_embeddings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="source have 5 dimensions, those of the target 6"):
        DATNet(tiny.words(), tiny.dictionary(), "ner", tiny.words(5))
    with pytest.raises(ValueError, match="both named tiny"):
        DATNet(tiny.words(), tiny.dictionary(), "ner", shared_embeddings=characters(name="tiny"))
    pos = tiny.dictionary(("NOUN",), spans=False)
    with pytest.raises(ValueError, match="labels of one kind"):
        DATNet(tiny.words(), tiny.dictionary(), "ner", source_tag_dictionary=pos)


# ----- files -----


OPTIONS = {
    "full": {},
    "part": {"share": "part", "source_types": OTHER_TYPES},
    "one-vocabulary": {"apart": False, "share": "part"},
    "words-only": {"shared": False, "discriminator": None},
    "bare": {"shared": False, "apart": False, "source_types": OTHER_TYPES, "use_crf": False},
    "others": {
        "discriminator": "plain", "alpha": 0.1, "gamma": 1.0, "reversal_rate": 0.5,
        "tag_format": "BIO", "rnn_type": "GRU", "bidirectional": False, "share": "part",
        "reproject_embeddings": True, "locked_dropout": 0.2, "allow_unk_predictions": True,
        "source_types": OTHER_TYPES,
    },
}  # fmt: skip


def predictions(tagger):
    sentences = [*tiny.random_titles(8, seed=6), *marked(tiny.random_titles(8, seed=7))]
    tagger.predict(sentences, return_probabilities_for_all_classes=True)
    return [
        (
            tiny.labels(sentence, tiny.TAG_TYPE, 4),
            [round(p.score, 4) for t in sentence for p in t.get_tags_proba_dist("ner")],
        )
        for sentence in sentences
    ]


@pytest.mark.parametrize("name", OPTIONS)
def test_a_tagger_comes_back_from_its_file(name, tmp_path):
    tagger, path = datnet(**OPTIONS[name]), tmp_path / "tagger.pt"
    tagger.save(path)
    torch.load(path, weights_only=True)
    for load in (DATNet.load, Classifier.load):
        again = load(path)
        assert type(again) is DATNet
        assert again.options == tagger.options
        assert predictions(again) == predictions(tagger)
        assert again.state_dict().keys() == tagger.state_dict().keys()
        again.train()
        again.forward_loss(tiny.titles())[0].backward()
    again.save(tmp_path / "again.pt")
    assert predictions(DATNet.load(tmp_path / "again.pt")) == predictions(tagger)
    assert again.embeddings.embedding_length == tagger.embeddings.embedding_length
    with pytest.raises(ModelFileError, match="holds a DATNet, not a JointTagger"):
        JointTagger.load(path)


def test_one_vocabulary_given_twice_is_one(tmp_path):
    words = tiny.words()
    tagger = DATNet(words, tiny.dictionary(), "ner", words, hidden_size=4, perturbation=1.0)
    assert tagger.source_embeddings is None
    tagger.save(tmp_path / "tagger.pt")
    assert DATNet.load(tmp_path / "tagger.pt").source_embeddings is None


def test_generic_embeddings_of_a_resource_come_back_with_their_names(tmp_path):
    def one_hot(order):
        items = tiny.dictionary(tiny.WORDS[::order], spans=False, add_unk=True)
        made = OneHotEmbeddings(items, embedding_length=6)
        made.name = "one-hot"
        return made

    def stack(order):
        parts = [one_hot(order), tiny.words(3, "a", seed=order % 5)]
        return StackedEmbeddings(parts, overwrite_names=False)

    tagger = DATNet(
        stack(1), tiny.dictionary(), "ner", stack(-1), None, characters(), hidden_size=4
    ).eval()
    tagger.save(tmp_path / "tagger.pt")
    assert predictions(DATNet.load(tmp_path / "tagger.pt")) == predictions(tagger)


# ----- training -----

SETTINGS = {"learning_rate": 0.01, "mini_batch_size": 8, "max_epochs": 12, "patience": 20}


PRODUCTS = [tiny.WORDS[i] for i in (0, 3, 5, 6, 9, 10, 13, 14, 16, 19)]


def products(count, seed, words):
    """Nothing but the word itself tells what is a PRODUCT: its characters do not."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(count):
        length = int(torch.randint(1, 6, (1,), generator=generator))
        text = [words[i] for i in torch.randint(len(words), (length,), generator=generator)]
        spans = [(i, i + 1, "PRODUCT") for i, word in enumerate(text) if word in PRODUCTS]
        made.append(tiny.title(" ".join(text), spans))
    return made


def small_transfer():
    """Ten target sentences hold few of the words that the source knows all about."""
    source = tiny.corpus(products(150, 1, tiny.WORDS))
    target = tiny.corpus(
        products(10, 2, tiny.WORDS[:6]), products(30, 3, tiny.WORDS), products(60, 4, tiny.WORDS)
    )
    return source, target


def model_for(corpus, **options):
    types = corpus.make_label_dictionary("ner", add_unk=False)
    settings = {"hidden_size": 16, "dropout": 0.1, **options}
    return DATNet(tiny.words(8), types, "ner", shared_embeddings=characters(), **settings)


def trained(corpus, folder, **options):
    flair.set_seed(1)
    return train(model_for(corpus, **options), corpus, folder, **SETTINGS)


# The private BiLSTM of the target meets the other words in ten sentences only (section 4.5).
@pytest.mark.parametrize(("share", "more"), [("full", 0.3), ("part", 0.1)])
def test_the_source_teaches_what_ten_target_sentences_cannot(share, more, tmp_path):
    source, target = small_transfer()
    alone = trained(target, tmp_path / "alone", discriminator=None)
    result = trained(TransferCorpus(source, target), tmp_path / "both", share=share)
    # Alone, words that no target sentence holds are tagged by chance.
    assert alone["test_score"] < 0.7
    assert result["test_score"] > alone["test_score"] + more
    torch.load(result["model_file"], weights_only=True)
    assert DATNet.load(result["model_file"]).share == share


FRESH = """
import json, sys
from flair.data import Sentence
from flair.tokenization import SpaceTokenizer
from flair_jointner import DATNet
from flair_jointner.data import mark_source
tagger = DATNet.load(sys.argv[1])
sentences = [Sentence(sys.argv[2].split()) for _ in range(2)]
mark_source(sentences[1])
tagger.predict(sentences)
rows = list(tagger.tag([sys.argv[2]], tokenizer=SpaceTokenizer()))
print("RESULT " + json.dumps([[str(l) for l in s.get_labels()] for s in sentences] + rows))
"""


def test_train_save_and_tag_in_another_process(tmp_path):
    source, target = small_transfer()
    source = tiny.corpus([renamed(sentence, {"PRODUCT": "THING"}) for sentence in source.train])
    types = [c.make_label_dictionary("ner", add_unk=False) for c in (target, source)]
    corpus = TransferCorpus(source, target)
    tagger = DATNet(
        tiny.words(8, "target"), types[0], "ner", tiny.words(8, "source", seed=5), types[1],
        characters(), share="part", hidden_size=8,
    )  # fmt: skip
    result = train(tagger, corpus, tmp_path, **{**SETTINGS, "max_epochs": 6})
    tagger = DATNet.load(result["model_file"])
    text = " ".join(tiny.WORDS[:5])
    sentences = [Sentence(text.split()), *marked([Sentence(text.split())])]
    tagger.predict(sentences)
    process = subprocess.run(
        [sys.executable, "-c", FRESH, str(result["model_file"]), text],
        capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip
    (line,) = [line for line in process.stdout.splitlines() if line.startswith("RESULT")]
    target_labels, source_labels, row = json.loads(line.removeprefix("RESULT "))
    assert [target_labels, source_labels] == [[str(x) for x in s.get_labels()] for s in sentences]
    assert "PRODUCT" in str(target_labels) and "THING" in str(source_labels)
    found = [(entity["text"], entity["type"]) for entity in row["entities"]]
    assert found == [(s.text, s.get_label("ner").value) for s in sentences[0].get_spans("ner")]


def test_bulk_tagging_takes_texts_for_the_targets():
    tagger = datnet(share="part", source_types=OTHER_TYPES)
    texts = [sentence.text for sentence in tiny.random_titles(80)]
    rows = list(tagger.tag([*texts, ""], tokenizer=SpaceTokenizer(), batch_size=9))
    sentences = [Sentence(text, use_tokenizer=SpaceTokenizer()) for text in texts]
    tagger.predict(sentences)
    for row, sentence in zip(rows, sentences, strict=False):
        expected = [(s.text, s.get_label("ner").value) for s in sentence.get_spans("ner")]
        assert [(e["text"], e["type"]) for e in row["entities"]] == expected
    assert rows[-1]["entities"] == []
    assert sum(len(row["entities"]) for row in rows) > 20


def test_the_same_seed_gives_the_same_weights(tmp_path):
    weights = []
    for seed in (5, 5, 6):
        flair.set_seed(seed)
        corpus = TransferCorpus(*small_transfer())
        model = model_for(corpus, share="part")
        train(model, corpus, tmp_path / str(seed), **{**SETTINGS, "max_epochs": 1})
        weights.append(model.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not torch.equal(weights[0]["linear.weight"], weights[2]["linear.weight"])
    assert is_source(corpus.train[0])


def test_spans_do_not_cover_tags_of_tokens():
    tags = tiny.dictionary(("N",), spans=False)
    spans = tiny.dictionary(("N", "X"))
    with pytest.raises(ValueError, match="of spans, and the other of tags of tokens"):
        DATNet(tiny.words(), tags, "pos", source_tag_dictionary=spans)
