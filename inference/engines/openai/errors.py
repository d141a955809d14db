"""What goes wrong between here and a server.

    EngineBroken
    └── Refused          this server gave no answer; another one may
        ├── Unreachable      nobody is there
        ├── Busy             it asks to be left alone for a while
        └── Misconfigured    it answers nobody before an operator changes something

What is wrong with the request itself is a BadRequest, as of any engine.
"""

import re
from typing import Any

import aiohttp
import msgspec

from inference.engines.base import BadRequest, EngineBroken, TooLong, Unsupported

LONGEST_REASON = 200  # characters; some servers tell the whole request back
REST_S = 1.0  # of a busy server that does not say for how long
LONGEST_REST_S = 60.0

# As llama.cpp, SGLang and vLLM say it: "… the available context size (512 tokens)".
_CONTEXT = re.compile(r"context.?(?:length|size|window)\D{0,20}(\d+)", re.IGNORECASE)


class Refused(EngineBroken):
    """This server gave no answer."""


class Unreachable(Refused):
    """Nobody is there."""


class Busy(Refused):
    def __init__(self, reason: str, rest_s: float) -> None:
        super().__init__(reason)
        self.rest_s = rest_s


class Misconfigured(Refused):
    """An operator has to change something."""


async def raise_for(response: aiohttp.ClientResponse) -> None:
    """Say in our words what an answer other than 200 means."""
    if response.status == 200:
        return
    told = explanation(await response.content.read(64 * 1024))
    reason = f"it answers {response.status}" + (f" ({told})" if told else "")
    if response.status in (401, 403):
        raise Misconfigured(f"it refuses the API key: {reason}")
    if response.status in (429, 503):
        raise Busy(reason, rest_s(response.headers.get("Retry-After", "")))
    if response.status in (400, 413, 422):
        raise bad_request(reason)
    raise Refused(reason)


def bad_request(reason: str) -> BadRequest:
    if found := _CONTEXT.search(reason):
        return TooLong(max(map(int, re.findall(r"\d+", reason))), int(found[1]))
    return Unsupported(reason) if "image" in reason.lower() else BadRequest(reason)


def explanation(body: bytes) -> str:
    """The sentence in an error's body, whichever of the usual shapes it has."""
    try:
        told: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    for key in ("error", "detail", "message"):
        if isinstance(told, dict) and told.get(key):
            told = told[key]
    return " ".join(told.split())[:LONGEST_REASON] if isinstance(told, str) else ""


def rest_s(retry_after: str) -> float:
    """Seconds; a date, which the header also allows, counts as silence."""
    try:
        return min(max(float(retry_after), 0.1), LONGEST_REST_S)
    except ValueError:
        return REST_S
