"""A server's stream of events: from bytes to values, with nothing taken on trust."""

from collections.abc import Iterator

import msgspec

from inference.engines.openai.errors import Refused

LONGEST_LINE = 1024 * 1024  # bytes; a token's event has a few hundred


class Function(msgspec.Struct, frozen=True):
    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct, frozen=True):
    index: int = 0
    function: Function = Function()


class Delta(msgspec.Struct, frozen=True):
    content: str | None = None
    reasoning_content: str | None = None  # LMDeploy, SGLang, llama.cpp, and vLLM once
    reasoning: str | None = None  # vLLM today
    tool_calls: tuple[ToolCall, ...] | None = None


class Choice(msgspec.Struct, frozen=True):
    delta: Delta = Delta()
    finish_reason: str | None = None


class Event(msgspec.Struct, frozen=True):
    choices: tuple[Choice, ...] = ()
    # Decoded apart: what is wrong with a bill is no reason to throw the answer away.
    usage: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")


class PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None


class Bill(msgspec.Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: PromptDetails | None = None


_decode_event = msgspec.json.Decoder(Event).decode
_decode_bill = msgspec.json.Decoder(Bill).decode


class ServerSentEvents:
    """Cuts a stream of bytes into the payloads of its events, wherever the pieces break.

    Of https://html.spec.whatwg.org/multipage/server-sent-events.html what such servers use: events
    of one `data` line; comments and other fields are passed over.
    """

    def __init__(self) -> None:
        self._rest = b""

    def push(self, piece: bytes) -> Iterator[bytes]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise Refused("it sends a line without an end")
        for line in lines:
            field, _, value = line.rstrip(b"\r").partition(b":")
            if field == b"data":
                yield value.removeprefix(b" ")


def decode(payload: bytes) -> Event:
    """Refused for what is no event."""
    try:
        return _decode_event(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(f"its stream makes no sense: {error}") from None


def bill(event: Event) -> Bill | None:
    try:
        return _decode_bill(event.usage)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
