"""Attention of prompts, or pieces of them, over the paged cache of their requests.

The library gathers keys and values out of the cache before attention, as many as the largest batch
of a captured size has; this kernel reads them where they lie, a page after another (see
`page_tables`). The new ones were put there before.
Query heads that share a key head are rows of one matrix product, so that a request's single next
token, which may come in the same batch, reads its cache once.

Shapes: T new tokens of N requests lie end to end; H query heads, G key heads, D their size.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

ROWS = 128  # of a matrix product: tokens times the heads that share a key head
TILE = 64  # cached tokens a step; a page is a multiple of it
_LOG2_E = 1.4426950408889634


@triton.jit
def _read(
    query, keys, values, pages, new, known, output, requests, scale,
    H: tl.constexpr, G: tl.constexpr, D: tl.constexpr, S: tl.constexpr,
    ROWS: tl.constexpr, TOKENS: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    """`TOKENS` new tokens of one request and key head.

    A request begins with the program `new[n] // TOKENS + n`, so that there are enough for all.
    """
    program, group = tl.program_id(0), tl.program_id(1)
    low, high = 0, requests
    while low < high:
        middle = (low + high) // 2
        if tl.load(new + middle) // TOKENS + middle <= program:
            low = middle + 1
        else:
            high = middle
    request = low - 1
    begun = tl.load(new + request)
    tokens = tl.load(new + request + 1) - begun
    first = (program - begun // TOKENS - request) * TOKENS
    if first < tokens:
        known_from = tl.load(known + request)
        before = tl.load(known + request + 1) - known_from - tokens
        own_pages = pages + known_from // S + request
        row, column, step = tl.arange(0, ROWS), tl.arange(0, D), tl.arange(0, TILE)
        token, head = first + row // (H // G), group * (H // G) + row % (H // G)
        real = ((row < TOKENS * (H // G)) & (token < tokens))[:, None]
        own = ((begun + token).to(tl.int64) * H + head)[:, None] * D + column[None, :]
        q = tl.load(query + own, mask=real, other=0.0)
        best = tl.full([ROWS], float("-inf"), tl.float32)
        total = tl.zeros([ROWS], tl.float32)
        mixed = tl.zeros([ROWS, D], tl.float32)
        end = before + tl.minimum(first + TOKENS, tokens)
        for start in range(0, end, TILE):
            at = start + step
            place = tl.load(own_pages + start // S).to(tl.int64) + start % S + step
            where = (place * G + group)[:, None] * D + column[None, :]
            k = tl.load(keys + where, mask=(at < end)[:, None], other=0.0)
            v = tl.load(values + where, mask=(at < end)[:, None], other=0.0)
            seen = (at[None, :] <= before + token[:, None]) & (at < end)[None, :]
            score = tl.where(seen, tl.dot(q, tl.trans(k)) * scale, float("-inf"))
            higher = tl.maximum(best, tl.max(score, 1))
            weight = tl.exp2(score - higher[:, None])
            fade = tl.exp2(best - higher)
            total = total * fade + tl.sum(weight, 1)
            mixed = mixed * fade[:, None] + tl.dot(weight.to(v.dtype), v)
            best = higher
        tl.store(output + own, (mixed / total[:, None]).to(output.dtype.element_ty), mask=real)


def prefill_attention(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    pages: Tensor,
    page_tokens: int,
    new: Tensor,
    known: Tensor,
    scale: float,
) -> Tensor:
    """Each new token sees what its request had before it, and itself. Returns [T, H, D].

    `query` [T, H, D]; `keys`, `values` [tokens, G, D] of the whole cache; `new` [N + 1], int32,
    where in `query` each request begins; `known` [N + 1], int32, the same of all tokens that they
    have, cached and new; `pages`, where in the cache a page of `page_tokens` begins, of request n
    from `known[n] // page_tokens + n` on. Rows of no request are left as they are.
    """
    tokens, heads, size = query.shape
    groups, requests = keys.shape[1], new.numel() - 1
    each = ROWS // (heads // groups)
    output = torch.empty_like(query)
    _read[(tokens // each + requests, groups)](
        query, keys, values, pages, new, known, output, requests, scale * _LOG2_E,
        H=heads, G=groups, D=size, S=page_tokens, ROWS=ROWS, TOKENS=each, TILE=TILE,
        num_warps=8, num_stages=2 if size > 128 else 3,
    )  # fmt: skip
    return output
