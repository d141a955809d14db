"""Programs in Markdown fences, for models without another format of calls."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference import reasoning
from inference.engines.base import Message
from inference.tool_parsers.base import ParsedOutput, ToolRequest
from inference.tool_parsers.json_call import PYTHON
from inference.tools.base import Tool
from jobqueue.schema import Sampling

_OPEN = re.compile(r"(?:^|(?<=\n))[ \t]*```(?:python3?|py|tool_code)[ \t]*\n", re.IGNORECASE)
_CLOSE = re.compile(r"(?:^|\n)[ \t]*```")

_HOW = """\
You solve problems by writing Python programs. Think briefly, then write one program in a \
```python block that prints the result; it is run for you and you are told what it printed. \
Use sympy for algebra and matplotlib for figures; there is no network. When you know the result, \
answer the user in words, without a program. Never guess what a program would print."""


@dataclass(frozen=True, slots=True)
class Block:
    before: str
    code: str
    complete: bool


def block(text: str, *, ended: bool, opening: re.Pattern[str] = _OPEN) -> Block | None:
    """The first block of code; what follows it was written before it ran, so it is not read."""
    opened = opening.search(text)
    if opened is None:
        return None
    rest = text[opened.end() :]
    closed = _CLOSE.search(rest)
    if closed:
        return Block(text[: opened.start()], rest[: closed.start()], True)
    return Block(text[: opened.start()], rest if ended else rest[: _certain(rest)], ended)


def _certain(code: str) -> int:
    """The length of `code` without a line that may become the fence which ends it."""
    start = code.rfind("\n") + 1
    open_line = code[start:].lstrip(" \t")
    return max(start - 1, 0) if "```".startswith(open_line) else len(code)


@dataclass(frozen=True, slots=True)
class Fences:
    name: str = "fences"
    markup: tuple[str, ...] = ()
    calls_tools: bool = False
    thinks_when_told: bool = False
    answers: bool = True

    def instructions(self, _tools: Sequence[Tool]) -> str:
        return _HOW

    def sampling(self, asked: Sampling, _turn: int) -> Sampling:
        return asked

    def examples(self) -> tuple[Message, ...]:
        return ()

    def read(self, text: str, *, ended: bool) -> ParsedOutput:
        thought, body = reasoning.split(text, ended=ended, stop=_OPEN)
        if found := block(body, ended=ended):
            arguments: dict[str, object] | None = (
                {"program": found.code} if found.complete else None
            )
            call = ToolRequest(PYTHON, found.code, found.complete, arguments)
            return ParsedOutput(thought, found.before, call)
        certain = body if ended else body[: _before_fence(body)]
        return ParsedOutput(thought, certain)

    def result_message(self, text: str) -> Message:
        return Message("user", f"The program printed:\n{text or '(nothing)'}")


def _before_fence(text: str) -> int:
    """The length of `text` without a last line that may become the beginning of a block."""
    start = text.rfind("\n") + 1
    line = text[start:].lstrip(" \t")
    return start if re.fullmatch(r"`{0,2}|```\w{0,10}[ \t]*", line) else len(text)
