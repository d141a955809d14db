"""A server's events become chunks."""

from math import ceil

from inference.engines.base import CallPiece, Chunk, Message, Usage
from inference.engines.openai.errors import Refused, bad_request, explanation
from inference.engines.openai.stream import Bill, Delta, Event, ToolCall, bill
from jobqueue.schema import FinishReason

IMAGE_TOKENS = 1536  # of a picture, where nobody can tell; most models take fewer
TEMPLATE_TOKENS = 8  # around each message
FAILURES = ("error", "abort")


class Answer:
    """One answer as it comes in."""

    def __init__(self, prompt_tokens: int, most_tokens: int) -> None:
        """Both counted here: what the server's bill is checked against, or replaced by."""
        self._prompt_tokens = prompt_tokens
        self._most_tokens = most_tokens
        self._pieces = 0
        self._reason: str | None = None
        self._bill: Bill | None = None

    @property
    def begun(self) -> bool:
        """Whether anything of it was passed on, so that no other server may begin anew."""
        return self._pieces > 0

    @property
    def complete(self) -> bool:
        return self._reason is not None

    def push(self, event: Event) -> Chunk | None:
        """Raises Refused or BadRequest where the event tells of a failure."""
        if bytes(event.error) != b"null":
            raise _failure(bytes(event.error))
        self._bill = bill(event) or self._bill
        if not event.choices:
            return None
        choice = event.choices[0]
        if choice.finish_reason in FAILURES:
            raise Refused("it broke off the answer")
        self._reason = choice.finish_reason or self._reason
        return self._counted(_chunk(choice.delta))

    def last(self) -> Chunk:
        length = self._reason == "length"
        return Chunk("", FinishReason.LENGTH if length else FinishReason.STOP, self._usage())

    def _counted(self, chunk: Chunk) -> Chunk | None:
        if not (chunk.text or chunk.thought or chunk.calls):
            return None
        self._pieces += 1
        return chunk

    def _usage(self) -> Usage:
        """The server's bill where it can be true, else what was counted here: a piece holds a
        token, or a few."""
        told = self._bill
        if told is None or told.prompt_tokens < 1:
            return Usage(self._prompt_tokens, self._pieces)
        plausible = min(self._pieces, 1) <= told.completion_tokens <= self._most_tokens
        details = told.prompt_tokens_details
        cached = details.cached_tokens if details else None
        return Usage(
            told.prompt_tokens,
            told.completion_tokens if plausible else self._pieces,
            min(max(cached or 0, 0), told.prompt_tokens),
        )


def estimate(messages: tuple[Message, ...]) -> int:
    """Tokens of `messages` where no server counts them: rather too many than too few."""
    texts = sum(ceil(len(message.content.encode()) / 3) for message in messages)
    return texts + of_pictures(messages) + TEMPLATE_TOKENS * (len(messages) + 1)


def of_pictures(messages: tuple[Message, ...]) -> int:
    """Tokens of the pictures and their labels: rather too many than too few."""
    images = [image for message in messages for image in message.images]
    return sum(IMAGE_TOKENS + len(image.label) for image in images)


def _chunk(delta: Delta) -> Chunk:
    return Chunk(
        delta.content or "",
        thought=delta.reasoning_content or delta.reasoning or "",
        calls=tuple(map(_call, delta.tool_calls or ())),
    )


def _call(call: ToolCall) -> CallPiece:
    return CallPiece(call.index, call.function.name or "", call.function.arguments or "")


def _failure(error: bytes) -> Exception:
    reason = explanation(error) or "it tells of an error and no more"
    refused_input = b'"code":400' in error.replace(b" ", b"")
    return bad_request(reason) if refused_input else Refused(reason)
