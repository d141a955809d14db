"""The trace of an answer: the model's reasoning, its tool calls and their results."""

from typing import Literal

import msgspec
from redis.asyncio import Redis

from bot.user_records import UserRecord, UserRecords
from jobqueue.schema import (
    ApprovalRequest,
    Attachment,
    CallStatus,
    JobEvent,
    ReasoningDelta,
    Started,
    ToolCallDelta,
    ToolResult,
)

WorkKind = Literal["thoughts", "steps"]

MAX_PART_CHARS = 20_000  # of a thought, a program or an output that is kept


class Thinking(msgspec.Struct, frozen=True, tag="thinking"):
    text: str
    began_ms: int
    ended_ms: int

    @property
    def lasted_ms(self) -> int:
        return self.ended_ms - self.began_ms

    def cut(self) -> "Thinking":
        return msgspec.structs.replace(self, text=self.text[:MAX_PART_CHARS])


class Step(msgspec.Struct, frozen=True, tag="step", omit_defaults=True):
    """One call of a tool."""

    number: int  # from 1
    tool: str
    call: str = ""  # a program, or arguments as JSON
    status: CallStatus | None = None  # None until the call returns
    output: str = ""
    figures: tuple[Attachment, ...] = ()
    duration_ms: int = 0
    left: bool = False  # all was over before it returned
    asks: int = 0  # while it waits for a person's word: the attempt that asks

    @property
    def is_program(self) -> bool:
        return self.tool == "python"

    @property
    def is_reading(self) -> bool:
        return self.tool == "read_picture"

    @property
    def has_failed(self) -> bool:
        return self.status not in (None, CallStatus.OK)

    def as_ended(self) -> "Step":
        return msgspec.structs.replace(self, left=self.status is None, asks=0)

    def cut(self) -> "Step":
        call, output = self.call[:MAX_PART_CHARS], self.output[:MAX_PART_CHARS]
        return msgspec.structs.replace(self, call=call, output=output)


Part = Thinking | Step


class AgentTrace(msgspec.Struct, frozen=True, omit_defaults=True):
    """Thoughts and steps in the order in which they began."""

    parts: tuple[Part, ...] = ()
    began_ms: int = 0
    took_ms: int = 0

    def __bool__(self) -> bool:
        return bool(self.parts)

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(part for part in self.parts if isinstance(part, Step))

    @property
    def awaiting_approval(self) -> Step | None:
        """The step that waits for a person's decision."""
        return next((step for step in self.steps if step.asks), None)

    @property
    def kind(self) -> WorkKind | None:
        if self.steps:
            return "steps"
        return "thoughts" if self.parts else None

    @property
    def programs(self) -> tuple[str, ...]:
        return tuple(step.call for step in self.steps if step.is_program and step.call.strip())

    @property
    def image_text(self) -> str | None:
        """The text that was read in pictures, or None if no picture was read."""
        readings = [step for step in self.steps if step.is_reading]
        texts = [step.output for step in readings if step.status is CallStatus.OK]
        return "\n".join(filter(None, texts)) if readings else None

    @property
    def figures(self) -> tuple[tuple[Step, Attachment], ...]:
        return tuple((step, figure) for step in self.steps for figure in step.figures)

    @property
    def thought_ms(self) -> int:
        return sum(part.lasted_ms for part in self.parts if isinstance(part, Thinking))

    def with_event(self, event: JobEvent, at_ms: int) -> "AgentTrace":
        """Return the trace with what this event adds; `at_ms` is the time of the event."""
        match event:
            case Started():
                return AgentTrace(began_ms=at_ms)
            case ReasoningDelta(text=text):
                parts = _add_thought(self.parts, text, at_ms)
            case ToolCallDelta():
                parts = _add_call(self.parts, event)
            case ApprovalRequest(step=step, attempt=attempt):
                parts = _change_step(self.parts, step, asks=attempt)
            case ToolResult():
                parts = _add_result(self.parts, event)
            case _:
                parts = self.parts
        return AgentTrace(parts, self.began_ms, at_ms - self.began_ms)

    def as_ended(self) -> "AgentTrace":
        """Return the trace as it is once nothing more can come."""
        parts = (part.as_ended() if isinstance(part, Step) else part for part in self.parts)
        return msgspec.structs.replace(self, parts=tuple(parts)) if self else NOTHING

    def without_answer(self, answer: str) -> "AgentTrace":
        """Return the trace without a last thought that is the answer.

        While the model writes, it is unknown whether the text is a thought or the answer.
        """
        last = self.parts[-1] if self.parts else None
        is_answer = isinstance(last, Thinking) and last.text.strip() == answer.strip()
        if not is_answer:
            return self
        return msgspec.structs.replace(self, parts=self.parts[:-1]) if self.parts[1:] else NOTHING

    def cut(self) -> "AgentTrace":
        return msgspec.structs.replace(self, parts=tuple(part.cut() for part in self.parts))


NOTHING = AgentTrace()


def _add_thought(parts: tuple[Part, ...], text: str, at_ms: int) -> tuple[Part, ...]:
    if parts and isinstance(last := parts[-1], Thinking):
        return (*parts[:-1], Thinking(last.text + text, last.began_ms, at_ms))
    return (*parts, Thinking(text, at_ms, at_ms))


def _add_call(parts: tuple[Part, ...], call: ToolCallDelta) -> tuple[Part, ...]:
    for at, part in enumerate(parts):
        if isinstance(part, Step) and part.number == call.step:
            longer = msgspec.structs.replace(part, call=part.call + call.text)
            return (*parts[:at], longer, *parts[at + 1 :])
    return (*parts, Step(call.step, call.tool, call.text))


def _add_result(parts: tuple[Part, ...], returned: ToolResult) -> tuple[Part, ...]:
    return _change_step(
        parts,
        returned.step,
        status=returned.status,
        output=returned.text,
        figures=returned.figures,
        duration_ms=returned.duration_ms,
        asks=0,
    )


def _change_step(parts: tuple[Part, ...], step: int, **changes: object) -> tuple[Part, ...]:
    return tuple(
        msgspec.structs.replace(part, **changes)
        if isinstance(part, Step) and part.number == step
        else part
        for part in parts
    )


class TraceRecords(UserRecords[AgentTrace]):
    """Stored traces of answers, by job."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, "steps", UserRecord[AgentTrace])

    async def keep(self, name: str, user: str, value: AgentTrace) -> None:
        await super().store(name, user, value.cut())
