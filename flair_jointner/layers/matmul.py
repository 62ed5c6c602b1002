"""Matrix products through the fastest library that torch was built with.

On the CPU torch sends float32 products to MKL, which on other processors than Intel's reaches 50 to
90 % of oneDNN's speed. torch has no public way to ask for oneDNN; its two operators for compiled
models are the private names that this module holds (seen in torch 2.13). Without them, the products
are torch's own.
"""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_ONEDNN_PRODUCTS = 1_000_000
"""From this many multiplications on, oneDNN's fixed cost of a call (about 10 µs) pays off."""
_MANY_ROWS = 64
"""About as many as a :class:`PrepackedMatrix` is multiplied by at a time."""


def has_onednn() -> bool:
    """Whether torch can hand float32 matrix products to oneDNN."""
    names = ("_linear_pointwise", "_reorder_linear_weight")
    known = all(hasattr(torch.ops.mkldnn, name) for name in names)
    return torch.backends.mkldnn.is_available() and known


@cache
def mkl_is_fast() -> bool:
    """Whether torch's own products are as fast as oneDNN's: MKL does its best for Intel's."""
    try:
        processor = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # not Linux
        return False
    return torch.backends.mkl.is_available() and "GenuineIntel" in processor


def product(rows: Tensor, columns: Tensor, bias: Tensor | None = None) -> Tensor:
    """``rows @ columns.t()``, plus a bias if there is one, without gradient.

    Args:
        rows: ``[n, inner]``.
        columns: ``[m, inner]``.
        bias: ``[m]``.

    Returns:
        ``[n, m]``.
    """
    if pays_off(columns, len(rows)):
        return torch.ops.mkldnn._linear_pointwise(rows, columns, bias, "none", [], "")
    return nn.functional.linear(rows, columns, bias)


def pays_off(matrix: Tensor, rows: int) -> bool:
    """Whether :func:`product` goes to oneDNN for this many rows and such a matrix."""
    return not mkl_is_fast() and _suits_onednn(matrix, rows)


def _suits_onednn(matrix: Tensor, rows: int) -> bool:
    return (
        matrix.numel() * rows >= _ONEDNN_PRODUCTS
        and matrix.dtype == torch.float32
        and matrix.device.type == "cpu"
        and has_onednn()
    )


class PrepackedMatrix:
    """A fixed matrix by which many rows are multiplied, laid out once as its library wants it."""

    def __init__(self, columns: Tensor) -> None:
        """Lays out the matrix.

        Args:
            columns: ``[m, inner]``.
        """
        bfloat16 = columns.dtype == torch.bfloat16 and columns.device.type == "cpu"
        self._onednn = pays_off(columns, _MANY_ROWS) or (bfloat16 and has_onednn())
        if self._onednn:
            self._laid_out = torch.ops.mkldnn._reorder_linear_weight(columns.contiguous())
        else:
            self._laid_out = columns.t().contiguous()

    def multiply(self, rows: Tensor, bias: Tensor) -> Tensor:
        """``rows @ columns.t() + bias``, without gradient.

        Args:
            rows: ``[n, inner]``.
            bias: ``[m]``.

        Returns:
            ``[n, m]``.
        """
        if not self._onednn:
            return torch.addmm(bias, rows, self._laid_out)
        found: Tensor = torch.ops.mkldnn._linear_pointwise(
            rows, self._laid_out, bias, "none", [], ""
        )
        return found

    def multiply_onto(self, sums: Tensor, rows: Tensor) -> Tensor:
        """``rows @ columns.t() + sums``, without gradient.

        Args:
            sums: ``[n, m]``; the result may take its place.
            rows: ``[n, inner]``.

        Returns:
            ``[n, m]``.
        """
        if not self._onednn:
            return sums.addmm_(rows, self._laid_out)
        found: Tensor = torch.ops.mkldnn._linear_pointwise.binary(
            rows, sums, self._laid_out, None, "add"
        )
        return found


def linear(states: Tensor, layer: nn.Linear) -> Tensor:
    """A linear layer, forward and backward through the fastest library.

    Args:
        states: ``[…, in]``.
        layer: The layer.

    Returns:
        ``[…, out]``; differentiable once where oneDNN computes it.
    """
    mixed = torch.is_autocast_enabled(states.device.type)
    rows = states.numel() // states.size(-1)
    if mixed or states.dtype != layer.weight.dtype or not pays_off(layer.weight, rows):
        return layer(states)
    flat: Tensor = _Linear.apply(states.flatten(0, -2), layer.weight, layer.bias)
    return flat.view(*states.shape[:-1], -1)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(states, weight)
        return torch.ops.mkldnn._linear_pointwise(states, weight, bias, "none", [], "")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        states, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            product(gradient, weight.t()) if wanted[0] else None,
            product(gradient.t(), states.t()) if wanted[1] else None,
            gradient.sum(0) if wanted[2] else None,
        )
