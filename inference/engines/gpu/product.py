"""The matrix product of a single token, bound by nothing but reading the weights.

cuBLAS reads the small weights of a layer at two thirds of the memory's bandwidth and the large ones
at 0.9 of it, when there is one row to multiply. One program for each row of the weights reads them
all at 0.9 to 1 of it, and needs no second kernel to add up parts.
"""

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor, nn
from torch.nn.functional import linear

CHUNK = 1024


@triton.jit
def _dot(x, weight, bias, out, size, CHUNK: tl.constexpr, BIASED: tl.constexpr):
    """One number of the output: a row of the weights times `x`, added up in float32."""
    row, column = tl.program_id(0), tl.arange(0, CHUNK)
    total = tl.zeros([CHUNK], tl.float32)
    for first in range(0, size, CHUNK):
        at = first + column
        w = tl.load(weight + row.to(tl.int64) * size + at, mask=at < size, other=0.0)
        total += w.to(tl.float32) * tl.load(x + at, mask=at < size, other=0.0).to(tl.float32)
    value = tl.sum(total, 0)
    if BIASED:
        value += tl.load(bias + row).to(tl.float32)
    tl.store(out + row, value.to(out.dtype.element_ty))


def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`linear`; `x` [..., in], `weight` [out, in], both contiguous."""
    rows, size = weight.shape
    if x.numel() != size:
        return linear(x, weight, bias)
    out = torch.empty((*x.shape[:-1], rows), dtype=x.dtype, device=x.device)
    _dot[(rows,)](
        x, weight, bias if bias is not None else weight, out, size,
        CHUNK=CHUNK, BIASED=bias is not None, num_warps=8,
    )  # fmt: skip
    return out


class Joined(nn.Module):
    """Several layers of the same input as one product."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.sizes = [layer.out_features for layer in layers]
        self.weight = nn.Parameter(torch.cat([layer.weight.data for layer in layers]), False)
        self.bias = None
        if getattr(layers[0], "bias", None) is not None:
            self.bias = nn.Parameter(torch.cat([layer.bias.data for layer in layers]), False)

    def forward(self, x: Tensor) -> Tensor:
        """What all of them would return, end to end."""
        return product(x, self.weight, self.bias)

    def parts(self, x: Tensor) -> tuple[Tensor, ...]:
        return torch.split(self(x), self.sizes, -1)
