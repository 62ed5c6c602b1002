"""On a GPU everything comes out as on the CPU; skipped where there is none."""

import itertools

import flair
import pytest
import tiny
import torch
from flair.data import Dictionary
from flair.embeddings import StackedEmbeddings
from flair.models.sequence_tagger_utils.crf import CRF as FlairCRF
from flair.models.sequence_tagger_utils.viterbi import ViterbiLoss
from small_study import whereabouts

from flair_jointner import CharacterCNNEmbeddings, DATNet
from flair_jointner.data import read_sentences
from flair_jointner.inference import tag_in_parallel
from flair_jointner.layers import LinearChainCRF, length_mask
from flair_jointner.layers.chain import ChainScores
from flair_jointner.layers.posterior import ChainPosterior
from flair_jointner.models import load_tagger
from flair_jointner.studies.processes import Processes, Task
from flair_jointner.training import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
GPU, CPU = torch.device("cuda"), torch.device("cpu")


@pytest.fixture(autouse=True)
def on_the_gpu(monkeypatch):
    monkeypatch.setattr(flair, "device", GPU)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # it rounds to 10 bits


def batch(num_tags, device, lengths=(9, 1, 4), scale=1.0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(3)
    mask = length_mask(torch.tensor(lengths))
    emissions = scale * torch.randn(*mask.shape, num_tags, generator=generator, dtype=dtype)
    tags = torch.randint(num_tags - 2, mask.shape, generator=generator)
    crf = LinearChainCRF(num_tags, num_tags - 2, num_tags - 1).to(dtype)
    with torch.no_grad():
        crf.transitions.copy_(torch.randn(num_tags, num_tags, generator=generator))
    crf.forbid_boundaries()
    return crf.to(device), emissions.to(device), tags.to(device), mask.to(device)


@pytest.mark.parametrize("num_tags", [5, 60, 400])
@pytest.mark.parametrize("scale", [1.0, 60.0, 1e4])
def test_the_loss_and_its_gradients_are_those_of_the_cpu(num_tags, scale):
    found = []
    for device in (CPU, GPU):
        crf, emissions, tags, mask = batch(num_tags, device, scale=scale)
        losses = crf(emissions.requires_grad_(), tags, mask)
        losses.sum().backward()
        found.append([part.cpu() for part in (losses, emissions.grad, crf.transitions.grad)])
    for on_cpu, on_gpu in zip(*found, strict=True):
        torch.testing.assert_close(on_gpu, on_cpu, rtol=1e-5, atol=1e-5)


def test_the_loss_is_that_of_flair():
    crf, emissions, tags, mask = batch(6, GPU, lengths=(9, 4, 1))
    dictionary = Dictionary(add_unk=False)
    for tag in ("O", "A", "B", "C"):
        dictionary.add_item(tag)
    dictionary.set_start_stop_tags()
    flair_crf = FlairCRF(dictionary, len(dictionary), init_from_state_dict=True)
    flair_crf.load_state_dict(crf.state_dict())
    lengths = mask.sum(1).cpu()
    gold = torch.cat([row[:n] for row, n in zip(tags, lengths.tolist(), strict=True)])
    theirs = ViterbiLoss(dictionary)((flair_crf(emissions), lengths, flair_crf.transitions), gold)
    assert crf(emissions, tags, mask).sum().item() == pytest.approx(theirs.item(), rel=1e-6)


def test_paths_and_probabilities_are_those_of_all_paths():
    crf, emissions, _, mask = batch(5, GPU, lengths=(4, 1, 3), dtype=torch.float64)
    paths, scores = crf.viterbi(emissions, mask)
    marginals = crf.marginals(emissions, mask)
    posterior = ChainPosterior(emissions, mask, crf.chain())
    for row, length in enumerate(mask.sum(1).tolist()):
        weights = {
            path: path_weight(crf, emissions[row], path)
            for path in itertools.product(range(5), repeat=length)
        }
        total = sum(weights.values())
        best = max(weights, key=weights.__getitem__)
        assert tuple(paths[row, :length].tolist()) == best
        assert scores[row].exp().item() == pytest.approx(weights[best], rel=1e-9)
        for place, tag in itertools.product(range(length), range(5)):
            share = sum(w for path, w in weights.items() if path[place] == tag) / total
            assert marginals[row, place, tag].item() == pytest.approx(share, abs=1e-9)
        segment = torch.tensor([best[:2]], device=GPU)
        given = [torch.tensor([n], device=GPU) for n in (row, 0, min(2, length))]
        found = posterior.segments(given[0], given[1], segment, given[2])
        share = sum(w for path, w in weights.items() if path[:2] == best[:2]) / total
        assert found.item() == pytest.approx(share, rel=1e-9)
    assert not marginals[~mask].any()


def path_weight(crf, emissions, path):
    chain = ChainScores(*(part.detach() for part in crf.chain()))
    score = chain.initial[path[0]] + chain.final[path[-1]]
    for place, tag in enumerate(path):
        score = score + emissions[place, tag]
        if place:
            score = score + chain.transitions[tag, path[place - 1]]
    return score.exp().item()


@pytest.mark.parametrize("num_tags", [20, 100])
def test_viterbi_paths_are_those_of_the_cpu(num_tags):
    found = [
        crf.viterbi(emissions, mask)[0].cpu()
        for crf, emissions, _, mask in (
            batch(num_tags, device, lengths=(512, 40, 3)) for device in (CPU, GPU)
        )
    ]
    assert torch.equal(*found)


SYSTEMS = {
    "plain": lambda: tiny.joint_tagger(),
    "attention": lambda: tiny.joint_tagger(attention="learned", attention_gate=True),
    "characters": lambda: tiny.joint_tagger(stacked(), perturbation=1.0),
    "no CRF": lambda: tiny.joint_tagger(use_crf=False),
    "GRU": lambda: tiny.joint_tagger(rnn_type="GRU", rnn_layers=2),
    "DATNet": lambda: datnet(),
}


def characters():
    return CharacterCNNEmbeddings(sorted(set("".join(tiny.WORDS))), 5, 4)


def stacked():
    return StackedEmbeddings([tiny.words(), characters()])


def datnet():
    tagger = DATNet(
        tiny.words(),
        tiny.dictionary(),
        tiny.TAG_TYPE,
        shared_embeddings=characters(),
        hidden_size=4,
        perturbation=1.0,
    )
    return tagger.eval()


def on(device, make, monkeypatch):
    """A random tagger, made and used on a device; random numbers of a GPU are others."""
    monkeypatch.setattr(flair, "device", device)
    tagger = make()
    assert tagger.linear.weight.device.type == device.type
    return tagger


def without_dropout(tagger):
    """In training mode, in which alone a GPU's LSTM has gradients."""
    for module in tagger.modules():
        for rate in ("p", "dropout", "dropout_rate"):
            if isinstance(getattr(module, rate, None), float):
                setattr(module, rate, 0.0)
    return tagger.train()


@pytest.mark.parametrize("system", SYSTEMS)
def test_loss_gradients_and_predictions_are_those_of_the_cpu(system, monkeypatch):
    found, weights = [], on(CPU, SYSTEMS[system], monkeypatch).state_dict()
    for device in (CPU, GPU):
        tagger = on(device, SYSTEMS[system], monkeypatch)
        tagger.load_state_dict(weights)
        loss, _ = without_dropout(tagger).forward_loss(tiny.titles())
        loss.backward()
        gradients = {
            name: weight.grad.cpu()
            for name, weight in tagger.named_parameters()
            if weight.grad is not None
        }
        tagger.eval()
        sentences = tiny.random_titles(80)
        tagger.predict(sentences, return_probabilities_for_all_classes=True)
        tagger.evaluate(tiny.titles(), tiny.TAG_TYPE)
        rows = list(tagger.tag([[token.text for token in sentence] for sentence in sentences]))
        found.append((loss.item(), gradients, sentences, rows))
    (loss, gradients, sentences, rows), on_gpu = found
    assert on_gpu[0] == pytest.approx(loss, rel=1e-5)
    assert on_gpu[1].keys() == gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(on_gpu[1][name], gradient, rtol=1e-4, atol=1e-5)
    for one, other in zip(sentences, on_gpu[2], strict=True):
        for label_type in (tiny.TAG_TYPE, tiny.CLASS_TYPE):
            near = [
                (place, value, pytest.approx(score, abs=1e-3))
                for place, value, score in tiny.labels(one, label_type)
            ]
            assert tiny.labels(other, label_type) == near
    assert_same_entities(on_gpu[3], rows)
    assert sum(len(row["entities"]) for row in rows) > 10


def assert_same_entities(rows, expected):
    for row, other in zip(rows, expected, strict=True):
        near = [{**e, "score": pytest.approx(e["score"], abs=1e-3)} for e in other["entities"]]
        assert row["entities"] == near


@pytest.mark.parametrize("options", [{}, {"bfloat16": True}, {"average_weights": 0.9}])
def test_a_tagger_learns_here_and_tags_on_the_cpu(options, tmp_path, monkeypatch):
    tiny.write_titles(tmp_path)
    parts = [
        read_sentences(tmp_path / f"{name}.conll", tiny.TAG_TYPE, tiny.CLASS_TYPE)
        for name in ("train", "dev")
    ]
    network = {"init_range": None, "hidden_size": 16, "locked_dropout": 0.0}
    tagger = on(
        GPU,
        lambda: tiny.joint_tagger(tiny.words(24), attention="learned", **network),
        monkeypatch,
    )
    settings = {"max_epochs": 25, "learning_rate": 0.02, "mini_batch_size": 16, **options}
    result = train(tagger, tiny.corpus(*parts), tmp_path / "model", **settings)
    assert max(result["dev_scores"]) > 0.9
    monkeypatch.setattr(flair, "device", CPU)
    loaded = load_tagger(result["model_file"])
    assert loaded.linear.weight.device == CPU
    assert loaded.evaluate(parts[1], tiny.TAG_TYPE).main_score > 0.9


def test_a_model_of_the_cpu_tags_here(tmp_path, monkeypatch):
    tagger = on(CPU, tiny.joint_tagger, monkeypatch)
    tagger.save(tmp_path / "model.pt")
    texts = [sentence.text for sentence in tiny.random_titles(40)]
    expected = list(tagger.tag(texts))
    monkeypatch.setattr(flair, "device", GPU)
    loaded = load_tagger(tmp_path / "model.pt")
    assert loaded.linear.weight.device.type == "cuda"
    assert_same_entities(loaded.tag(texts), expected)


def test_two_workers_share_the_gpu(monkeypatch):
    tagger = on(GPU, tiny.joint_tagger, monkeypatch)
    texts = [sentence.text for sentence in tiny.random_titles(60)]
    rows = tag_in_parallel(tagger, texts, 2, chunk_size=16)
    assert_same_entities(rows, tagger.tag(texts))


def test_a_run_of_a_study_computes_here(tmp_path):
    with Processes(tmp_path / "logs", jobs=1) as made:
        (outcome,) = made.over([Task("a run", "run.log", whereabouts, epochs=1)])
    assert outcome.error is None and outcome.record["device"] == "cuda"


def test_mixed_precision_moves_scores_a_little(monkeypatch):
    tagger = on(GPU, tiny.joint_tagger, monkeypatch)
    texts = [sentence.text for sentence in tiny.random_titles(60)]
    exact, rounded = (list(tagger.tag(texts, bfloat16=half)) for half in (False, True))
    differences = [
        abs(one["score"] - other["score"]) for one, other in zip(exact, rounded, strict=True)
    ]
    assert 0 < max(differences) < 0.05
