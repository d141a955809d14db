"""Prefill on CPUs that cannot multiply in bfloat16.

Weights stay in bfloat16: drawing one token is bound by reading them. But without AVX512-BF16 or
AMX, a product of many rows runs element by element, several times slower than in float32 even
when the weights are converted on the spot. Whether that holds here is measured, not guessed.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

MANY_ROWS = 16  # from here on the conversion pays
BLOCK = 256  # rows of weights: multiplied while they lie, converted, in the processor's cache


class ConvertingLinear(nn.Linear):
    """A bfloat16 layer that multiplies many rows in float32."""

    def forward(self, x: Tensor) -> Tensor:
        if x.numel() < MANY_ROWS * self.in_features:
            return linear(x, self.weight, self.bias)
        return multiply_in_float32(x, self.weight, self.bias)


def multiply_in_float32(
    x: Tensor, weight: Tensor, bias: Tensor | None, scale: Tensor | None = None
) -> Tensor:
    """`linear`; each row of `weight` times `scale`, where there is one.

    A weight converted as a whole is written to memory and read again, eight bytes for two.
    """
    columns = x.reshape(-1, x.size(-1)).float().t().contiguous()
    product = torch.cat([block.float() @ columns for block in torch.split(weight, BLOCK)]).t()
    product = product if scale is None else product * scale
    product = product if bias is None else product + bias
    return product.to(x.dtype).reshape(*x.shape[:-1], -1)


def speed_up_prefill(model: Any) -> bool:
    """Makes `model`'s layers convert where that is faster; whether it did."""
    if model.device.type != "cpu" or not conversion_pays():
        return False
    for layer in model.modules():
        if type(layer) is nn.Linear and layer.weight.dtype is torch.bfloat16:
            layer.__class__ = ConvertingLinear
    return True


@cache  # of a machine, not of a model
def conversion_pays() -> bool:
    """Measure whether conversion is faster for as many rows as a long prompt has; few rows may
    differ.
    """
    x = torch.ones(16 * MANY_ROWS, 1024, dtype=torch.bfloat16)
    weight = torch.ones(2048, 1024, dtype=torch.bfloat16)
    return _seconds(lambda: multiply_in_float32(x, weight, None)) < _seconds(
        lambda: linear(x, weight)
    )


def _seconds(work: Callable[[], object]) -> float:
    """The best of a few runs, the first left out: it builds what the others reuse."""
    times = []
    for _ in range(4):
        begun = time.process_time()  # of all threads: other processes' load does not count
        work()
        times.append(time.process_time() - begun)
    return min(times[1:])


# 8-bit weights on CPUs: half the memory to hold and to read, without a further package.
#
# Each row of a matrix has a scale, and only weights are rounded, so answers hardly change.
# Without AVX512-BF16 or AMX a product of a few rows takes three times as long in bfloat16 as one
# of a single row; in torch's own product with whole numbers it takes hardly longer, so that
# people who write at the same time no longer share one person's speed. Prompts are multiplied in
# float32.

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
