"""The common part of formats whose calls stand between two marks, after the text."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from inference import reasoning
from inference.engines.base import Message, Role
from inference.tool_parsers.base import ParsedOutput, ToolRequest, held_back
from inference.tool_parsers.json_call import PYTHON, describe, json_call
from inference.tools.base import Tool
from jobqueue.schema import Sampling


class Marked(ABC):
    __slots__ = ()
    opening: ClassVar[str]
    closing: ClassVar[str]

    def sampling(self, asked: Sampling, _turn: int) -> Sampling:
        return asked

    def examples(self) -> tuple[Message, ...]:
        return ()

    def read(self, text: str, *, ended: bool) -> ParsedOutput:
        stop = re.compile(re.escape(self.opening))
        thought, body = reasoning.split(text, ended=ended, stop=stop)
        said, opened, rest = body.partition(self.opening)
        if not opened:
            certain = body if ended else body[: held_back(body, (self.opening,))]
            return ParsedOutput(thought, certain)
        written, closed, _ = rest.partition(self.closing)
        complete = bool(closed) or ended
        if not complete:
            written = written[: held_back(written, (self.closing,))]
        return ParsedOutput(thought, said, self._call(written, complete=complete))

    @abstractmethod
    def _call(self, written: str, *, complete: bool) -> ToolRequest:
        """The call that stands, or is becoming, between the marks."""


OPEN, CLOSE = "<tool_call>", "</tool_call>"

# `<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Qwen 2.5 and 3, Hermes, and kin.

# The words of Qwen's own template, which its models were trained with.
_HOW = """\
# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{tools}
</tools>

For each function call, return a json object with function name and arguments within \
<tool_call></tool_call> XML tags:
<tool_call>
{{"name": <function-name>, "arguments": <args-json-object>}}
</tool_call>"""


@dataclass(frozen=True, slots=True)
class Hermes(Marked):
    opening: ClassVar[str] = OPEN
    closing: ClassVar[str] = CLOSE
    name: str = "hermes"
    markup: tuple[str, ...] = (OPEN, CLOSE)
    calls_tools: bool = True
    thinks_when_told: bool = False
    answers: bool = True
    role: Role = "tool"

    def instructions(self, tools: Sequence[Tool]) -> str:
        told = (
            msgspec.json.encode({"type": "function", "function": describe(tool)}).decode()
            for tool in tools
        )
        return _HOW.format(tools="\n".join(told))

    def _call(self, written: str, *, complete: bool) -> ToolRequest:
        return json_call(written, "arguments", complete=complete)

    def result_message(self, text: str) -> Message:
        return Message(self.role, text)


START, END = "<|action_start|>", "<|action_end|>"
INTERPRETER, PLUGIN = "<|interpreter|>", "<|plugin|>"

# InternLM's action tags: `<|interpreter|>` with a program, `<|plugin|>` with a call as JSON.

# Both as in the models' own protocol, which they were trained with.
_INTERPRETER_HOW = """\
你现在已经能够在一个 Python 环境中运行代码。当你发送含有 Python 代码的消息时，它将被执行，\
你会得到它打印的内容。调用方式：<|action_start|><|interpreter|>
```python
你的代码
```<|action_end|>
Integrate step-by-step reasoning and Python code to solve math problems: analyze the question, \
write code that prints the result, then present the final answer in the user's language."""
_PLUGIN_HOW = """\
你可以使用如下工具：
{tools}
调用方式：<|action_start|><|plugin|>
{{"name": "工具名", "parameters": {{…}}}}<|action_end|>
如果你已经获得足够信息，请直接给出答案. 避免不必要的工具调用! \
同时注意你可以使用的工具，不要随意捏造！"""


@dataclass(frozen=True, slots=True)
class InternLM(Marked):
    opening: ClassVar[str] = START
    closing: ClassVar[str] = END
    name: str = "internlm"
    markup: tuple[str, ...] = (START, END, INTERPRETER, PLUGIN)
    calls_tools: bool = True
    thinks_when_told: bool = True
    answers: bool = True

    def instructions(self, tools: Sequence[Tool]) -> str:
        others = [describe(tool) for tool in tools if tool.name != PYTHON]
        parts = [_INTERPRETER_HOW] if len(others) < len(tools) else []
        if others:
            told = msgspec.json.format(msgspec.json.encode(others), indent=4).decode()
            parts.append(_PLUGIN_HOW.format(tools=told))
        return "\n\n".join(parts)

    def result_message(self, text: str) -> Message:
        return Message("environment", text or "(nothing)")

    def _call(self, written: str, *, complete: bool) -> ToolRequest:
        kind = written.lstrip()
        if kind.startswith(INTERPRETER):
            code = _without_fence(kind[len(INTERPRETER) :], complete=complete)
            arguments: dict[str, object] | None = {"program": code} if complete else None
            fault = "the program is empty" if complete and not code.strip() else ""
            return ToolRequest(PYTHON, code, complete, None if fault else arguments, fault)
        if kind.startswith(PLUGIN):
            return json_call(kind[len(PLUGIN) :], "parameters", complete=complete)
        if not complete:
            return ToolRequest("", "")
        return ToolRequest("", "", True, fault="an action is <|interpreter|> or <|plugin|>")


def _without_fence(code: str, *, complete: bool) -> str:
    """The program, whether or not it stands in a fence, and with or without a first line's end."""
    text = code.lstrip("\n ")
    if text.startswith("```"):
        _, newline, text = text.partition("\n")
        text = text if newline else ""
        end = text.rfind("\n```")
        text = text[:end] if end >= 0 else text
    elif not complete and "```python\n".startswith(text):
        return ""
    return text if complete else text[: held_back(text, ("\n```", "\n```\n"))]
