"""Fewer and larger steps for Llama-like layers, which most models are made of.

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

from inference.engines.gpu.product import product

_ATTENTION = ("q_proj", "k_proj", "v_proj")
_FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")


def fuse(model: Any) -> None:
    """Changes a loaded model in place. Adapters and quantized layers are left as they are."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if _plain(child, _FEED_FORWARD) and hasattr(child, "act_fn"):
                setattr(parent, name, Gated(child))
        if _plain(parent, _ATTENTION):
            joined = Joined([getattr(parent, name) for name in _ATTENTION])
            parent.q_proj, parent.k_proj, parent.v_proj = joined, Rest(joined, 1), Rest(joined, 2)
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = Product
        elif hasattr(module, "variance_epsilon") and type(module).__name__.endswith("RMSNorm"):
            module.__class__ = Norm


def _plain(module: Any, names: Sequence[str]) -> bool:
    """Whether these are ordinary layers, all with a bias or all without."""
    layers = [getattr(module, name, None) for name in names]
    return all(type(layer) is nn.Linear for layer in layers) and (
        len({getattr(layer, "bias", None) is None for layer in layers}) == 1
    )


class Product(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return product(x, self.weight, self.bias)


class Norm(nn.Module):
    """Stands for `LlamaRMSNorm` and its like: the weight multiplies as it is."""

    weight: nn.Parameter
    variance_epsilon: float

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.weight.shape, self.weight, self.variance_epsilon)


class Joined(nn.Module):
    """Several layers of the same input. Hands out the first's part, and keeps the others'."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.sizes = [layer.out_features for layer in layers]
        self.weight = nn.Parameter(torch.cat([layer.weight.data for layer in layers]), False)
        self.bias = None
        if getattr(layers[0], "bias", None) is not None:
            self.bias = nn.Parameter(torch.cat([layer.bias.data for layer in layers]), False)
        self.parts: tuple[Tensor, ...] = ()

    def all(self, x: Tensor) -> tuple[Tensor, ...]:
        return torch.split(product(x, self.weight, self.bias), self.sizes, -1)

    def forward(self, x: Tensor) -> Tensor:
        self.parts = self.all(x)
        return self.parts[0]


class Rest(nn.Module):
    """Called after its `Joined`, with the same input: hands out what that computed."""

    def __init__(self, joined: Joined, part: int) -> None:
        super().__init__()
        self._joined = [joined]  # in a list, so that it is no submodule
        self._part = part

    def forward(self, _x: Tensor) -> Tensor:
        return self._joined[0].parts[self._part]


class Gated(nn.Module):
    """Stands for `LlamaMLP` and its like."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.joined = Joined([plain.gate_proj, plain.up_proj])
        self.down_proj = plain.down_proj
        self.act_fn = plain.act_fn

    def forward(self, x: Tensor) -> Tensor:
        down: Tensor = self.down_proj(_gated(self.act_fn, *self.joined.all(x)))
        return down


@torch.compile(dynamic=True)
def _gated(activation: Callable[[Tensor], Tensor], gate: Tensor, up: Tensor) -> Tensor:
    return activation(gate) * up
