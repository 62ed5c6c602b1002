"""The layers against slow per-sentence transcriptions of Eqs. 4-7, in float64."""

import math

import pytest
import torch

from flair_jointner.layers import MultiHeadSelfAttention, SoftAttention, length_mask

HIDDEN, HEADS = 12, 3
LENGTHS = [5, 1, 3, 7]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(3)


def batch(garbage: float):
    """Padded states whose padding holds ``garbage``, two columns more than the longest needs."""
    mask = length_mask(torch.tensor(LENGTHS), max(LENGTHS) + 2)
    states = torch.randn(len(LENGTHS), max(LENGTHS) + 2, HIDDEN, dtype=torch.float64)
    return states.masked_fill(~mask.unsqueeze(-1), garbage), mask


def slow_soft_attention(layer: SoftAttention, sentence):
    """Eq. 4, a token at a time."""
    unnormalised = []
    for state in sentence:
        g = torch.tanh(layer.projection.weight @ state + layer.projection.bias)
        unnormalised.append(torch.sigmoid(layer.score.weight[0] @ g + layer.score.bias[0]))
    weights = [a / sum(unnormalised) for a in unnormalised]
    context = [state * a for state, a in zip(sentence, weights, strict=True)]
    return torch.stack(context), torch.stack(weights)


@torch.no_grad()
def slow_self_attention(layer: MultiHeadSelfAttention, sentence):
    """Eqs. 5-7, a head, a query and a key at a time."""
    size = HIDDEN // HEADS
    bound = math.sqrt(HIDDEN / HEADS)
    all_weights = torch.zeros(HEADS, len(sentence), len(sentence), dtype=torch.float64)
    heads = torch.zeros(len(sentence), HIDDEN, dtype=torch.float64)
    for head in range(HEADS):
        rows = slice(head * size, (head + 1) * size)
        query, key, value = (
            [part.weight[rows] @ state + part.bias[rows] for state in sentence]
            for part in (layer.query, layer.key, layer.value)
        )
        for t, state in enumerate(sentence):
            if layer.scaling == "learned":
                raw = layer.temperature.weight[0] @ state + layer.temperature.bias[0]
                alpha = min(max(raw.item(), 0.0), bound) + 1.0
            else:
                alpha = {"scaled": bound, "unscaled": 1.0}[layer.scaling]
            exponentials = [math.exp((query[t] @ k).item() / alpha) for k in key]
            for j, exponential in enumerate(exponentials):
                all_weights[head, t, j] = exponential / sum(exponentials)
                heads[t, rows] += all_weights[head, t, j] * value[j]
    context = [layer.output.weight @ h + layer.output.bias for h in heads]
    return torch.stack(context), all_weights


@pytest.mark.parametrize("garbage", [0.0, 1e4, -77.0])
def test_soft_attention_is_equation_4_whatever_the_padding(garbage):
    layer = SoftAttention(HIDDEN).double()
    states, mask = batch(garbage)
    context, weights = layer(states, mask)
    for i, length in enumerate(LENGTHS):
        slow_context, slow_weights = slow_soft_attention(layer, states[i, :length])
        torch.testing.assert_close(context[i, :length], slow_context, rtol=0, atol=1e-9)
        torch.testing.assert_close(weights[i, :length], slow_weights, rtol=0, atol=1e-9)
        assert weights[i, length:].abs().sum() == 0
        assert weights[i].sum().item() == pytest.approx(1.0)


def test_soft_attention_survives_scores_whose_sigmoid_underflows():
    layer = SoftAttention(HIDDEN)
    with torch.no_grad():
        layer.score.bias.fill_(-200.0)
    context, weights = layer(torch.randn(1, 3, HIDDEN), torch.ones(1, 3, dtype=torch.bool))
    assert weights.sum().item() == pytest.approx(1.0)
    assert context.isfinite().all()


@pytest.mark.parametrize("scaling", ["scaled", "unscaled", "learned"])
@pytest.mark.parametrize("garbage", [0.0, 1e4])
@pytest.mark.parametrize("spread", [0.1, 3.0])
@torch.no_grad()
def test_self_attention_is_equations_5_to_7_whatever_the_padding(scaling, garbage, spread):
    layer = MultiHeadSelfAttention(HIDDEN, HEADS, scaling).double().eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-spread, spread)
    states, mask = batch(garbage)
    context, weights = layer(states, mask)
    for i, length in enumerate(LENGTHS):
        slow_context, slow_weights = slow_self_attention(layer, states[i, :length])
        torch.testing.assert_close(context[i, :length], slow_context, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(weights[i, :, :length, :length], slow_weights, rtol=0, atol=1e-9)
        assert context[i, length:].abs().sum() == 0
        assert weights[i].sum() == pytest.approx(HEADS * length)


def test_learned_temperature_divides_rows_and_keeps_its_bounds():
    layer = MultiHeadSelfAttention(HIDDEN, HEADS, "learned").double()
    with torch.no_grad():
        layer.temperature.weight.uniform_(-5, 5)
    states, _ = batch(0.0)
    temperatures = layer.temperatures(states)
    bound = 1 + math.sqrt(HIDDEN / HEADS)
    assert temperatures.min().item() == 1.0
    assert temperatures.max().item() == pytest.approx(bound)
    assert ((temperatures > 1) & (temperatures < bound)).any()
    assert temperatures[0].unique().numel() > 1  # one per token, not one per sentence


def test_learned_temperature_is_trained():
    layer = MultiHeadSelfAttention(HIDDEN, HEADS, "learned", dropout=0.0).double()
    with torch.no_grad():
        layer.temperature.bias.fill_(0.5)
        layer.temperature.weight.mul_(0.1)
    states, mask = batch(0.0)
    assert torch.autograd.gradcheck(lambda x: layer(x, mask)[0], states.requires_grad_())
    layer(states, mask)[0].square().sum().backward()
    assert layer.temperature.weight.grad.abs().sum() > 0


def test_dropout_acts_on_the_weights_in_training_only():
    layer = MultiHeadSelfAttention(HIDDEN, HEADS, "scaled", dropout=0.9)
    states, mask = torch.randn(2, 6, HIDDEN), torch.ones(2, 6, dtype=torch.bool)
    layer.train()
    assert not torch.equal(layer(states, mask)[0], layer(states, mask)[0])
    layer.eval()
    assert torch.equal(layer(states, mask)[0], layer(states, mask)[0])


def test_an_empty_sentence_gives_zeros():
    layer = MultiHeadSelfAttention(HIDDEN, HEADS, "learned")
    context, weights = layer(torch.randn(1, 4, HIDDEN), torch.zeros(1, 4, dtype=torch.bool))
    assert context.abs().sum() == 0
    assert weights.abs().sum() == 0


@pytest.mark.parametrize("heads", [0, 5])
def test_heads_that_do_not_divide_are_refused_with_a_divisor(heads):
    with pytest.raises(ValueError, match=r"choose a divisor, for example 4"):
        MultiHeadSelfAttention(HIDDEN, heads)


def test_an_unknown_scaling_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="scaled, unscaled, learned"):
        MultiHeadSelfAttention(HIDDEN, HEADS, "sharp")
