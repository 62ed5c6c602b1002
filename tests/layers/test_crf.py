"""The CRF against brute force over every path, in float64."""

import math

import pytest
import torch
from flair.data import Dictionary
from flair.models.sequence_tagger_utils.crf import CRF as FlairCRF
from flair.models.sequence_tagger_utils.viterbi import ViterbiLoss

from flair_jointner.layers import LinearChainCRF, length_mask
from flair_jointner.layers.chain import ChainScores
from flair_jointner.layers.crf import negative_log_likelihood


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(5)


def crf_and_batch(num_tags=6, dtype=torch.float64):
    crf = LinearChainCRF(num_tags, num_tags - 2, num_tags - 1).to(dtype)
    mask = length_mask(torch.tensor([6, 6, 4, 2]))
    emissions = torch.randn(4, 6, num_tags, dtype=dtype)
    tags = torch.randint(num_tags - 2, (4, 6))
    return crf, emissions, tags, mask


def test_the_loss_and_its_gradients_are_those_of_flair():
    crf, emissions, tags, mask = crf_and_batch()
    dictionary = Dictionary(add_unk=False)
    for tag in ("O", "A", "B", "C"):
        dictionary.add_item(tag)
    dictionary.set_start_stop_tags()
    flair_crf = FlairCRF(dictionary, len(dictionary), init_from_state_dict=True).double()
    flair_crf.load_state_dict(crf.state_dict())
    theirs = emissions.clone().requires_grad_()
    lengths = mask.sum(1)
    targets = torch.cat([row[:n] for row, n in zip(tags, lengths.tolist(), strict=True)])
    flair_loss = ViterbiLoss(dictionary)(
        (flair_crf(theirs), lengths, flair_crf.transitions), targets
    )
    flair_loss.backward()
    ours = emissions.clone().requires_grad_()
    loss = crf(ours, tags, mask).sum()
    loss.backward()
    assert loss.item() == pytest.approx(flair_loss.item(), rel=1e-12)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(
        crf.transitions.grad, flair_crf.transitions.grad, rtol=1e-9, atol=1e-12
    )


def test_gradcheck():
    crf, emissions, tags, mask = crf_and_batch(5)

    def loss(emissions, transitions):
        chain = ChainScores(transitions, transitions[:, crf.start], transitions[crf.stop])
        return negative_log_likelihood(emissions, tags.clamp(max=2), mask, chain)

    transitions = torch.randn(5, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        loss, (emissions.requires_grad_(), transitions.requires_grad_())
    )


