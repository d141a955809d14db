"""Fused linear layers and norms of Llama-like models.

- Query, key and value are one product, and so are the two halves of the gated feed-forward: a
  single token is bound by reading the weights, and small products read them slowly.
- Normalization is torch's own kernel instead of six that each pass over the activations.
- A product with one row is ours (see `product`).

Weights are laid end to end layer by layer and the old ones dropped, so nothing is stored twice.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import rms_norm

from inference.engines.gpu.families import FAMILIES
from inference.engines.gpu.fused_attention import FusedAttention
from inference.engines.gpu.gemv_kernel import JoinedLinear, gemv_linear

_ATTENTION = ("q_proj", "k_proj", "v_proj")
_FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")


def fuse(model: Any, *, in_place: bool) -> None:
    """Changes a loaded model in place. Adapters and quantized layers are left as they are.

    `in_place`: attention may be ours (see `layer`), where the family is one that it can stand for:
    in all layers or in none, since a batch tells of its cache in one way.
    """
    attending = [module for module in model.modules() if type(module).__name__ in FAMILIES]
    _replace(model, in_place and all(_plain(module, _ATTENTION) for module in attending))
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = GemvLinear
        elif hasattr(module, "variance_epsilon") and type(module).__name__.endswith("RMSNorm"):
            module.__class__ = FusedRMSNorm


def _replace(parent: Any, in_place: bool) -> None:
    for name, child in list(parent.named_children()):
        if _plain(child, _FEED_FORWARD) and hasattr(child, "act_fn"):
            setattr(parent, name, FusedGatedMLP(child))
        elif in_place and type(child).__name__ in FAMILIES and _plain(child, _ATTENTION):
            setattr(parent, name, FusedAttention(child))
        else:
            _replace(child, in_place)
    if _plain(parent, _ATTENTION):
        first = FusedQKV([getattr(parent, name) for name in _ATTENTION])
        parent.q_proj, parent.k_proj, parent.v_proj = (
            first,
            FusedSlice(first, 1),
            FusedSlice(first, 2),
        )


def _plain(module: Any, names: Sequence[str]) -> bool:
    """Return whether these are ordinary layers, all with a bias or all without."""
    layers = [getattr(module, name, None) for name in names]
    return all(type(layer) is nn.Linear for layer in layers) and (
        len({getattr(layer, "bias", None) is None for layer in layers}) == 1
    )


class GemvLinear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return gemv_linear(x, self.weight, self.bias)


class FusedRMSNorm(nn.Module):
    """Stands for `LlamaRMSNorm` and its like: the weight multiplies as it is."""

    weight: nn.Parameter
    variance_epsilon: float

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.weight.shape, self.weight, self.variance_epsilon)


class FusedQKV(JoinedLinear):
    """Hands out the first layer's part, and keeps the others'."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__(layers)
        self.kept: tuple[Tensor, ...] = ()

    def forward(self, x: Tensor) -> Tensor:
        self.kept = torch.split(super().forward(x), self.sizes, -1)
        return self.kept[0]


class FusedSlice(nn.Module):
    """Called after its `First`, with the same input: hands out what that computed."""

    def __init__(self, first: FusedQKV, part: int) -> None:
        super().__init__()
        self._first = [first]  # in a list, so that it is no submodule
        self._part = part

    def forward(self, _x: Tensor) -> Tensor:
        return self._first[0].kept[self._part]


class FusedGatedMLP(nn.Module):
    """Stands for `LlamaMLP` and its like."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.joined = JoinedLinear([plain.gate_proj, plain.up_proj])
        self.down_proj = plain.down_proj
        self.act_fn = plain.act_fn

    def forward(self, x: Tensor) -> Tensor:
        down: Tensor = self.down_proj(_gate(self.act_fn, *self.joined.parts(x)))
        return down


@torch.compile(dynamic=True)
def _gate(activation: Callable[[Tensor], Tensor], gate: Tensor, up: Tensor) -> Tensor:
    return activation(gate) * up
