"""Weights in FP8 (e4m3), each row of a matrix with a scale of its own.

A GPU multiplies them directly (`inference.engines.gpu.fp8_linear`). `SimulatedFp8Linear` rounds in
the same way on any device, so that the effect on quality can be measured without a GPU.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

DTYPE = torch.float8_e4m3fn
LARGEST = 448.0  # https://arxiv.org/abs/2209.05433
# Up to this many rows an activation stays in bfloat16: such a product is bound by reading weights.
MAX_BF16_ROWS = 1
# Of rows and columns, for torch's product of two FP8 matrices.
ALIGNMENT = 16


def quantize_rows(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return `x` [rows, columns] in FP8 and the scale of each row [rows, 1] in float32."""
    wide = x.float()
    scale = wide.abs().amax(1, keepdim=True).clamp(min=1e-12) / LARGEST
    return (wide / scale).clamp(-LARGEST, LARGEST).to(DTYPE), scale


def find_linear_layers(model: Any) -> Iterator[Any]:
    """Yield the layers whose weights become FP8: all linear ones but the head.

    The head decides between tokens that are nearly as probable as each other, and it is a small
    part of a step.
    """
    head = model.get_output_embeddings()
    for layer in model.modules():
        weight = getattr(layer, "weight", None)
        if layer is head or not isinstance(weight, Tensor) or isinstance(layer, nn.Embedding):
            continue
        if weight.dim() == 2 and not any(side % ALIGNMENT for side in weight.shape):
            yield layer


class SimulatedFp8Linear(nn.Linear):
    """Rounds as the GPU's layer does and multiplies in the activation's own type."""

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.size(-1))
        if len(rows) > MAX_BF16_ROWS:
            rounded, scale = quantize_rows(rows)
            x = (rounded.float() * scale).to(x.dtype).view_as(x)
        return linear(x, self.weight, self.bias)


def simulate(model: Any) -> None:
    """Round a loaded model's weights in place as FP8 rounds them."""
    for layer in find_linear_layers(model):
        rounded, scale = quantize_rows(layer.weight.data)
        layer.weight.data = (rounded.float() * scale).to(layer.weight.dtype)
        layer.__class__ = SimulatedFp8Linear
