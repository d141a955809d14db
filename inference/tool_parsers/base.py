"""The interface of a tool parser: one model family's format of tool calls.

A tool parser reads a reply as text. `read` is a function of all the text so far, and what it finds
only ever grows: the thought, the text and the call of a longer reply begin with those of a
shorter one. So a stream is what each reading has more than the last, and how it was cut into
pieces cannot matter. The one exception is reasoning that only a closing mark tells of: what seemed
to be the text before it becomes thought (see `inference.reasoning`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from inference.engines.base import Message
from inference.tools.base import Tool
from jobqueue.schema import Sampling


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A call, as far as the model has written it."""

    tool: str  # empty while its name has not come
    text: str  # a program, or arguments as JSON
    complete: bool = False
    arguments: dict[str, object] | None = None  # of a complete call that can be made
    fault: str = ""  # why a complete one cannot


@dataclass(frozen=True, slots=True)
class ParsedOutput:
    thought: str = ""
    text: str = ""
    call: ToolRequest | None = None  # nothing that follows it is read


class ToolParser(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def markup(self) -> tuple[str, ...]:
        """Special tokens that an engine shows, and takes from the assistant as what they are."""
        ...

    @property
    def calls_tools(self) -> bool:
        """Return whether the format can call any tool, and not only run programs."""
        ...

    @property
    def answers(self) -> bool:
        """Return whether the model writes the answer in its own words after its programs."""
        ...

    @property
    def thinks_when_told(self) -> bool:
        """Return whether words alone make the model show its reasoning, since its template has no
        switch.
        """
        ...

    def sampling(self, asked: Sampling, turn: int) -> Sampling:
        """Return the sampling of a turn, counted from 1; `asked` is what a person chose."""
        ...

    def examples(self) -> tuple[Message, ...]:
        """Questions and replies that come before the conversation."""
        ...

    def instructions(self, tools: Sequence[Tool]) -> str:
        """Describe for the system prompt which tools there are and how to call one."""
        ...

    def read(self, text: str, *, ended: bool) -> ParsedOutput:
        """`ended`: no more will come, so nothing is held back as the beginning of a mark."""
        ...

    def result_message(self, text: str) -> Message:
        """Return the message that gives the model the result of its call."""
        ...


def held_back(text: str, marks: Sequence[str]) -> int:
    """The length of `text` without a tail that may become one of `marks`."""
    for length in range(min(len(text), max(map(len, marks), default=1) - 1), 0, -1):
        if any(mark.startswith(text[-length:]) for mark in marks):
            return len(text) - length
    return len(text)


# For InternLM3, whose template has no switch: its models reason at length when they are told to.
REASONING_PROMPT = (
    "Think before you answer: analyse the question deeply, consider several ways, check each step "
    "and your result. Write all of this reasoning between <think> and </think>, and after it the "
    "answer alone."
)
