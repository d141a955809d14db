"""The protocol's own tool calls: the server passes the tools and parses the calls.

For servers that were started with a parser of calls (vLLM's `--tool-call-parser`, SGLang's and
LMDeploy's, llama.cpp's `--jinja`). What a parser leaves in the text all the same is read as the
model's family writes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.engines.base import Message
from inference.tool_parsers.base import ParsedOutput, ToolParser
from inference.tools.base import Tool
from jobqueue.schema import Sampling


@dataclass(frozen=True, slots=True)
class Native:
    family: ToolParser
    name: str = "native"
    markup: tuple[str, ...] = ()  # the server takes special tokens apart
    calls_tools: bool = True
    answers: bool = True

    @property
    def thinks_when_told(self) -> bool:
        return self.family.thinks_when_told

    def sampling(self, asked: Sampling, _turn: int) -> Sampling:
        return asked

    def examples(self) -> tuple[Message, ...]:
        return ()

    def instructions(self, _tools: Sequence[Tool]) -> str:
        return ""

    def read(self, text: str, *, ended: bool) -> ParsedOutput:
        return self.family.read(text, ended=ended)

    def result_message(self, text: str) -> Message:
        return Message("tool", text)
