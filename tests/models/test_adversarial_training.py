"""Adversarial training of every tagger (Eqs. 3 and 4 of Zhou et al., 2019)."""

import pytest
import tiny
import torch
from flair.embeddings import StackedEmbeddings, TransformerWordEmbeddings
from torch import nn

from flair_jointner import CharacterCNNEmbeddings, DATNet, JointTagger
from flair_jointner.data import mark_source
from flair_jointner.layers import GradientReversal
from flair_jointner.layers.perturbation import RunningNormalisation
from flair_jointner.models import BaseTagger
from flair_jointner.training import train


def characters(**options):
    return CharacterCNNEmbeddings(sorted(set("".join(tiny.WORDS))), 5, 4, **options)


def tagger(embeddings=None, size=0.7, **options):
    """Without dropout, so that the two passes can be done again."""
    settings = {"perturbation": size, "attention": "learned", "attention_dropout": 0.0}
    return tiny.joint_tagger(embeddings, locked_dropout=0.0, init_range=0.5, **settings, **options)


def gradients(model):
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def own_loss(model, sentences, vectors, mask):
    output = model.forward(vectors, mask)
    return sum(loss.weight * loss.values.mean() for loss in model.losses(sentences, output))


def moved(vectors, loss, size):
    """One sentence, moved by the rule of Eq. 3."""
    (gradient,) = torch.autograd.grad(loss, vectors, retain_graph=True)
    return (vectors + size * gradient / gradient.norm()).detach()


@pytest.mark.parametrize("size", [0.7, 5.0])
def test_the_loss_is_that_of_each_sentence_and_of_the_same_moved(size):
    """Sentence by sentence, without padding, against the batch; gradients too; in float64."""
    model, batch = tagger(size=size).double().train(), tiny.titles()
    found = model.forward_loss(batch)[0]
    found.backward()
    reached = gradients(model)
    model.zero_grad()
    model.input_norms.eval()
    total = 0.0
    for sentence in batch:
        model.eval()  # the means and variances stay; there is no dropout
        vectors, mask = model.embed([sentence])
        vectors = vectors.detach().requires_grad_()
        clean = own_loss(model, [sentence], vectors, mask)
        adversarial = moved(vectors, clean, size)
        assert (adversarial - vectors).norm().item() == pytest.approx(size)
        total = total + (clean + own_loss(model, [sentence], adversarial, mask)) / len(batch)
    torch.testing.assert_close(found, total)
    total.backward()
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(reached[name], gradient, msg=name)


def test_words_and_characters_are_moved_apart_and_characters_below_their_filters():
    """Against hooks that add to the outputs of the two tables."""
    words, letters = tiny.words(), characters()
    model = tagger(StackedEmbeddings([words, letters])).double().train()
    sentence = tiny.titles()[0]
    found = model.forward_loss([sentence])[0]
    model.eval()
    added = {}

    def adding(module, given, made):
        if module not in added:
            added[module] = torch.zeros_like(made).requires_grad_()
        return made + added[module]

    (norm,) = model.input_norms.values()
    for layer in (norm, letters.normalisation):
        layer.register_forward_hook(adding)
    # In evaluation each distinct word is embedded once: this sentence repeats none.
    assert len({token.text for token in sentence}) == len(sentence)
    clean = own_loss(model, [sentence], *model.embed([sentence]))
    slopes = torch.autograd.grad(clean, list(added.values()))
    assert [tuple(slope.shape) for slope in slopes] == [(5, 6), (25, 5)]
    for layer, slope in zip(added, slopes, strict=True):
        added[layer] = 0.7 * slope / slope.norm()
    adversarial = own_loss(model, [sentence], *model.embed([sentence]))
    torch.testing.assert_close(found, clean + adversarial)
    assert adversarial > clean


def test_a_word_of_two_sentences_is_moved_in_each_by_its_own_gradient():
    model = tagger(characters()).double().train()
    batch = [tiny.titles()[0], tiny.titles()[0], tiny.titles()[3]]
    (norm,) = [m for m in model.modules() if isinstance(m, RunningNormalisation)]
    norm.update = lambda vectors: None  # so that each batch finds the same
    alone = [float(model.forward_loss([sentence])[0].detach()) for sentence in batch]
    assert float(model.forward_loss(batch)[0].detach()) == pytest.approx(sum(alone) / 3)


