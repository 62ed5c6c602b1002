"""The fast product is a product."""

import pytest
import torch

from flair_jointner.layers import matmul


@pytest.mark.parametrize("inner", [5, 200])
@pytest.mark.parametrize("onednn", [True, False])
def test_product_multiplies_rows_by_columns(inner, onednn, monkeypatch):
    if not onednn:
        monkeypatch.setattr(matmul, "has_onednn", lambda: False)
    rows, columns = torch.randn(7, inner), torch.randn(300, inner)
    expected = rows.double() @ columns.double().t()
    found = matmul.product(rows, columns).double()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_onednn_is_asked_for_large_float32_matrices_only():
    large = torch.zeros(200, 200)
    assert matmul.pays_off(large) is matmul.has_onednn()
    assert not matmul.pays_off(large.double())
    assert not matmul.pays_off(torch.zeros(20, 20))
