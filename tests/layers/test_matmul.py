"""The fast product is a product."""

import pytest
import torch

from flair_jointner.layers import matmul


@pytest.mark.parametrize("inner", [5, 200])
@pytest.mark.parametrize("onednn", [True, False])
def test_product_multiplies_rows_by_columns(inner, onednn, monkeypatch):
    if not onednn:
        monkeypatch.setattr(matmul, "has_onednn", lambda: False)
    rows, columns = torch.randn(70, inner), torch.randn(300, inner)
    expected = rows.double() @ columns.double().t()
    found = matmul.product(rows, columns).double()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_onednn_is_asked_for_large_float32_matrices_only():
    large = torch.zeros(200, 200)
    assert matmul.pays_off(large, 100) is matmul.has_onednn()
    assert not matmul.pays_off(large.double(), 100)
    assert not matmul.pays_off(large, 2)


def test_a_linear_layer_has_the_value_and_the_gradients_of_torchs():
    layer = torch.nn.Linear(200, 180)
    states = torch.randn(3, 17, 200, requires_grad=True)
    found = []
    for run in (lambda: matmul.linear(states, layer), lambda: layer(states)):
        states.grad = None
        layer.zero_grad()
        output = run()
        output.square().sum().backward()
        found.append([output, states.grad, layer.weight.grad, layer.bias.grad])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)


def test_mixed_precision_and_other_types_are_left_to_torch():
    layer = torch.nn.Linear(200, 200)
    with torch.autocast("cpu", torch.bfloat16):
        assert matmul.linear(torch.randn(50, 200), layer).dtype == torch.bfloat16
    assert matmul.linear(torch.randn(50, 200).double(), layer.double()).dtype == torch.float64