def test_a_small_perturbation_raises_the_loss_by_its_size_times_the_slope():
    model, sentence = tagger(size=1e-5).double().train(), tiny.titles()[3]
    found = float(model.forward_loss([sentence])[0].detach())
    model.eval()
    vectors, mask = model.embed([sentence])
    vectors = vectors.detach().requires_grad_()
    clean = own_loss(model, [sentence], vectors, mask)
    (gradient,) = torch.autograd.grad(clean, vectors)
    clean = float(clean.detach())
    assert (found - 2 * clean) / 1e-5 == pytest.approx(gradient.norm().item(), rel=1e-3)


def test_there_is_none_in_evaluation_nor_without_the_argument():
    model = tagger().double().eval()
    loss = float(model.forward_loss(tiny.titles())[0].detach())
    expected = own_loss(model, tiny.titles(), *model.embed(tiny.titles()))
    assert loss == pytest.approx(float(expected.detach()))
    plain = tiny.joint_tagger()
    assert plain.perturbation is None
    assert not plain.input_norms
    assert not [m for m in plain.modules() if isinstance(m, RunningNormalisation)]


def test_batches_without_annotation_or_tokens_have_no_loss():
    model = tagger(classes=None).train()
    silent = [tiny.title("mibal rofen", annotated=False)]
    for batch in (silent, [], [tiny.title("")]):
        loss, _ = model.forward_loss(batch)
        assert float(loss.detach()) == 0.0
        loss.backward()


# ----- normalised embeddings -----


def test_embeddings_have_mean_0_and_variance_1_over_the_words_of_training():
    model = tagger(StackedEmbeddings([tiny.words(), characters()])).double().train()
    batch = tiny.titles()
    model.forward_loss(batch)
    model.eval()
    vectors, mask = model.embed(batch)
    words = vectors[mask][:, :6]  # "0-tiny" stands before "1-character-cnn"
    torch.testing.assert_close(words.mean(0), torch.zeros(6, dtype=torch.float64))
    torch.testing.assert_close(words.var(0, correction=0), torch.ones(6, dtype=torch.float64))
    assert not vectors[~mask].any()
    letters = model.embeddings.embeddings[1].normalisation
    assert int(letters.seen) == sum(len(token.text) for s in batch for token in s)
    (norm,) = model.input_norms.values()
    assert int(norm.seen) == int(mask.sum())  # once, not in each of the two passes
    model.predict(batch)
    assert int(norm.seen) == int(mask.sum())


@pytest.mark.parametrize(
    "make",
    [
        tiny.words,
        characters,
        lambda: StackedEmbeddings([tiny.words(3, "b"), tiny.words(4, "a"), characters()]),
        lambda: StackedEmbeddings([characters(), StackedEmbeddings([tiny.words(3, "b")])]),
    ],
)
def test_a_tagger_comes_back_from_its_file(make, tmp_path):
    model = tagger(make(), size=2.0).train()
    model.forward_loss(tiny.titles())
    model.eval().save(tmp_path / "tagger.pt")
    torch.load(tmp_path / "tagger.pt", weights_only=True)
    again = JointTagger.load(tmp_path / "tagger.pt")
    assert again.perturbation == 2.0
    found = []
    for each in (model, again):
        sentences = tiny.random_titles(70)
        each.predict(sentences)
        found.append([tiny.labels(sentence, "ner", 4) for sentence in sentences])
        rows = list(each.tag([[t.text for t in sentence] for sentence in sentences]))
        found.append([[(e["start"], round(e["score"], 4)) for e in r["entities"]] for r in rows])
    assert found[:2] == found[2:]
    assert any(found[0])
    again.train().forward_loss(tiny.titles())[0].backward()


def test_vectors_of_many_words_at_once_are_those_of_one_by_one():
    model = tagger(StackedEmbeddings([tiny.words(), characters()])).train()
    model.forward_loss(tiny.titles())
    model.eval()
    fast, mask = model.embed(tiny.titles())
    model.fast_paths.word_table = model.fast_paths.memory = False
    torch.testing.assert_close(model.embed(tiny.titles())[0], fast)


def test_folded_weights_hold_the_normalisation_as_it_is_now():
    model = tagger()
    assert model.describe_fast_path()["folded_lstm"] == "on"
    for _ in range(2):
        model.train()
        model.forward_loss(tiny.titles())
        with torch.no_grad():  # nothing but the normalisation changes
            next(iter(model.input_norms.values())).mean.add_(0.5)
        found = []
        for model.fast_paths.folded_lstm in (True, False):
            sentences = tiny.random_titles(80)
            model.predict(sentences)
            found.append([tiny.labels(sentence, "ner", 4) for sentence in sentences])
        assert found[0] == found[1]
        assert any(found[0])


