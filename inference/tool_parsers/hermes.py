"""`<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Qwen 2.5 and 3, Hermes, and kin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from inference.engines.base import Message, Role
from inference.tool_parsers.base import ToolRequest
from inference.tool_parsers.json_call import describe, json_call
from inference.tool_parsers.tag_based import Marked
from inference.tools.base import Tool

OPEN, CLOSE = "<tool_call>", "</tool_call>"

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
