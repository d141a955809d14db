"""Parses a server's events into chunks.

What an event may lack or hold beside the protocol is decided here, by three rules. What means
nothing is passed over. What was complete stays complete, whatever follows it. And an answer that
may lack something is broken, with the reason.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import Any

from inference import reasoning
from inference.engines.base import Chunk, Message, NativeCallDelta, PromptTooLong, Usage
from inference.engines.openai.errors import ServerFailed, bad_request, readable, said_in
from inference.engines.openai.sse import ServerEvent, SurrogateJoiner
from jobqueue.schema import FinishReason

IMAGE_TOKENS = 1536  # of a picture, where nobody can tell; most models take fewer
TEMPLATE_TOKENS = 8  # around each message
LONGEST_PING = 20  # characters
MOST_TOKENS = 10**9  # more is no number of tokens
FAILURES = ("error", "abort", "aborted", "network_error", "insufficient_system_resource")
LENGTHS = ("length", "max_tokens", "max_length", "model_length")

_NO_REASON = ("", "none", "null")
_FALSE_CODES = (400, 413, 422)
_HARMLESS = re.compile(
    r"\W*(?:ping|pong|keep-?alive|heartbeat|ok|processing|undefined|none|null|nan)?\W*",
    re.IGNORECASE,
)
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
_TEXTS = ("text", "content", "output_text", "refusal", "summary", "thinking", "reasoning")


class AnswerParser:
    """One answer as it comes in."""

    def __init__(self, prompt_tokens: int, most_tokens: int) -> None:
        """Both counted here: what the server's bill is checked against, or replaced by."""
        self._prompt_tokens = prompt_tokens
        self._most_tokens = most_tokens
        self._pieces = 0
        self._reason: str | None = None
        self._is_done = False  # the server says that the stream is over
        self._usage_told = (0, 0, 0)  # read, written, and read from a cache
        self._remark = ""  # a text among the events
        self._text = ""
        self._in_pieces = False  # as the protocol has it, and not in messages
        self._characters, self._thought_characters = SurrogateJoiner(), SurrogateJoiner()
        self._calls = Calls()
        self._others: list[dict[str, Any]] = []  # choices that nobody asked for
        self._has_first = False

    @property
    def has_output(self) -> bool:
        """Return whether anything was passed on, so that no other server may start anew."""
        return self._pieces > 0

    @property
    def complete(self) -> bool:
        """Return whether its end was told: with a reason, or by the end of the stream."""
        if self._reason is not None:
            return True
        return self._is_done and not self._remark and (self.has_output or bool(self._others))

    def push(self, event: ServerEvent) -> Chunk | None:
        """Return the event's output. Raises ServerFailed or BadRequest if it reports a failure."""
        if event.is_done:
            self._is_done = True
            return None
        if not event.is_json or isinstance(event.value, str):
            self._note(str(event.value), event)
            return None
        if not isinstance(event.value, dict):
            return None
        if not self.complete:
            _raise_failure(event)
        self._usage_told = _told_usage(event.value) or self._usage_told
        choice = self._first_choice(event.value)
        if event.is_whole and (choice is not None or self._others):
            self._is_done = True
        return None if choice is None else self._chunk(choice)

    def missing(self) -> str:
        """Why it is not complete."""
        if self._remark:
            return self._remark
        if self._is_done:
            return "it sends no answer"
        return "the connection ended before the answer did"

    def last(self) -> Chunk:
        """The end, with what was held back."""
        if not self._has_first:
            index = min((_index(other) for other in self._others), default=0)
            chunks = [self._chunk(other) for other in self._others if _index(other) == index]
        else:
            chunks = []
        text = "".join(chunk.text for chunk in chunks if chunk) + self._characters.end()
        thought = "".join(chunk.reasoning for chunk in chunks if chunk)
        calls = tuple(call for chunk in chunks if chunk for call in chunk.tool_calls)
        length = (self._reason or "").lower() in LENGTHS
        reason = FinishReason.LENGTH if length else FinishReason.STOP
        thought += self._thought_characters.end()
        return Chunk(text, reason, self._usage(), thought, (*calls, *self._calls.end()))

    def _note(self, text: str, event: ServerEvent) -> None:
        """A text among the events: an error, a piece of an event, or nothing."""
        is_harmless = len(text) <= LONGEST_PING and _HARMLESS.fullmatch(text)
        if self._reason is not None or (is_harmless and not event.is_error):
            return
        if event.is_error:
            raise ServerFailed(readable(text) or "it tells of an error and no more")
        if text.startswith(("{", "[")):
            raise ServerFailed(f"its stream makes no sense: {readable(text)}")
        self._remark = self._remark or readable(text)

    def _first_choice(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """The answer among the choices: the first, as only one is asked for."""
        choices = event.get("choices")
        listed = [choices] if isinstance(choices, dict) else choices
        if not isinstance(listed, list):
            return None
        found = None
        for choice in listed:
            if not isinstance(choice, dict):
                continue
            if _index(choice) == 0:
                found, self._has_first = choice, True
            elif not self._has_first:
                self._others.append(choice)
        return found

    def _chunk(self, choice: dict[str, Any]) -> Chunk | None:
        reason = choice.get("finish_reason")
        told = "" if reason is None or reason is False else str(reason)
        if self._reason is None and told.lower() in FAILURES:
            raise ServerFailed(f"it ends the answer with the reason {told!r}")
        if told.lower() not in _NO_REASON and told != "0":
            self._reason = told
        delta = choice.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        thought, text = _told_text(delta)
        text = text or _string(choice.get("text"))
        message = choice.get("message")
        if text or thought or delta.get("tool_calls"):
            self._in_pieces = True
        elif isinstance(message, dict):
            thought, text = _told_text(message)
            text = self._rest_of(text)
            thought = "" if self._pieces else thought
            delta = {} if self._in_pieces else message
        self._text += text
        text = self._characters.push(text)
        thought = self._thought_characters.push(thought)
        calls = tuple(self._calls.push(delta))
        if not (text or thought or calls):
            return None
        self._pieces += 1
        return Chunk(text, reasoning=thought, tool_calls=calls)

    def _rest_of(self, whole: str) -> str:
        """Return what a message adds to what came: some servers repeat all of it, at the end or
        always."""
        if whole.startswith(self._text):
            return whole[len(self._text) :]
        return "" if self._in_pieces else whole

    def _usage(self) -> Usage:
        """The server's bill where it can be true, else what was counted here: a piece holds a
        token, or a few."""
        read, written, cached = self._usage_told
        if read < 1:
            return Usage(self._prompt_tokens, self._pieces)
        plausible = min(self._pieces, 1) <= written <= self._most_tokens
        return Usage(read, written if plausible else self._pieces, min(max(cached, 0), read))


class Calls:
    """Calls of tools, told apart although servers number them as they please.

    A call is known by its id. One without an id goes on with the last one of its number. A piece
    with a name begins a call, unless the call before it is not yet whole.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def push(self, delta: dict[str, Any]) -> Iterator[NativeCallDelta]:
        listed = delta.get("tool_calls")
        pieces = listed if isinstance(listed, list) else [listed]
        if not any(pieces) and isinstance(delta.get("function_call"), dict):
            pieces = [{"function": delta["function_call"]}]
        for piece in pieces:
            if isinstance(piece, dict):
                yield from self._piece(piece)

    def _piece(self, piece: dict[str, Any]) -> Iterator[NativeCallDelta]:
        function = piece.get("function")
        function = function if isinstance(function, dict) else piece
        name = _string(function.get("name"))
        arguments = _told_arguments(function.get("arguments"))
        identity = str(piece["id"]) if piece.get("id") not in (None, "") else ""
        number = _number(piece["index"]) if piece.get("index") is not None else None
        if not (name or arguments or identity):
            return
        call = self._goes_on(identity, number, name)
        if call is None:
            if not name and not self._calls and not arguments:
                return
            call = _Call(len(self._calls), number, identity)
            self._calls.append(call)
        call.identity = call.identity or identity
        if name and name != call.name:
            call.name += name
        else:
            name = ""
        if told := call.more(arguments) or name:
            yield NativeCallDelta(call.order, name, told if told is not name else "")

    def _goes_on(self, identity: str, number: int | None, name: str) -> "_Call | None":
        """The call that a piece belongs to; None for a new one."""
        alike = [c for c in self._calls if number is None or c.number in (number, None)]
        known = [c for c in self._calls if identity and c.identity == identity]
        if known:
            same = [c for c in known if c in alike]
            return (same or known)[-1] if same or not name else None
        if not alike:
            return None
        last = alike[-1]
        if not name:
            return last  # also where a server makes up a new id for each piece
        if identity and last.identity:
            return None
        if last.is_whole or (last.arguments and name != last.name):
            return None
        return last if name == last.name or number is not None else None

    def end(self) -> Iterator[NativeCallDelta]:
        for call in self._calls:
            if call.held:
                yield NativeCallDelta(call.order, "", call.held)
                call.held = ""


class _Call:
    def __init__(self, order: int, number: int | None, identity: str) -> None:
        self.order = order
        self.number = number
        self.identity = identity
        self.name = ""
        self.arguments = ""
        self.held = ""  # `{}`, which some servers send before the arguments
        self._characters = SurrogateJoiner()

    def more(self, arguments: str) -> str:
        """Return what is passed on of more arguments."""
        if arguments and not self.arguments and arguments.strip() == "{}" and not self.held:
            self.held = arguments
            return ""
        if not arguments:
            return ""
        before, self.held = self.held, ""
        if before and not arguments.lstrip().startswith("{"):
            arguments = before + arguments
        arguments = self._characters.push(arguments)
        self.arguments += arguments
        return arguments

    @property
    def is_whole(self) -> bool:
        """Return whether its arguments are an object to its end."""
        if self.held:
            return True
        if not self.arguments.rstrip().endswith("}"):
            return False
        try:
            return isinstance(json.loads(self.arguments, strict=False), dict)
        except (ValueError, RecursionError):
            return False


class UnopenedReasoning:
    """Reasoning whose opening mark the server's chat template wrote, so that none comes.

    Where a server is known for that, its text is reasoning up to the closing mark. An answer that
    comes without any mark is told at its end.
    """

    def __init__(self, *, expected: bool) -> None:
        self._expected = expected
        self._held = ""  # of the text, while it is taken for reasoning
        self._told = 0  # of `_held`, as reasoning
        self._text: list[str] = []
        self._closed = False
        self._is_blank = False  # after the reasoning, nothing was said yet

    def read(self, chunk: Chunk) -> Chunk:
        self._text.append(chunk.text)
        if self._is_blank:
            chunk = replace(chunk, text=chunk.text.lstrip())
            self._is_blank = not chunk.text
        if not self._expected:
            return chunk
        if chunk.reasoning:  # the server tells reasoning apart by itself
            return self._release(chunk)
        self._held += chunk.text
        if reasoning.begins_marked(self._held):
            return self._release(chunk, self._held)
        closing = reasoning.closing(self._held, max(self._told - reasoning.LONGEST, 0))
        if closing is not None:
            self._closed = True
            thought = self._held[self._told : closing.start()]
            chunk = replace(chunk, reasoning=thought)
            text = self._held[closing.end() :].lstrip()
            self._is_blank = not text
            return self._release(chunk, text)
        if chunk.finish_reason is not None:
            return self._release(chunk, self._held)
        certain = reasoning.undecided_start(self._held)
        if reasoning.begins_marked(self._held) is None:
            certain = 0
        thought, self._told = self._held[self._told : certain], max(certain, self._told)
        return replace(chunk, text="", reasoning=thought)

    def _release(self, chunk: Chunk, text: str | None = None) -> Chunk:
        """From here on text is text."""
        before = self._held if text is None else ""
        self._expected, self._held = False, ""
        return replace(chunk, text=before + chunk.text if text is None else text)

    @property
    def was_unopened(self) -> bool:
        """Return whether this answer was written so."""
        return self._closed or reasoning.is_unopened("".join(self._text))


def estimate(messages: tuple[Message, ...]) -> int:
    """Tokens of `messages` where no server counts them: rather too many than too few."""
    texts = sum(ceil(len(message.content.encode()) / 3) for message in messages)
    return texts + of_pictures(messages) + TEMPLATE_TOKENS * (len(messages) + 1)


def of_pictures(messages: tuple[Message, ...]) -> int:
    """Tokens of the pictures and their labels: rather too many than too few."""
    images = [image for message in messages for image in message.images]
    return sum(IMAGE_TOKENS + len(image.label) for image in images)


def _raise_failure(event: ServerEvent) -> None:
    """Raise what an event tells of a failure, if it does."""
    told = event.value
    error = told.get("error")
    has_error = _says_something(error) or _says_something(told.get("errors"))
    answers = _says_something(told.get("choices"))
    if not has_error and (answers or not _is_failure(event)):
        return
    reason = said_in(told) or "it tells of an error and no more"
    if not has_error and not event.is_error and event.is_whole and not said_in(told):
        reason = "it answers in JSON that holds no answer"
    codes = {_number(each.get("code")) for each in (told, error) if isinstance(each, dict)}
    wrong = bad_request(reason)
    if codes & set(_FALSE_CODES) or isinstance(wrong, PromptTooLong):
        raise wrong
    raise ServerFailed(reason)


def _is_failure(event: ServerEvent) -> bool:
    """Return whether an event without choices or a telling error is a failure."""
    told = event.value
    if event.is_error or event.is_whole:
        return True
    kinds = (told.get("object"), told.get("type"))
    if "error" in kinds and said_in(told):
        return True
    if _says_something(told.get("detail")):
        return True
    is_refusal = told.get("success") is False or _number(told.get("status")) >= 400
    return bool(said_in(told)) and (is_refusal or _says_something(told.get("code")))


def _says_something(value: Any) -> bool:
    """Return whether anything in it is more than an empty word, nothing or zero."""
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    if isinstance(value, list):
        return any(map(_says_something, value))
    if isinstance(value, str):
        return value.strip().lower() not in (*_NO_REASON, "false", "0", "undefined")
    return bool(value)


def _told_text(delta: dict[str, Any]) -> tuple[str, str]:
    """The reasoning and the text of a piece, in the shapes that servers give them."""
    thought = next(filter(None, (_plain(delta.get(name)) for name in _THOUGHTS)), "")
    content = delta.get("content")
    if not isinstance(content, list):
        return thought, _plain(content) or _plain(delta.get("refusal"))
    texts: list[str] = []
    thoughts = [thought]
    for part in content:
        kind = str(part.get("type")) if isinstance(part, dict) else ""
        is_thought = "think" in kind or "reason" in kind
        (thoughts if is_thought else texts).append(_plain(part))
    return "".join(thoughts), "".join(texts)


def _plain(value: Any, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if depth > 4:
        return ""
    if isinstance(value, list):
        return "".join(_plain(each, depth + 1) for each in value)
    if isinstance(value, dict):
        return next(filter(None, (_plain(value.get(name), depth + 1) for name in _TEXTS)), "")
    return ""


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _told_arguments(value: Any) -> str:
    """JSON's text; some servers send the object itself."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else ""


def _told_usage(event: dict[str, Any]) -> tuple[int, int, int] | None:
    """Tokens that were read, written, and read from a cache; None where no bill is told."""
    choices = event.get("choices")
    inner = choices[0] if isinstance(choices, list) and choices else None
    for holder in (event, inner, event.get("x_groq")):
        bill = holder.get("usage") if isinstance(holder, dict) else None
        if not isinstance(bill, dict):
            continue
        read = _number(bill.get("prompt_tokens", bill.get("input_tokens")))
        written = _number(bill.get("completion_tokens", bill.get("output_tokens")))
        details = bill.get("prompt_tokens_details")
        cached = _number(details.get("cached_tokens")) if isinstance(details, dict) else 0
        if read > 0:
            return read, written, cached
    return None


def _index(choice: dict[str, Any]) -> int:
    return _number(choice.get("index"))


def _number(value: Any) -> int:
    """A whole number, also of one that came as text; 0 for anything else."""
    try:
        number = value if isinstance(value, int) else int(float(value))
    except (TypeError, ValueError, OverflowError):
        return 0
    return number if abs(number) <= MOST_TOKENS else 0
