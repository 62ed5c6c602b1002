"""The discriminator and its loss against slow transcriptions, and the gradient that it sends."""

import math

import pytest
import torch
from torch import nn

from flair_jointner.layers import (
    GradientReversal,
    ResourceDiscriminator,
    grad_loss,
    grad_loss_from_logits,
    length_mask,
)
from flair_jointner.layers.adversary import straight_gradients

HIDDEN = 6
LENGTHS = [5, 1, 3, 7]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(5)


def batch(garbage=0.0):
    """Padded states whose padding holds ``garbage``, two columns more than the longest needs."""
    mask = length_mask(torch.tensor(LENGTHS), max(LENGTHS) + 2)
    states = torch.randn(len(LENGTHS), max(LENGTHS) + 2, HIDDEN, dtype=torch.float64)
    return states.masked_fill(~mask.unsqueeze(-1), garbage), mask


def discriminator(rate=1.0):
    return ResourceDiscriminator(HIDDEN, rate).double()


# ----- gradient reversal -----


@pytest.mark.parametrize("rate", [1.0, 0.3, 0.0, 7.5])
def test_the_values_stay_and_the_gradient_is_minus_rate_times(rate):
    states = torch.randn(3, 4, requires_grad=True)
    factors = torch.randn(3, 4)
    reversed_states = GradientReversal(rate)(states)
    assert torch.equal(reversed_states, states)
    (reversed_states * factors).sum().backward()
    assert torch.equal(states.grad, -rate * factors)


def test_the_rate_can_be_changed():
    reversal = GradientReversal(1.0)
    reversal.rate = 2
    states = torch.ones(2, requires_grad=True)
    reversal(states).sum().backward()
    assert states.grad.tolist() == [-2.0, -2.0]
    assert "rate=2.0" in repr(reversal)


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf])
def test_a_rate_that_reverses_nothing_is_refused(rate):
    reversal = GradientReversal()
    for give in (GradientReversal, lambda r: setattr(reversal, "rate", r)):
        with pytest.raises(ValueError, match="finite number from 0"):
            give(rate)
    with pytest.raises(ValueError, match="finite number from 0"):
        ResourceDiscriminator(HIDDEN, rate)


# ----- discriminator -----


def test_within_straight_gradients_nothing_is_reversed_and_afterwards_it_is_again():
    layer = nn.Sequential(nn.Linear(2, 2), GradientReversal(0.5))
    states = torch.ones(1, 2, requires_grad=True)
    loss = layer(states).sum()
    (reversed_,) = torch.autograd.grad(loss, states, retain_graph=True)
    with pytest.raises(KeyError), straight_gradients(layer):
        (straight,) = torch.autograd.grad(loss, states, retain_graph=True)
        raise KeyError
    assert torch.equal(reversed_, -0.5 * straight)
    assert torch.equal(torch.autograd.grad(loss, states)[0], reversed_)


@torch.no_grad()
def slow_logit(layer: ResourceDiscriminator, sentence):
    """A token at a time."""
    exponentials = []
    for state in sentence:
        hidden = torch.tanh(layer.projection.weight @ state + layer.projection.bias)
        exponentials.append(math.exp(float(layer.score.weight[0] @ hidden)))
    vector = torch.zeros(HIDDEN, dtype=torch.float64)
    for state, exponential in zip(sentence, exponentials, strict=True):
        vector += exponential / sum(exponentials) * state
    return float(layer.output.weight[0] @ vector + layer.output.bias[0])


@pytest.mark.parametrize("spread", [0.1, 3.0])
@pytest.mark.parametrize("garbage", [0.0, 1e4, math.inf, math.nan])
def test_the_logits_are_those_of_each_sentence_alone_whatever_the_padding(garbage, spread):
    layer = discriminator()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-spread, spread)
    states, mask = batch(garbage)
    states.requires_grad_()
    logits = layer(states, mask)
    assert logits.shape == (len(LENGTHS),)
    for i, length in enumerate(LENGTHS):
        assert logits[i].item() == pytest.approx(slow_logit(layer, states[i, :length]), abs=1e-9)
        alone = layer(states[i : i + 1, :length], mask[i : i + 1, :length])
        torch.testing.assert_close(alone[0], logits[i], rtol=0, atol=1e-12)
    logits.sum().backward()
    assert states.grad[~mask].abs().sum() == 0
    assert all(p.grad.isfinite().all() for p in layer.parameters())
    weights = layer.pool(states, mask)[1]
    assert weights[~mask].abs().sum() == 0
    torch.testing.assert_close(weights.sum(1), torch.ones(len(LENGTHS), dtype=torch.float64))


