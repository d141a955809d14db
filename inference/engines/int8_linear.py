"""8-bit weights on CPUs: half the memory to hold and to read, without a further package.

Each row of a matrix has a scale, and only weights are rounded, so answers hardly change. Without
AVX512-BF16 or AMX a product of a few rows takes three times as long in bfloat16 as one of a single
row; in torch's own product with whole numbers it takes hardly longer, so that people who write at
the same time no longer share one person's speed. Prompts are multiplied in float32.
"""

from typing import Any

import torch
from torch import Tensor, nn

from inference.engines.cpu_linear import MANY_ROWS, multiply_in_float32

LARGEST = 127


class Int8Linear(nn.Module):
    def __init__(self, plain: nn.Linear) -> None:
        super().__init__()
        wide = plain.weight.data.float()
        # Rounded before it is used, so that its rounding is no error of the product's.
        self.scale = (wide.abs().amax(1).clamp(min=1e-8) / LARGEST).to(torch.bfloat16)
        whole = (wide / self.scale.float()[:, None]).round().clamp(-LARGEST, LARGEST)
        self.weight = nn.Parameter(whole.to(torch.int8), requires_grad=False)
        self.bias: Tensor | None = plain.bias

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.size(-1))
        if rows.size(0) >= MANY_ROWS:
            return multiply_in_float32(x, self.weight, self.bias, self.scale)
        out = torch._weight_int8pack_mm(rows.to(torch.bfloat16), self.weight, self.scale)
        out = out if self.bias is None else out + self.bias
        return out.view(*x.shape[:-1], -1)


def shrink(model: Any) -> None:
    """Changes a model in memory in place, layer by layer. Tables of embeddings stay as they are."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear:
                setattr(parent, name, Int8Linear(child))
