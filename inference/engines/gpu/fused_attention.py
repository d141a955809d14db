"""Fused attention of Llama-like layers inside continuous batching.

The library's own way takes each step through a dozen small kernels and, where prompts are read,
copies keys and values out of the cache for as many tokens as the largest batch of a captured size
may have. Here a layer's queries, keys and values are one product; one kernel rotates them and
writes the cache; one more attends over the cache where it lies.
"""

from typing import Any

import torch
from torch import Tensor, nn

from inference.engines.gpu.decode_kernel import decode_attention
from inference.engines.gpu.gemv_kernel import JoinedLinear
from inference.engines.gpu.prefill_kernel import prefill_attention
from inference.engines.gpu.rope_kernel import apply_rope


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