def test_a_sentence_without_tokens_gives_the_bias():
    layer = discriminator()
    logits = layer(torch.ones(1, 3, HIDDEN).double(), torch.zeros(1, 3, dtype=torch.bool))
    assert logits.item() == layer.output.bias.item()


def test_everything_above_the_reversal_passes_gradcheck():
    layer = discriminator()
    states, mask = batch()
    assert torch.autograd.gradcheck(
        lambda x: layer.output(layer.pool(x, mask)[0]), states.requires_grad_()
    )
    names, parameters = zip(*layer.named_parameters(), strict=True)

    def run(*values):
        values = dict(zip(names, values, strict=True))
        return torch.func.functional_call(layer, values, (states.detach(), mask))

    assert torch.autograd.gradcheck(run, parameters)


@pytest.mark.parametrize("rate", [1.0, 0.25, 0.0])
def test_the_encoder_gets_exactly_minus_rate_times_the_gradient_of_the_loss(rate):
    layer, encoder = discriminator(rate), nn.Linear(HIDDEN, HIDDEN).double()
    inputs, mask = batch()
    is_source = torch.tensor([True, False, True, False])

    def gradients(logits):
        loss = grad_loss_from_logits(logits, is_source, 0.3).sum()
        return torch.autograd.grad(loss, [*encoder.parameters(), *layer.parameters()])

    reversed_ones = gradients(layer(encoder(inputs), mask))
    plain = gradients(layer.output(layer.pool(encoder(inputs), mask)[0]).squeeze(-1))
    for found, expected in zip(reversed_ones[:2], plain[:2], strict=True):
        assert expected.abs().sum() > 0
        assert torch.equal(found, -rate * expected)
    for found, expected in zip(reversed_ones[2:], plain[2:], strict=True):
        assert torch.equal(found, expected)  # its own weights go down the loss


def toy_resources(count=64):
    """Sentences of noise; one token of each of the source has a mark, at any place."""
    lengths = torch.randint(1, 8, (count,))
    mask = length_mask(lengths, 8)
    states = torch.randn(count, 8, HIDDEN) * 0.3
    is_source = torch.arange(count) % 2 == 0
    places = (torch.rand(count) * lengths).long()
    states[is_source, places[is_source], 0] = 2.0
    return states, mask, is_source


def test_it_learns_to_tell_two_resources_apart():
    layer = ResourceDiscriminator(HIDDEN)
    states, mask, is_source = toy_resources()
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        grad_loss_from_logits(layer(states, mask), is_source, 0.5).mean().backward()
        optimizer.step()
    states, mask, is_source = toy_resources()
    right = ((layer(states, mask) > 0) == is_source).float().mean().item()
    assert right > 0.95  # one that learns nothing is at 0.5, one with the wrong sign near 0


def test_an_encoder_below_it_learns_to_hide_the_resource():
    states, mask, is_source = toy_resources()
    torch.manual_seed(5)
    encoder, layer = nn.Linear(HIDDEN, HIDDEN), ResourceDiscriminator(HIDDEN)
    torch.nn.init.eye_(encoder.weight)
    optimizer = torch.optim.SGD([*encoder.parameters(), *layer.parameters()], lr=0.1)
    before = encoder.weight[:, 0].norm().item()
    for _ in range(300):
        optimizer.zero_grad()
        grad_loss_from_logits(layer(encoder(states), mask), is_source, 0.5).mean().backward()
        optimizer.step()
    assert encoder.weight[:, 0].norm().item() < before  # what reads the mark has become weaker


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, HIDDEN + 1), (HIDDEN,)])
def test_states_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=rf"\[batch, tokens, {HIDDEN}\]"):
        ResourceDiscriminator(HIDDEN)(torch.zeros(shape), torch.ones(2, 3, dtype=torch.bool))


@pytest.mark.parametrize("mask", [torch.ones(2, 3), torch.ones(3, 2, dtype=torch.bool)])
def test_another_mask_is_refused(mask):
    with pytest.raises(ValueError, match=r"has to be torch.bool of the shape \[2, 3\]"):
        ResourceDiscriminator(HIDDEN)(torch.zeros(2, 3, HIDDEN), mask)


def test_a_size_below_1_is_refused():
    with pytest.raises(ValueError, match="hidden size is 0"):
        ResourceDiscriminator(0)


# ----- loss -----


