"""One turn of a model: asks the engine and stops where a tool call ends."""

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from inference.engines.base import (
    Chunk,
    Engine,
    Message,
    NativeToolCall,
    Request,
    ToolSpec,
)
from inference.tool_parsers.base import ParsedOutput, ToolParser
from inference.tool_parsers.json_call import made_call
from inference.tools.base import Tool
from jobqueue.schema import FinishReason, Job

# What a model has written in one turn, so far.


@dataclass(frozen=True, slots=True)
class ModelOutput:
    text: str  # as the model wrote it
    reply: ParsedOutput  # as its tool parser reads it
    ended: bool = False  # this is all of it
    called: NativeToolCall | None = None  # a call that is not in the text


Ask = Callable[[tuple[Message, ...]], AsyncGenerator[ModelOutput, None]]


class Asking:
    """Counts turns and tokens over all of them."""

    def __init__(
        self,
        job: Job,
        attempt: int,
        engine: Engine,
        tool_parser: ToolParser,
        tools: Sequence[Tool] = (),
    ) -> None:
        self._job = job
        self._attempt = attempt
        self._engine = engine
        self._tool_parser = tool_parser
        self._tools = tuple(ToolSpec(t.name, t.description, t.parameters) for t in tools)
        self.turns = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.repeated = False  # the last turn was ended because it repeated itself

    async def __call__(self, messages: tuple[Message, ...]) -> AsyncGenerator[ModelOutput, None]:
        """Yield the model's output as it grows; the last one has `ended`."""
        self.turns += 1
        self.prompt_tokens += await self._engine.count_tokens(messages)
        text, made = "", _ParsedCall()
        async with aclosing(self._engine.generate(self._request(messages))) as chunks:
            async for chunk in chunks:
                self.completion_tokens += chunk.tokens if chunk.text else 0
                text = chunk.added_to(text)
                over = chunk.finish_reason is not None
                self.repeated = chunk.finish_reason is FinishReason.REPETITION
                made.take(chunk)
                reply = made.added_to(self._tool_parser.read(text, ended=over), ended=over)
                over = over or (reply.call is not None and reply.call.complete)
                yield ModelOutput(text, reply, over, made.as_native_call)
                if over:
                    return

    def _request(self, messages: tuple[Message, ...]) -> Request:
        return Request(
            id=f"{self._job.id}.{self._attempt}.{self.turns}",
            channel=self._job.channel,
            messages=messages,
            sampling=self._tool_parser.sampling(self._job.sampling, self.turns),
            thinking=self._job.thinking,
            visible_tokens=self._tool_parser.markup,
            tools=self._tools,
        )


class _ParsedCall:
    """Output that the engine parses itself: the reasoning and the first call."""

    def __init__(self) -> None:
        self._thought = ""
        self._read = 0  # of the reasoning in the text
        self._tool = ""
        self._arguments: str | None = None

    def take(self, chunk: Chunk) -> None:
        self._thought += chunk.reasoning
        for piece in chunk.tool_calls:
            if piece.index == 0:
                self._tool += piece.name
                self._arguments = (self._arguments or "") + piece.arguments

    @property
    def as_native_call(self) -> NativeToolCall | None:
        """Return the call for the protocol. An unreadable one is left out: a server would refuse
        it.
        """
        if self._arguments is None:
            return None
        try:
            json.loads(self._arguments or "{}")
        except (ValueError, RecursionError):
            return NativeToolCall(self._tool, "{}")
        return NativeToolCall(self._tool, self._arguments or "{}")

    def added_to(self, reply: ParsedOutput, *, ended: bool) -> ParsedOutput:
        call = reply.call
        if call is None and self._arguments is not None:
            call = made_call(self._tool, self._arguments, complete=ended)
        self._thought += reply.thought[self._read :]
        self._read = max(self._read, len(reply.thought))
        return replace(reply, thought=self._thought, call=call)
