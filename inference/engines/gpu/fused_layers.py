"""Fused linear layers and norms of Llama-like models.

- Query, key and value are one product, and so are the two halves of the gated feed-forward: a
  single token is bound by reading the weights, and small products read them slowly.
- Normalization is torch's own kernel instead of six that each pass over the activations.
- A product with one row is ours (see `gemv_kernel`).

Weights are laid end to end layer by layer and the old ones dropped, so nothing is stored twice.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import rms_norm

from inference.engines.gpu.attention import FAMILIES
from inference.engines.gpu.decode_kernel import decode_attention
from inference.engines.gpu.gemv_kernel import GemvLinear, JoinedLinear
from inference.engines.gpu.prefill_kernel import prefill_attention
from inference.engines.gpu.rope_kernel import apply_rope

_ATTENTION = ("q_proj", "k_proj", "v_proj")
_FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")


def fuse(model: Any, *, in_place: bool) -> None:
    """Changes a loaded model in place. Adapters and quantized layers are left as they are.

    `in_place`: attention may be ours (see `FusedAttention`), where it can stand for the family's:
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
    """Called after its `FusedQKV`, with the same input: hands out what that computed."""

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


# Fused attention of Llama-like layers inside continuous batching.
#
# The library's own way takes each step through a dozen small kernels and, where prompts are read,
# copies keys and values out of the cache for as many tokens as the largest batch of a captured
# size may have. Here a layer's queries, keys and values are one product; one kernel rotates them
# and writes the cache; one more attends over the cache where it lies.


class FusedAttention(nn.Module):
    """Stands for one of `FAMILIES`; runs inside the library's continuous batching only."""

    reads_in_place = True  # `Sizes` asks

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.joined = JoinedLinear([plain.q_proj, plain.k_proj, plain.v_proj])
        self.o_proj = plain.o_proj
        self._layer: int = plain.layer_idx
        self._scale: float = plain.scaling
        self._size: int = plain.head_dim
        self._heads, self._groups = (n // self._size for n in self.joined.sizes[:2])
        self._norms = None
        if hasattr(plain, "q_norm"):
            query, key = plain.q_norm, plain.k_norm
            self._norms = (query.weight.data, key.weight.data, query.variance_epsilon)

    def forward(
        self,
        hidden_states: Tensor,
        position_embeddings: tuple[Tensor, Tensor],
        attention_mask: Tensor | None = None,  # noqa: ARG002 — the library's masks say the same
        cache: Any = None,
        **batch: Any,
    ) -> tuple[Tensor, None]:
        """`hidden_states` [1, T, hidden]; `batch` is the library's PagedAttentionArgs."""
        joined = self.joined(hidden_states)
        mixed = self._attend(joined[0], *position_embeddings, cache, batch)
        return self.o_proj(mixed.view(1, -1, self._heads * self._size)), None

    @torch.compiler.disable
    def _attend(
        self, joined: Tensor, cos: Tensor, sin: Tensor, cache: Any, batch: dict[str, Any]
    ) -> Tensor:
        tokens = joined.size(0)
        query = joined.new_empty(tokens, self._heads, self._size)
        allocator = cache.layer_to_allocator[self._layer]
        known = batch["cu_seq_lens_k"][allocator.layer_type]
        if batch.get("block_table") is not None:
            pages = batch["block_table"][allocator.index]
            own = joined.new_empty(2, tokens, self._groups, self._size)
            apply_rope(joined, cos[0], sin[0], query, own[0], own[1], None, self._norms)
            one = (t[:, None] for t in (query, own[0], own[1]))
            lengths = known[1 : tokens + 1] - known[:tokens] - 1
            keys, values = allocator.get_cache_for_block_table(self._layer)
            return _decode_one(one, keys, values, lengths, pages, self._scale)
        keys, values = allocator._kv_token_views[self._layer]
        places, own_pages = (batch[name][allocator.index] for name in ("write_index", "read_index"))
        apply_rope(joined, cos[0], sin[0], query, keys, values, places, self._norms)
        size, new = allocator.tokens_per_page, batch["cu_seq_lens_q"]
        return prefill_attention(query, keys, values, own_pages, size, new, known, self._scale)


def _decode_one(
    new: Any, keys: Tensor, values: Tensor, lengths: Tensor, pages: Tensor, scale: float
) -> Tensor:
    query, key, value = new
    return decode_attention(query, keys, values, key, value, lengths, pages, scale)
