"""What goes wrong between the worker and a server.

    EngineFailed
    └── ServerFailed             this server gave no answer; another one may
        ├── ServerUnreachable    no server is there
        ├── EndpointMissing      the server has nothing at that address
        ├── ServerBusy           the server asks to be left alone for a while
        └── ServerMisconfigured  an operator must change something first

What is wrong with the request itself is a BadRequest, as for any engine. After a
ParametersRejected, the request can be sent again without the parameters that it names.
"""

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from common.redact import redact
from inference.engines.base import (
    BadRequest,
    EngineError,
    EngineFailed,
    Message,
    PromptTooLong,
    UnsupportedRequest,
)

LONGEST_REASON = 200  # characters; some servers tell the whole request back
REPEATED = 12  # characters, from which on an error's words are the conversation's
LONGEST_ERROR = 64 * 1024  # bytes
REST_S = 1.0  # of a busy server that does not say for how long
LONGEST_REST_S = 60.0

# Without these a question is still the same question, if a less exact one.
OPTIONAL = (
    *("stream_options", "max_tokens", "max_completion_tokens", "stop", "seed", "temperature"),
    *("top_p", "top_k", "repetition_penalty", "repeat_penalty", "repeat_last_n", "tools"),
    *("skip_special_tokens", "chat_template_kwargs", "enable_thinking", "return_progress"),
    "stream",
)

# As llama.cpp, SGLang and vLLM say it: "… the available context size (512 tokens)".
_CONTEXT = re.compile(r"context.?(?:length|size|window)\D{0,20}(\d{1,9})", re.IGNORECASE)
_NOT_TAKEN = re.compile(
    r"unsupported|un(?:known|expected|recogni[sz]ed)|forbidden|deprecated|不支持|未知|非法参数"
    r"|not\s+(?:be\s+)?(?:supported|permitted|allowed|recogni[sz]ed|accepted|valid|known|available"
    r"|implemented|enabled)|extra[ _](?:inputs?|fields?|forbidden|parameter|argument)"
    r"|(?:does|do|did|can)(?:n't|\s*not)\s+(?:support|take|accept|allow|recogni[sz]e|know)"
    r"|(?:invalid|no such) (?:parameter|argument|field|key)",
    re.IGNORECASE,
)
_NEAR = 100  # characters between a parameter's name and what is said of it
_KEYS = ("error", "errors", "detail", "message", "msg", "error_msg", "error_message", "reason")
_MARKUP = re.compile(
    r"<(script|style)\b.{0,10000}?</\1\s*>|<[^<>]{0,1000}>", re.DOTALL | re.IGNORECASE
)
_TITLE = re.compile(r"<(title|h1)\b[^<>]{0,200}>([^<]{1,500})", re.IGNORECASE)
# Control characters, and those that only direct how others are drawn.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+"
)


class ServerFailed(EngineFailed):
    """This server gave no answer."""


class ServerUnreachable(ServerFailed):
    """No server answered."""


class EndpointMissing(ServerFailed):
    """The server has nothing at that address."""


class ServerBusy(ServerFailed):
    def __init__(self, reason: str, rest_s: float) -> None:
        super().__init__(reason)
        self.rest_s = rest_s


class ServerMisconfigured(ServerFailed):
    """An operator has to change something."""


class ParametersRejected(BadRequest):
    """The server takes no such parameters; without them it may answer."""

    def __init__(self, reason: str, names: frozenset[str]) -> None:
        super().__init__(reason)
        self.names = names


def failure(status: int, headers: Any, body: bytes, *, asked: frozenset[str]) -> Exception:
    """Return what an answer other than 200 means, in our words; `asked` are the request's
    parameters."""
    told = explanation(body)
    reason = f"it answers {status}" + (f" ({told})" if told else "")
    if 300 <= status < 400:
        where = readable(headers.get("Location", ""))
        return ServerFailed(f"it answers {status} and names {where or 'no other address'}")
    if status in (401, 403):
        return ServerMisconfigured(f"it refuses the API key: {reason}")
    if status in (429, 503):
        return ServerBusy(reason, rest_s(headers.get("Retry-After", "")))
    names = not_taken(body, asked) if status in (400, 404, 422, 500, 501) else frozenset()
    if names or status in (400, 413, 422):
        wrong = bad_request(reason)
        return ParametersRejected(reason, names) if names and type(wrong) is BadRequest else wrong
    return EndpointMissing(reason) if status in (404, 405) else ServerFailed(reason)


