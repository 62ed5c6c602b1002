"""The fast product is a product."""

import pytest
import torch

from flair_jointner.layers import matmul


@pytest.fixture(params=["MKL", "oneDNN"])
def library(request, monkeypatch):
    """What the products go to, whatever processor this is."""
    monkeypatch.setattr(matmul, "mkl_is_fast", lambda: request.param == "MKL")
    return request.param


@pytest.mark.parametrize("inner", [5, 200])
def test_product_multiplies_rows_by_columns(inner, library):
    rows, columns = torch.randn(70, inner), torch.randn(300, inner)
    expected = rows.double() @ columns.double().t()
    found = matmul.product(rows, columns).double()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_onednn_is_asked_for_large_float32_matrices_only(library):
    large = torch.zeros(200, 200)
    assert matmul.pays_off(large, 100) is (library == "oneDNN" and matmul.has_onednn())
    assert not matmul.pays_off(large.double(), 100)
    assert not matmul.pays_off(large, 2)


def test_a_linear_layer_has_the_value_and_the_gradients_of_torchs(library):
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


def test_mixed_precision_and_other_types_are_left_to_torch(library):
    layer = torch.nn.Linear(200, 200)
    with torch.autocast("cpu", torch.bfloat16):
        assert matmul.linear(torch.randn(50, 200), layer).dtype == torch.bfloat16
    assert matmul.linear(torch.randn(50, 200).double(), layer.double()).dtype == torch.float64


@pytest.mark.parametrize("vendor", ["GenuineIntel", "AuthenticAMD", None])
def test_mkl_is_trusted_on_processors_of_its_maker(vendor, monkeypatch):
    def read(*_, **__):
        if vendor is None:
            raise FileNotFoundError("/proc/cpuinfo")
        return f"processor : 0\nvendor_id : {vendor}\n"

    monkeypatch.setattr(matmul.Path, "read_text", read)
    fast = matmul.mkl_is_fast.__wrapped__()
    assert fast is (vendor == "GenuineIntel" and torch.backends.mkl.is_available())
