"""Attention of one new token per request over a paged cache, as Triton kernels.

Flash-decoding (Dao, Haziza, Massa, Sizov 2023): the cached tokens of a request are cut into
splits that are attended to side by side, each with its own softmax, and joined afterwards. The
query heads that share a key head are rows of one matrix product. The same kernel writes the new
key and value into their page, so the cache is touched once.

Shapes: R requests, H query heads, G key heads, D their size (a power of two), P pages of S tokens.
"""

from typing import Any

import torch
import triton
import triton.language as tl

TILE = 64  # cached tokens a step; a page is a multiple of it
MIN_ROWS = 16  # of a matrix product on tensor cores
PROGRAMS = 384  # about three for each multiprocessor of the largest cards
MAX_SPLITS = 32
_LOG2_E = 1.4426950408889634


@triton.jit
def _attend(
    query, new_key, new_value, keys, values, pages, lengths, partial, sums,
    scale, pages_a_row,
    H: tl.constexpr, G: tl.constexpr, D: tl.constexpr, S: tl.constexpr,
    TILE: tl.constexpr, SPLITS: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """One split of one request and key head: `partial` [R, H, SPLITS, D], `sums` [.., 2]."""
    request, head, split = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    length = tl.load(lengths + request)
    row, column, token = tl.arange(0, ROWS), tl.arange(0, D), tl.arange(0, TILE)
    real = row < H // G
    heads = request * H + head * (H // G) + row
    q = tl.load(query + heads[:, None] * D + column[None, :], mask=real[:, None], other=0.0)
    best = tl.full([ROWS], float("-inf"), tl.float32)
    total = tl.zeros([ROWS], tl.float32)
    mixed = tl.zeros([ROWS, D], tl.float32)
    if split == 0:
        own = (request * G + head) * D + column
        k, v = tl.load(new_key + own), tl.load(new_value + own)
        best = tl.sum(q.to(tl.float32) * k.to(tl.float32)[None, :], 1) * scale
        total += 1.0
        mixed += v.to(tl.float32)[None, :]
        if length >= 0:  # else the row is padding of a captured graph
            page = tl.load(pages + request * pages_a_row + length // S).to(tl.int64)
            if page >= 0:
                at = ((page * S + length % S) * G + head) * D + column
                tl.store(keys + at, k)
                tl.store(values + at, v)
    tiles = tl.cdiv(tl.maximum(length, 0), TILE)
    each = tl.cdiv(tiles, SPLITS)
    for tile in range(split * each, tl.minimum((split + 1) * each, tiles)):
        first = tile * TILE
        page = tl.load(pages + request * pages_a_row + first // S).to(tl.int64)
        at = ((page * S + first % S + token) * G + head) * D
        cached = first + token < length
        k = tl.load(keys + at[:, None] + column[None, :], mask=cached[:, None], other=0.0)
        v = tl.load(values + at[:, None] + column[None, :], mask=cached[:, None], other=0.0)
        score = tl.where(cached[None, :], tl.dot(q, tl.trans(k)) * scale, float("-inf"))
        higher = tl.maximum(best, tl.max(score, 1))
        weight = tl.exp2(score - higher[:, None])
        fade = tl.exp2(best - higher)
        total = total * fade + tl.sum(weight, 1)
        mixed = mixed * fade[:, None] + tl.dot(weight.to(v.dtype), v)
        best = higher
    out = heads * SPLITS + split
    tl.store(partial + out[:, None] * D + column[None, :], mixed, mask=real[:, None])
    tl.store(sums + out * 2, best, mask=real)
    tl.store(sums + out * 2 + 1, total, mask=real)


@triton.jit
def _join(partial, sums, output, D: tl.constexpr, SPLITS: tl.constexpr):
    """The splits of one head become its output."""
    at = tl.program_id(0)
    split, column = tl.arange(0, SPLITS), tl.arange(0, D)
    best = tl.load(sums + (at * SPLITS + split) * 2)
    total = tl.load(sums + (at * SPLITS + split) * 2 + 1)
    share = tl.exp2(best - tl.max(best, 0))
    mixed = tl.load(partial + (at * SPLITS + split)[:, None] * D + column[None, :])
    out = tl.sum(mixed * share[:, None], 0) / tl.sum(total * share, 0)
    tl.store(output + at * D + column, out.to(output.dtype.element_ty))


def decode_attention(
    q: torch.Tensor,
    k_cache: torch.Tensor,
    v_cache: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    cache_seqlens: torch.Tensor,
    block_table: torch.Tensor,
    softmax_scale: float | None = None,
    causal: bool = False,  # noqa: ARG001 — a last token sees all
) -> torch.Tensor:
    """Attends to the cache and the new token, and caches it.

    `q` [R, 1, H, D]; `k`, `v` [R, 1, G, D]; caches [P, S, G, D]; `cache_seqlens` [R] int32, cached
    tokens without the new one, below 0 for padding; `block_table` [R, n] int32.
    Returns [R, 1, H, D]. The signature is that of flash-attn's `flash_attn_with_kvcache`.
    """
    requests, _, heads, size = q.shape
    page_tokens, groups = k_cache.shape[1], k_cache.shape[2]
    splits = _splits(requests * groups)
    q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
    partial = q.new_empty((requests, heads, splits, size), dtype=torch.float32)
    sums = q.new_empty((requests, heads, splits, 2), dtype=torch.float32)
    shape: dict[str, Any] = {"D": size, "SPLITS": splits}
    _attend[(requests, groups, splits)](
        q, k, v, k_cache, v_cache, block_table, cache_seqlens, partial, sums,
        (softmax_scale or size**-0.5) * _LOG2_E, block_table.stride(0),
        H=heads, G=groups, S=page_tokens, TILE=TILE, ROWS=max(MIN_ROWS, heads // groups),
        **shape, num_warps=4, num_stages=3,
    )  # fmt: skip
    output = torch.empty_like(q)
    _join[(requests * heads,)](partial, sums, output, **shape)
    return output


def _splits(programs: int) -> int:
    """A power of two, so that there are enough programs to fill a card."""
    splits = 1
    while splits < MAX_SPLITS and programs * splits < PROGRAMS:
        splits *= 2
    return splits
