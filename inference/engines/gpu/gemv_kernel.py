"""The matrix-vector product of a single token, limited only by reading the weights.

cuBLAS reads the small weights of a layer at 0.57 to 0.74 of the memory's bandwidth and the large
ones at 0.81 to 0.91 of it, when there is one row to multiply (on an H200). One program for two rows
of the weights reads them at 0.71 to 0.77 and 0.87 to 0.99, and needs no second kernel to add up
parts.
"""

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor, nn
from torch.nn.functional import linear

from inference.engines.gpu.fp8_linear import fp8_linear

CHUNK = 2048
ROWS = 2  # a program


@triton.jit
def _dot(
    x, weight, bias, out, size, rows,
    CHUNK: tl.constexpr, ROWS: tl.constexpr, BIASED: tl.constexpr,
):  # fmt: skip
    """`ROWS` numbers of the output: rows of the weights times `x`, added up in float32."""
    row, column = tl.program_id(0) * ROWS + tl.arange(0, ROWS), tl.arange(0, CHUNK)
    real = row < rows
    total = tl.zeros([ROWS, CHUNK], tl.float32)
    for first in range(0, size, CHUNK):
        at = first + column
        where = row.to(tl.int64)[:, None] * size + at[None, :]
        w = tl.load(weight + where, mask=real[:, None] & (at < size)[None, :], other=0.0)
        multiplied = tl.load(x + at, mask=at < size, other=0.0).to(tl.float32)
        total += w.to(tl.float32) * multiplied[None, :]
    value = tl.sum(total, 1)
    if BIASED:
        value += tl.load(bias + row, mask=real, other=0.0).to(tl.float32)
    tl.store(out + row, value.to(out.dtype.element_ty), mask=real)


def gemv_linear(
    x: Tensor, weight: Tensor, bias: Tensor | None, scale: Tensor | None = None
) -> Tensor:
    """`linear`; `x` [..., in], `weight` [out, in], both contiguous; `scale` [1, out] if `weight`
    is in FP8.
    """
    if scale is not None:
        product: Tensor = fp8_linear(x, weight, scale, bias)
        return product
    rows, size = weight.shape
    if x.numel() != size:
        return linear(x, weight, bias)
    out = torch.empty((*x.shape[:-1], rows), dtype=x.dtype, device=x.device)
    _dot[(triton.cdiv(rows, ROWS),)](
        x, weight, bias if bias is not None else weight, out, size, rows,
        CHUNK=CHUNK, ROWS=ROWS, BIASED=bias is not None, num_warps=8,
    )  # fmt: skip
    return out


class GemvLinear(nn.Linear):
    scale: Tensor | None = None  # of each output, if the weights are in FP8

    def forward(self, x: Tensor) -> Tensor:
        return gemv_linear(x, self.weight, self.bias, self.scale)


class JoinedLinear(nn.Module):
    """Several layers of the same input as one product."""

    scale: Tensor | None = None  # of each output, if the weights are in FP8

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.sizes = [layer.out_features for layer in layers]
        self.weight = nn.Parameter(torch.cat([layer.weight.data for layer in layers]), False)
        self.bias = None
        if getattr(layers[0], "bias", None) is not None:
            self.bias = nn.Parameter(torch.cat([layer.bias.data for layer in layers]), False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs of all joined layers, end to end."""
        return gemv_linear(x, self.weight, self.bias, self.scale)

    def parts(self, x: Tensor) -> tuple[Tensor, ...]:
        return torch.split(self(x), self.sizes, -1)
