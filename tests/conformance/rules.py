"""Documented rules that neither the specification says nor the local Discord refuses.

A request that the local Discord refused as invalid breaks one of the rules that it does hold.
"""

import re
from collections.abc import Iterator
from typing import Any

from playground.discord.components import displayed_text
from tests.conformance.record import Exchange

INVALID = (50006, 50035, 50109)  # empty message, invalid form body, invalid JSON
# What Discord's clients and some of its limits count.
CONTENT, LAYOUT, EMBEDS = 2000, 4000, 6000
FILE_NAME = re.compile(r"[A-Za-z0-9._-]+")


def broken(exchange: Exchange) -> Iterator[str]:
    if exchange.status == 400 and _is_invalid(exchange.response):
        yield f"refused: {exchange.response}"
    message = _message(exchange)
    if exchange.status >= 400 or message is None:
        return
    if _units(message.get("content") or "") > CONTENT:
        yield "content is over 2000 in UTF-16"
    if _units(displayed_text(message.get("components") or ())) > LAYOUT:
        yield "text displays are over 4000 in UTF-16"
    if sum(map(_units, _embed_texts(message))) > EMBEDS:
        yield "embeds are over 6000 in UTF-16"
    if message.get("nonce") is not None and not message.get("enforce_nonce"):
        yield "nonce is not enforced"
    for name in exchange.files or ():
        if not FILE_NAME.fullmatch(name):
            yield f"file name that Discord alters: {name}"


def _is_invalid(refusal: dict[str, Any]) -> bool:
    """Not where a test ordered a refusal, which names no error."""
    return refusal.get("code") in INVALID and not (
        refusal["code"] == 50035 and "errors" not in refusal
    )


def _message(exchange: Exchange) -> dict[str, Any] | None:
    body = exchange.body
    if not isinstance(body, dict):
        return None
    if exchange.path.endswith("/callback"):
        return body.get("data") if body.get("type") in (4, 7) else None
    is_message = re.search(r"/messages(?:/[^/]+)?$|/webhooks/\d+/[^/]+$", exchange.path)
    return body if is_message else None


def _embed_texts(message: dict[str, Any]) -> Iterator[str]:
    for embed in message.get("embeds") or ():
        parts = [embed, embed.get("footer") or {}, *(embed.get("fields") or ())]
        for part in parts:
            yield from (part.get(key) or "" for key in ("title", "description", "text", "value"))
        names = [embed.get("author") or {}, *(embed.get("fields") or ())]
        yield from (part.get("name") or "" for part in names)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
