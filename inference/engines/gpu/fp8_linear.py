"""Products with FP8 weights.

One row is bound by reading the weights, which are half as large as in bfloat16: our kernel reads
them and multiplies in float32. For more rows each activation row gets a scale, and the GPU
multiplies FP8 by FP8 (`torch._scaled_mm`).
"""

from math import gcd
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor, nn

from inference.engines.fp8 import (
    ALIGNMENT,
    DTYPE,
    LARGEST,
    MAX_BF16_ROWS,
    find_linear_layers,
    quantize_rows,
)

CHUNK = 512  # columns that a program reads at once


@triton.jit
def _multiply_row(x, weight, scale, bias, out, columns, CHUNK: tl.constexpr, BIASED: tl.constexpr):
    """One number of the output, added up in float32. `CHUNK` divides `columns`: without masks, a
    load is a few wide instructions.
    """
    output = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, CHUNK)
    total = tl.zeros([CHUNK], tl.float32)
    for first in range(0, columns, CHUNK):
        at = first + column
        w = tl.load(weight + output * columns + at, eviction_policy="evict_first")
        total += w.to(tl.float32) * tl.load(x + at).to(tl.float32)
    value = tl.sum(total, 0) * tl.load(scale + output)
    if BIASED:
        value += tl.load(bias + output).to(tl.float32)
    tl.store(out + output, value.to(out.dtype.element_ty))


@triton.jit
def _quantize(x, out, scales, columns, LARGEST: tl.constexpr, BLOCK: tl.constexpr):
    """One row: its largest value becomes the largest one of FP8."""
    row, column = tl.program_id(0), tl.arange(0, BLOCK)
    where = row.to(tl.int64) * columns + column
    values = tl.load(x + where, mask=column < columns, other=0.0).to(tl.float32)
    scale = tl.maximum(tl.max(tl.abs(values), 0), 1e-12) / LARGEST
    tl.store(scales + row, scale)
    tl.store(out + where, (values / scale).to(out.dtype.element_ty), mask=column < columns)


def quantize_activations(x: Tensor) -> tuple[Tensor, Tensor]:
    """`quantize_rows` in one kernel; `x` [rows, columns] is contiguous. The results have more rows,
    of no meaning, so that cuBLAS has a product for their number.
    """
    rows, columns = x.shape
    aligned = ALIGNMENT * triton.cdiv(rows, ALIGNMENT)
    out = torch.empty(aligned, columns, dtype=DTYPE, device=x.device)
    scales = torch.empty(aligned, 1, dtype=torch.float32, device=x.device)
    block = triton.next_power_of_2(columns)
    _quantize[(rows,)](x, out, scales, columns, LARGEST=LARGEST, BLOCK=block, num_warps=8)
    return out, scales


# Opaque to torch.compile: it would trace a graph for each number of rows.
@torch.library.custom_op("commonroom::fp8_linear", mutates_args=())
def fp8_linear(x: Tensor, weight: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    """`linear`; `x` [..., columns] in bfloat16, `weight` [outputs, columns] in FP8, `scale`
    [1, outputs].
    """
    outputs, columns = weight.shape
    flat = x.reshape(-1, columns).contiguous()
    if len(flat) > MAX_BF16_ROWS:
        rounded, scales = quantize_activations(flat)
        product = torch._scaled_mm(
            rounded, weight.t(), scales, scale, out_dtype=x.dtype, use_fast_accum=True
        )[: len(flat)]
        return (product if bias is None else product + bias).view(*x.shape[:-1], outputs)
    out = torch.empty(*x.shape[:-1], outputs, dtype=x.dtype, device=x.device)
    _multiply_row[(outputs,)](
        flat, weight, scale, weight if bias is None else bias, out, columns,
        CHUNK=gcd(columns, CHUNK), BIASED=bias is not None, num_warps=2,
    )  # fmt: skip
    return out


@fp8_linear.register_fake
def _(x: Tensor, weight: Tensor, _scale: Tensor, _bias: Tensor | None) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.size(0))


def quantize(model: Any) -> None:
    """Turn the weights of a fused model into FP8 in place, layer by layer."""
    for layer in find_linear_layers(model):
        weight, scale = quantize_rows(layer.weight)
        layer.weight = nn.Parameter(weight, requires_grad=False)
        layer.scale = scale.t().contiguous()
    torch.cuda.empty_cache()  # so that the cache of keys and values gets what became free