def slow_equation_1(probabilities, is_source, alpha, gamma):
    total = 0.0
    for r, source in zip(probabilities.tolist(), is_source.tolist(), strict=True):
        if source:
            total += alpha * (1 - r) ** gamma * math.log(r)
        else:
            total += (1 - alpha) * r**gamma * math.log(1 - r)
    return -total


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 0.8, 1.0])
def test_the_terms_sum_to_equation_1(alpha, gamma):
    logits = torch.randn(50, dtype=torch.float64) * 5
    is_source = torch.rand(50) < 0.7
    expected = slow_equation_1(logits.sigmoid(), is_source, alpha, gamma)
    terms = grad_loss(logits.sigmoid(), is_source, alpha, gamma)
    assert terms.shape == (50,)
    assert (terms >= 0).all()
    assert terms.sum().item() == pytest.approx(expected, abs=1e-6)
    from_logits = grad_loss_from_logits(logits, is_source, alpha, gamma)
    assert from_logits.sum().item() == pytest.approx(expected, abs=1e-6)
    torch.testing.assert_close(from_logits, terms, rtol=1e-9, atol=1e-9)


def test_the_terms_have_known_values():
    terms = grad_loss(torch.tensor([0.25, 0.25]), torch.tensor([True, False]), alpha=0.2)
    assert terms.tolist() == pytest.approx(
        [0.2 * 0.75**2 * math.log(4), 0.8 * 0.25**2 * math.log(4 / 3)]
    )


def test_without_focus_and_balance_it_is_half_the_cross_entropy():
    logits = torch.randn(20, dtype=torch.float64)
    is_source = torch.rand(20) < 0.5
    expected = nn.functional.binary_cross_entropy_with_logits(
        logits, is_source.double(), reduction="none"
    )
    for terms in (
        grad_loss(logits.sigmoid(), is_source, 0.5, 0.0),
        grad_loss_from_logits(logits, is_source, 0.5, 0.0),
    ):
        torch.testing.assert_close(terms, expected / 2)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_both_losses_pass_gradcheck(gamma):
    logits = torch.randn(8, dtype=torch.float64)
    is_source = torch.arange(8) % 2 == 0
    for loss, values in ((grad_loss, logits.sigmoid()), (grad_loss_from_logits, logits)):
        assert torch.autograd.gradcheck(
            lambda x, loss=loss: loss(x, is_source, 0.3, gamma), values.detach().requires_grad_()
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_probabilities_of_0_and_1_are_safe(gamma, dtype):
    probabilities = torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=dtype, requires_grad=True)
    is_source = torch.tensor([True, True, False, False])
    terms = grad_loss(probabilities, is_source, 0.5, gamma)
    terms.sum().backward()
    assert terms.isfinite().all()
    assert probabilities.grad.isfinite().all()
    assert terms[0] > 8  # wrong
    assert terms[3] > 8
    assert terms[1:3].tolist() == pytest.approx([0.0, 0.0], abs=1e-6)  # right


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("size", [20.0, 200.0, 1e30])
def test_extreme_logits_keep_their_loss_and_their_gradient(gamma, size):
    logits = torch.tensor([-size, size, -size, size], requires_grad=True)
    is_source = torch.tensor([True, True, False, False])
    terms = grad_loss_from_logits(logits, is_source, 0.25, gamma)
    terms.sum().backward()
    assert terms.tolist() == pytest.approx([0.25 * size, 0.0, 0.0, 0.75 * size], 1e-6, 1e-4)
    assert logits.grad.tolist() == pytest.approx([-0.25, 0.0, 0.0, 0.75], abs=1e-4)


@pytest.mark.parametrize("loss", [grad_loss, grad_loss_from_logits])
def test_bad_weights_and_shapes_are_refused(loss):
    values, is_source = torch.full((2,), 0.5), torch.tensor([True, False])
    for alpha in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="alpha is"):
            loss(values, is_source, alpha)
    for gamma in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="gamma is"):
            loss(values, is_source, 0.5, gamma)
    for bad in (torch.ones(2), torch.ones(3, dtype=torch.bool), is_source.unsqueeze(1)):
        with pytest.raises(ValueError, match=r"torch.bool of the shape \[2\]"):
            loss(values, bad, 0.5)


@pytest.mark.parametrize("value", [-0.1, 1.5, math.nan])
def test_logits_in_the_place_of_probabilities_are_noticed(value):
    with pytest.raises(ValueError, match="grad_loss_from_logits"):
        grad_loss(torch.tensor([0.5, value]), torch.tensor([True, False]), 0.5)
