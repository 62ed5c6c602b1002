"""Matrix products through the fastest library that torch was built with.

On a processor torch sends float32 products to MKL, which on some machines reaches half of what
oneDNN does. torch has no public way to ask for oneDNN; its operator for compiled models is the one
private name that this module holds (seen in torch 2.13). Without it, the products are torch's own.
"""

import torch
from torch import Tensor

_ONEDNN_NUMBERS = 30_000
"""From this many numbers in a matrix on, oneDNN's fixed cost of a call (about 10 µs) pays off."""


def has_onednn() -> bool:
    """Whether torch can hand float32 matrix products to oneDNN."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def product(rows: Tensor, columns: Tensor) -> Tensor:
    """``rows @ columns.t()``, without gradient.

    Args:
        rows: ``[n, inner]``.
        columns: ``[m, inner]``.

    Returns:
        ``[n, m]``.
    """
    if pays_off(columns):
        return torch.ops.mkldnn._linear_pointwise(rows, columns, None, "none", [], "")
    return rows @ columns.t()


def pays_off(matrix: Tensor) -> bool:
    """Whether :func:`product` goes to oneDNN for a matrix of this size, type and place."""
    return (
        matrix.numel() >= _ONEDNN_NUMBERS
        and matrix.dtype == torch.float32
        and matrix.device.type == "cpu"
        and has_onednn()
    )