def bad_request(reason: str) -> BadRequest:
    if found := _CONTEXT.search(reason):
        return PromptTooLong(max(map(int, re.findall(r"\d{1,9}", reason))), int(found[1]))
    return UnsupportedRequest(reason) if "image" in reason.lower() else BadRequest(reason)


def not_taken(body: bytes, asked: frozenset[str]) -> frozenset[str]:
    """Return those of the request's optional parameters that the error in `body` turns down."""
    optional = [name for name in OPTIONAL if name in asked]
    told = _decode_body(body)
    if named := frozenset(optional) & set(_named_parameters(told)):
        return named
    text = body[:4000].decode("utf-8", "replace") if told is None else _text(told)[:4000]
    said = [(found.start(), found.end()) for found in _NOT_TAKEN.finditer(text)]
    return frozenset(
        name
        for name in optional
        for found in re.finditer(rf"(?<![\w-]){name}(?![\w-])", text)
        if any(start - _NEAR < found.end() and found.start() < end + _NEAR for start, end in said)
    )


def _named_parameters(told: Any) -> Iterator[str]:
    """Parameters that an error turns down by a field of its own, as pydantic's and OpenAI's do."""
    for item in _items(told):
        kind = str(item.get("type") or item.get("code") or "")
        if _NOT_TAKEN.search(kind.replace("_", " ")) or _NOT_TAKEN.search(str(item.get("msg"))):
            place = item.get("loc")
            if isinstance(place, list):
                yield from (str(part) for part in place[:2])
        code = f"{item.get('code')} {item.get('message')}"
        if isinstance(item.get("param"), str) and _NOT_TAKEN.search(code.replace("_", " ")):
            yield str(item["param"])


def _items(told: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield all objects of an error, the outermost first."""
    if depth > 6:
        return
    if isinstance(told, dict):
        yield told
    inner = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    for each in inner:
        yield from _items(_unpack_nested(each), depth + 1)


def explanation(body: bytes) -> str:
    """The sentence in an error's body, whichever of the usual shapes it has."""
    told = _decode_body(body)
    if told is None:
        return page(body[:LONGEST_ERROR])
    return readable(_text(told))


def said_in(told: Any) -> str:
    """The sentence in the JSON of an error."""
    return readable(_text(told))


def page(body: bytes) -> str:
    """Return what a page or a plain text says."""
    text = body.decode("utf-8", "replace")
    if "<" in text[:200]:
        found = _TITLE.search(text)
        text = html.unescape(found[2] if found else _MARKUP.sub(" ", text))
    return readable(text)


def readable(text: str) -> str:
    """Return the text in one short line, without secrets and control characters."""
    plain = " ".join(_UNSEEN.sub(" ", redact(text[:4000])).split())
    return plain if len(plain) <= LONGEST_REASON else f"{plain[: LONGEST_REASON - 1]}…"


def without_words(error: EngineError, messages: Sequence[Message]) -> EngineError:
    """Return the error without the parts of the conversation that the server repeats in it."""
    if isinstance(error, PromptTooLong):
        return error
    told, said = str(error), "\n".join(message.content for message in messages)
    kept, at = [], 0
    while at < len(told):
        end = at + REPEATED
        if end > len(told) or told[at:end] not in said:
            kept.append(told[at])
            at += 1
            continue
        while end < len(told) and told[at : end + 1] in said:
            end += 1
        kept.append("[…]")
        at = end
    error.args = ("".join(kept), *error.args[1:])
    return error


def _decode_body(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _unpack_nested(told: Any) -> Any:
    """Routers put another server's error into a text."""
    if isinstance(told, str) and told.lstrip().startswith(("{", "[")):
        inner = _decode_body(told.encode("utf-8", "replace"))
        return told if inner is None else inner
    return told


def _text(told: Any, depth: int = 0) -> str:
    told = _unpack_nested(told)
    if isinstance(told, str):
        return told
    if depth > 6:
        return ""
    if isinstance(told, list):
        return "; ".join(filter(None, (_text(each, depth + 1) for each in told[:5])))
    if isinstance(told, dict):
        place = told.get("loc")
        if isinstance(place, list) and isinstance(told.get("msg"), str):
            where = ".".join(str(part) for part in place if part != "body")
            return f"{where}: {told['msg']}" if where else str(told["msg"])
        for key in _KEYS:
            if found := _text(told.get(key), depth + 1):
                return found
    return ""


def rest_s(retry_after: str) -> float:
    """Seconds; a date, which the header also allows, counts as silence."""
    try:
        return min(max(float(retry_after), 0.1), LONGEST_REST_S)
    except ValueError:
        return REST_S