@pytest.mark.parametrize("scale", [1.0, 10.0, 1e4])
@pytest.mark.parametrize("num_tags, tokens", [(8, 512), (400, 9), (5, 1)])
def test_in_float32_loss_and_gradients_are_those_of_float64(scale, num_tags, tokens):
    crf, _, _, _ = crf_and_batch(num_tags, torch.float32)
    exact = LinearChainCRF(num_tags, num_tags - 2, num_tags - 1).double()
    exact.load_state_dict(crf.state_dict())
    emissions = (scale * torch.randn(2, tokens, num_tags)).requires_grad_()
    double = emissions.detach().double().requires_grad_()
    tags = torch.randint(num_tags - 2, (2, tokens))
    mask = length_mask(torch.tensor([tokens, (tokens + 1) // 2]))
    loss, expected = crf(emissions, tags, mask), exact(double, tags, mask)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-2)
    loss.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(emissions.grad.double(), double.grad, rtol=0, atol=1e-4)
    torch.testing.assert_close(
        crf.transitions.grad.double(), exact.transitions.grad, rtol=1e-4, atol=1e-3
    )
    assert emissions.grad[1, (tokens + 1) // 2 :].abs().sum() == 0


def test_a_sentence_that_is_weighted_more_pulls_more():
    crf, emissions, tags, mask = crf_and_batch()
    emissions.requires_grad_()
    weights = torch.tensor([0.0, 1.0, 2.5, -1.0], dtype=torch.float64)
    crf(emissions, tags, mask).backward(weights)
    joint, emissions.grad = emissions.grad, None
    for i, weight in enumerate(weights):
        crf(emissions[i : i + 1], tags[i : i + 1], mask[i : i + 1]).backward()
        torch.testing.assert_close(joint[i], weight * emissions.grad[i])
        emissions.grad = None


def test_new_transitions_forbid_entering_start_and_leaving_stop():
    crf = LinearChainCRF(5, 3, 4)
    with torch.no_grad():
        crf.transitions.uniform_(-0.1, 0.1)
    crf.forbid_boundaries()
    tags, _ = crf.viterbi(torch.randn(3, 9, 5), torch.ones(3, 9, dtype=torch.bool))
    assert tags.max() < 3
    assert (
        crf.marginals(torch.zeros(1, 4, 5), torch.ones(1, 4, dtype=torch.bool))[..., 3:].max()
        < 1e-6
    )


def test_of_a_long_sure_sentence_the_loss_is_not_lost_in_rounding():
    crf = LinearChainCRF(6, 4, 5)
    tags = torch.randint(4, (1, 600))
    emissions = 20 * torch.nn.functional.one_hot(tags, 6).float()
    mask = torch.ones(1, 600, dtype=torch.bool)
    exact = crf.double()(emissions.double(), tags, mask)
    found = crf.float()(emissions, tags, mask)
    assert found.dtype == torch.float32
    assert 0 < float(exact) < 1e-3
    assert float(found) == pytest.approx(float(exact), abs=5e-5)


def test_long_sentences_in_half_precision_have_finite_scores():
    crf = LinearChainCRF(6, 4, 5)
    emissions = torch.full((1, 3000, 6), 30.0, dtype=torch.float16)
    mask = torch.ones(1, 3000, dtype=torch.bool)
    tags, scores = crf.viterbi(emissions, mask)
    expected, exact = crf.viterbi(emissions.float(), mask)
    assert torch.equal(tags, expected) and scores.item() == exact.item() > 65_504
    assert crf.marginals(emissions, mask).dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_in_half_precision_it_is_computed_in_float32(dtype):
    crf, emissions, tags, mask = crf_and_batch(dtype=torch.float32)
    crf.to(dtype)
    emissions = emissions.to(dtype).requires_grad_()
    losses = crf(emissions, tags, mask)
    losses.sum().backward()
    exact = LinearChainCRF(6, 4, 5).double()
    exact.load_state_dict(crf.state_dict())
    wide = emissions.detach().double().requires_grad_()
    expected = exact(wide, tags, mask)
    expected.sum().backward()
    assert torch.allclose(losses.double(), expected, rtol=1e-5)
    assert emissions.grad.dtype == crf.transitions.grad.dtype == dtype
    assert torch.allclose(emissions.grad.double(), wide.grad, atol=1e-2)
    assert torch.allclose(crf.transitions.grad.double(), exact.transitions.grad, atol=5e-2)
    assert torch.equal(crf.viterbi(emissions, mask)[0], exact.viterbi(wide, mask)[0])


@pytest.mark.parametrize("num_tags", [9, 19, 59])
@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0, 5.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_numbers_grow_too_large_at_no_length(num_tags, spread, dtype):
    """Flat emissions: the sums grow with each step, and between two rescalings most of all."""
    crf = LinearChainCRF(num_tags, num_tags - 2, num_tags - 1).to(dtype)
    torch.nn.init.uniform_(crf.transitions, -0.1, 0.1)
    crf.forbid_boundaries()
    for tokens in [*range(20, 62, 2), 100, 350]:
        emissions = (spread * torch.randn(2, tokens, num_tags, dtype=dtype)).requires_grad_()
        plain = emissions.detach().clone().requires_grad_()
        tags = torch.randint(num_tags - 2, (2, tokens))
        mask = length_mask(torch.tensor([tokens, tokens - 7]))
        found, expected = crf(emissions, tags, mask), crf(plain, tags, mask, scaled=False)
        assert torch.allclose(found, expected, rtol=1e-5)
        found.sum().backward()
        expected.sum().backward()
        assert torch.allclose(emissions.grad, plain.grad, atol=1e-4), tokens
        marginals = crf.marginals(emissions.detach(), mask)
        assert torch.allclose(marginals.sum(2), mask.to(dtype), atol=1e-4), tokens


@pytest.mark.parametrize("place", [(1, 0), (1, 3), (4, 1)])
def test_a_transition_that_is_no_number_shows_in_the_loss(place):
    """A move, a beginning and an end."""
    crf = LinearChainCRF(5, start=3, stop=4)
    with torch.no_grad():
        crf.transitions[place] = math.nan
    emissions, tags = torch.randn(2, 3, 5), torch.tensor([[1, 1, 2], [0, 2, 1]])
    for scaled in (True, False):
        loss = crf(emissions, tags, torch.ones(2, 3, dtype=torch.bool), scaled)
        assert loss.isnan().any()
