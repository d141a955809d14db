"""What a model has written in one turn, so far."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from inference.engines.base import Message, NativeToolCall
from inference.tool_parsers.base import ParsedOutput


@dataclass(frozen=True, slots=True)
class ModelOutput:
    text: str  # as the model wrote it
    reply: ParsedOutput  # as its dialect reads it
    ended: bool = False  # this is all of it
    called: NativeToolCall | None = None  # a call that is not in the text


Ask = Callable[[tuple[Message, ...]], AsyncGenerator[ModelOutput, None]]