def test_transformers_are_perturbed_in_their_vectors(tiny_bert):
    bert = TransformerWordEmbeddings(str(tiny_bert), fine_tune=True, layers="-1")
    model = tagger(StackedEmbeddings([bert, characters()])).train()
    loss, _ = model.forward_loss(tiny.titles())
    loss.backward()
    assert bert.model.embeddings.word_embeddings.weight.grad.abs().sum() > 0
    assert len(model.input_norms) == 1


def test_one_backward_pass_gives_the_gradients_of_two(tiny_bert):
    """A tagger that holds a reversal, here one that nothing goes through, takes two."""
    found = []
    for reversals in (nn.ModuleList(), nn.ModuleList([GradientReversal()])):
        torch.manual_seed(2)
        bert = TransformerWordEmbeddings(str(tiny_bert), fine_tune=True, layers="-1")
        model = tagger(StackedEmbeddings([bert, characters()])).train()
        model.unused = reversals
        loss, _ = model.forward_loss(tiny.titles())
        (3 * loss).backward()
        found.append(gradients(model))
    assert found[0].keys() == found[1].keys()
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], msg=name)


# ----- DATNet -----


def datnet(**options):
    made = DATNet(
        tiny.words(name="target"), tiny.dictionary(("COLOUR", "PRODUCT", "SIZE")), "ner",
        tiny.words(name="source", seed=2), tiny.dictionary(), characters(),
        share="part", hidden_size=4, dropout=0.0, perturbation=0.5, **options,
    )  # fmt: skip
    return made.train()


def source_titles():
    made = tiny.titles()
    for sentence in made:
        mark_source(sentence)
    return made


def test_the_perturbation_follows_the_gradient_of_the_loss_not_the_reversed_one():
    losses, below = [], []
    for reversal in (True, False):
        torch.manual_seed(3)
        model = datnet(alpha=0.9, reversal_rate=3.0).double()
        if not reversal:
            model.discriminator.reversal = nn.Identity()
        loss = model.forward_loss(source_titles())[0]
        loss.backward()
        losses.append(float(loss.detach()))
        below.append(model.rnn.weight_ih_l0.grad)
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)
    assert not torch.allclose(below[0], below[1])  # what is trained is reversed all the same


def test_each_resource_is_normalised_and_perturbed_by_its_own():
    model = datnet()
    assert sorted(model.input_norms) == ["embeddings-list_embedding_1", "source_embeddings"]
    before = {name: norm.mean.clone() for name, norm in model.input_norms.items()}
    model.forward_loss(source_titles())[0].backward()
    changed = {n for n, norm in model.input_norms.items() if not torch.equal(norm.mean, before[n])}
    assert changed == {"source_embeddings"}
    assert all(parameter.grad is None for parameter in model.private["target"].parameters())
    assert all(parameter.grad is None for parameter in model.linear.parameters())
    loss = model.forward_loss([*tiny.titles(), *source_titles()])[0]
    assert torch.isfinite(loss)
    assert all(int(norm.seen) > 0 for norm in model.input_norms.values())


def test_a_datnet_comes_back_from_its_file(tmp_path):
    model = datnet()
    model.forward_loss([*tiny.titles(), *source_titles()])
    model.eval().save(tmp_path / "tagger.pt")
    again = DATNet.load(tmp_path / "tagger.pt")
    batch = [*tiny.titles(), *source_titles()]
    for mine, theirs in zip(model.embed(batch), again.embed(batch), strict=True):
        torch.testing.assert_close(mine, theirs)
    assert float(again.forward_loss(batch)[0].detach()) == pytest.approx(
        float(model.forward_loss(batch)[0].detach())
    )


# ----- training, and what is refused -----


def test_a_tagger_learns_with_it(tmp_path):
    products = tiny.WORDS[:10]

    def titles(count, seed):
        return [
            tiny.title(
                " ".join(t.text for t in s),
                [(i, i + 1, "PRODUCT") for i, t in enumerate(s) if t.text in products],
            )
            for s in tiny.random_titles(count, seed=seed)
        ]

    corpus = tiny.corpus(titles(60, 1), titles(20, 2), titles(40, 3))
    types = corpus.make_label_dictionary("ner", add_unk=False)
    embeddings = StackedEmbeddings([tiny.words(), characters()])
    model = BaseTagger(embeddings, types, "ner", hidden_size=8, perturbation=0.5)
    result = train(model, corpus, tmp_path, learning_rate=0.02, max_epochs=4)
    assert result["test_score"] > 0.9
    loaded = BaseTagger.load(result["model_file"])
    assert loaded.evaluate(corpus.test, "ner").main_score == pytest.approx(result["test_score"])


@pytest.mark.parametrize("size", [0, -1, float("nan")])
def test_a_perturbation_that_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match="perturbation is"):
        tagger(size=size)
