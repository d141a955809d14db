"""Rotary embedding of queries and keys, which also writes keys and values to the cache.

One pass over what the joined product of a layer made, in place of the ten that plain tensor
arithmetic takes: norms of the heads (Qwen3), both halves' products, and the copies into the cache.
"""

import triton
import triton.language as tl
from torch import Tensor

HEADS = 8  # a program


@triton.jit
def _rotate(
    joined, cos, sin, query, keys, values, places, query_norm, key_norm, epsilon, row,
    H: tl.constexpr, G: tl.constexpr, D: tl.constexpr,
    HEADS: tl.constexpr, PLACED: tl.constexpr, NORMED: tl.constexpr,
):  # fmt: skip
    """Some heads of one token: queries first, then keys, then values, which only move."""
    token, half = tl.program_id(0), D // 2
    head, column = tl.program_id(1) * HEADS + tl.arange(0, HEADS), tl.arange(0, D // 2)
    real = (head < H + 2 * G)[:, None]
    at = joined + token.to(tl.int64) * row + head[:, None] * D + column[None, :]
    low = tl.load(at, mask=real, other=0.0).to(tl.float32)
    high = tl.load(at + half, mask=real, other=0.0).to(tl.float32)
    turned = (head < H + G)[:, None]
    if NORMED:
        scale = tl.rsqrt((tl.sum(low * low, 1) + tl.sum(high * high, 1)) / D + epsilon)[:, None]
        asks = (head < H)[:, None]
        first = tl.where(asks, tl.load(query_norm + column)[None, :], tl.load(key_norm + column))
        last = tl.where(
            asks, tl.load(query_norm + half + column)[None, :], tl.load(key_norm + half + column)
        )
        low = tl.where(turned, low * scale * first.to(tl.float32), low)
        high = tl.where(turned, high * scale * last.to(tl.float32), high)
    angle = token * D + column
    a = low * tl.load(cos + angle).to(tl.float32) - high * tl.load(sin + angle).to(tl.float32)
    b = high * tl.load(cos + angle + half).to(tl.float32)
    b += low * tl.load(sin + angle + half).to(tl.float32)
    low, high = tl.where(turned, a, low), tl.where(turned, b, high)
    kind = query.dtype.element_ty
    low, high = low.to(kind), high.to(kind)
    place = tl.load(places + token).to(tl.int64) if PLACED else token.to(tl.int64)
    to = query + (token.to(tl.int64) * H + head[:, None]) * D + column[None, :]
    mask = (head < H)[:, None]
    tl.store(to, low, mask=mask)
    tl.store(to + half, high, mask=mask)
    to = keys + (place * G + head[:, None] - H) * D + column[None, :]
    mask = ((head >= H) & (head < H + G))[:, None]
    tl.store(to, low, mask=mask)
    tl.store(to + half, high, mask=mask)
    to = values + (place * G + head[:, None] - H - G) * D + column[None, :]
    mask = ((head >= H + G) & (head < H + 2 * G))[:, None]
    tl.store(to, low, mask=mask)
    tl.store(to + half, high, mask=mask)


def apply_rope(
    joined: Tensor,
    cos: Tensor,
    sin: Tensor,
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    places: Tensor | None,
    norms: tuple[Tensor, Tensor, float] | None,
) -> None:
    """Fills `query` [T, H, D], and `keys` and `values` [tokens, G, D] at `places` [T], or in order.

    `joined` [T, (H + 2 G) D], its last dimension contiguous; `cos`, `sin` [T, D], contiguous;
    `norms` the weights [D] of the queries' and the keys' norm, and their epsilon.
    """
    tokens, heads, size = query.shape
    groups = keys.shape[1]
    query_norm, key_norm, epsilon = norms or (cos, cos, 0.0)
    _rotate[(tokens, triton.cdiv(heads + 2 * groups, HEADS))](
        joined, cos, sin, query, keys, values, cos if places is None else places,
        query_norm, key_norm, epsilon, joined.stride(0),
        H=heads, G=groups, D=size, HEADS=HEADS, PLACED=places is not None, NORMED=norms is not None,
        num_warps=4,
    )  # fmt: skip
