"""Parses a server-sent event stream from bytes to values and trusts none of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from inference.engines.openai.errors import ServerFailed

LONGEST_EVENT = 1024 * 1024  # bytes; a token's event has a few hundred

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_DONE = re.compile(r'["\s]*\[?done\]?["\s]*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event's payload: a JSON value, or the text of what is not JSON."""

    value: Any
    is_json: bool = True
    is_error: bool = False  # the server names the event so
    is_whole: bool = False  # it came as a plain body, and nothing follows

    @property
    def is_done(self) -> bool:
        """Return whether it is `[DONE]`, which ends the stream."""
        return isinstance(self.value, str) and bool(_DONE.fullmatch(self.value))


class ServerSentEvents:
    """Cuts a stream of bytes into events, wherever the pieces break.

    As https://html.spec.whatwg.org/multipage/server-sent-events.html has it: lines end in LF, CR
    or CRLF, an event may have several `data` lines, comments are passed over. Besides, a `data`
    line that is whole JSON is an event at once, since some servers leave out the empty line, and
    so is a line of JSON without a field.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._after_cr = False
        self._begun = False
        self._data: list[bytes] = []
        self._size = 0  # of `_data`
        self._is_error = False
        self.stray = ""  # the first line that is nothing of an event, for a reason

    def push(self, piece: bytes) -> Iterator[ServerEvent]:
        start = int(self._after_cr and piece.startswith(b"\n"))
        self._after_cr = piece.endswith(b"\r")
        for end in _LINE_END.finditer(piece, start):
            self._line += piece[start : end.start()]
            start = end.end()
            line = bytes(self._line)
            self._line.clear()
            yield from self._take(line)
        self._line += piece[start:]
        self._limit()

    def end(self) -> Iterator[ServerEvent]:
        """Return what the stream broke off in: a last line without an end is taken as it is."""
        line = bytes(self._line)
        self._line.clear()
        yield from self._take(line)
        yield from self._dispatch()

    def _take(self, line: bytes) -> Iterator[ServerEvent]:
        if not self._begun:
            line, self._begun = line.removeprefix(_BOM), True
        if not line:
            yield from self._dispatch()
            return
        field, _, value = line.partition(b":")
        if field == b"event":
            self._is_error = value.strip() == b"error"
        elif field == b"data":
            yield from self._add(value.removeprefix(b" "))
        elif field == b"error":  # llama.cpp's server, once
            self._is_error = True
            yield from self._add(value)
        elif line.lstrip()[:1] in (b"{", b"["):
            yield from self._add(line)
        elif field not in (b"", b"id", b"retry"):
            self.stray = self.stray or line[:200].decode("utf-8", "replace")

    def _add(self, data: bytes) -> Iterator[ServerEvent]:
        if not self._data:
            if not data.strip():
                return
            events = list(self._events(data, certain=False))
            if events:
                yield from events
                return
        self._data.append(data)
        self._size += len(data)
        self._limit()

    def _dispatch(self) -> Iterator[ServerEvent]:
        lines, self._data, self._size = self._data, [], 0
        if lines:
            events = list(self._events(b"\n".join(lines), certain=False))
            if events:
                yield from events
            else:
                for line in lines:
                    yield from self._events(line, certain=True)
        self._is_error = False

    def _events(self, data: bytes, *, certain: bool) -> Iterator[ServerEvent]:
        """The events that `data` is; none where it is no JSON and may not be `certain` yet."""
        try:
            value = parse(data)
        except ValueError:
            event = ServerEvent(data.decode("utf-8", "replace").strip(), False, self._is_error)
            if event.value and (certain or event.is_done):
                yield event
            return
        for each in value if isinstance(value, list) else [value]:
            yield ServerEvent(each, is_error=self._is_error)

    def _limit(self) -> None:
        if len(self._line) + self._size > LONGEST_EVENT:
            raise ServerFailed("it sends an event without an end")


def parse(data: bytes) -> Any:
    """The value of JSON, also of JSON that only Python reads: NaN, half of a surrogate pair, raw
    control characters, bytes that are no UTF-8. Raises ValueError."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(data.decode("utf-8", "replace").removeprefix("\ufeff"), strict=False)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def whole_body(body: bytes) -> Iterator[ServerEvent]:
    """The events of a body that begins as JSON: one value, or a value in each line."""
    try:
        value = parse(body)
    except ValueError:
        lines = ServerSentEvents()
        yield from lines.push(body)
        yield from lines.end()
        return
    for each in value if isinstance(value, list) else [value]:
        yield ServerEvent(each, is_whole=True)


class SurrogateJoiner:
    """Text whose pieces may cut a character in two: a surrogate pair, sent half by half."""

    def __init__(self) -> None:
        self._half = ""

    def push(self, text: str) -> str:
        if not self._half and text.isascii():
            return text
        text = self._half + text
        self._half = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        return _join_pairs(text.removesuffix(self._half))

    def end(self) -> str:
        """A sign for the half that nothing followed."""
        half, self._half = self._half, ""
        return _join_pairs(half)


def _join_pairs(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
