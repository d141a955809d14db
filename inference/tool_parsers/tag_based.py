"""The common part of formats whose calls stand between two marks, after the text."""

import re
from abc import ABC, abstractmethod
from typing import ClassVar

from inference.engines.base import Message
from inference.tool_parsers import reasoning
from inference.tool_parsers.base import ParsedOutput, ToolRequest, held_back
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
