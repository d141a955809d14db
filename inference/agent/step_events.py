"""From what an agent does to the events that a person watches."""

import logging
from collections.abc import Iterator

from inference.agent.model_turn import ModelOutput
from inference.sandbox.result import ProgramFigure
from inference.tool_parsers.base import ParsedOutput
from inference.tool_parsers.json_call import PYTHON
from inference.tools.base import Outcome
from jobqueue.blobs import Blobs
from jobqueue.errors import QueueError
from jobqueue.schema import (
    AnyEvent,
    ApprovalRequest,
    Attachment,
    CallStatus,
    Delta,
    ReasoningDelta,
    ToolCallDelta,
    ToolResult,
)

log = logging.getLogger(__name__)


class Steps:
    """Text before a call is a thought, and text without one the answer. Which it is to be is not
    known while it comes: before anything was run it is shown as a thought, afterwards it is held
    until its end."""

    def __init__(self, blobs: Blobs, asks: int = 0, before: int = 0) -> None:
        """`asks` is this attempt's number where a person decides on each call; `before` is how
        many steps there were without the model."""
        self._blobs = blobs
        self._asks = asks
        self._shown = ParsedOutput()  # of this turn
        self.before = before
        self.number = before  # of the last step
        self.programs: list[str] = []
        self.last: Outcome | None = None  # of those that succeeded

    def report_output(self, said: ModelOutput, *, aloud: bool = False) -> Iterator[AnyEvent]:
        """Yield the events of the model's output.

        With `aloud` its text is an answer, as in a chat, even if a call follows.
        """
        reply, shown = said.reply, self._shown
        taken_back = not reply.text.startswith(shown.text)
        if taken_back and not aloud:  # it was shown as a thought already
            shown = ParsedOutput(shown.thought + shown.text, "", shown.call)
        yield from _new_reasoning(reply.thought, shown.thought)
        if aloud:
            if taken_back:
                yield Delta(text=reply.text, anew=True)
            elif len(reply.text) > len(shown.text):
                yield Delta(text=reply.text[len(shown.text) :])
            self._shown = reply
        elif reply.call is not None or self.last is None:
            yield from _new_reasoning(reply.text, shown.text)
            self._shown = reply
        else:
            self._shown = ParsedOutput(reply.thought)
        if reply.call is None:
            return
        written = shown.call.text if shown.call else ""
        if shown.call is None:
            self.number += 1
        if shown.call is None or len(reply.call.text) > len(written):
            more = reply.call.text[len(written) :]
            yield ToolCallDelta(step=self.number, tool=reply.call.tool or PYTHON, text=more)
        new = shown.call is None or not shown.call.complete
        if self._asks and new and reply.call.complete and not reply.call.fault:
            yield ApprovalRequest(step=self.number, attempt=self._asks)

    async def report_result(self, outcome: Outcome) -> ToolResult:
        call = self._shown.call
        if call and call.tool == PYTHON and outcome.status is not CallStatus.REFUSED:
            self.programs.append(call.text)
        self._shown = ParsedOutput()
        if outcome.status is CallStatus.OK:
            self.last = outcome
        return ToolResult(
            step=self.number,
            status=outcome.status,
            text=outcome.text,
            figures=await self._store_figures(outcome.figures),
            duration_ms=outcome.duration_ms,
        )

    @property
    def figures(self) -> tuple[ProgramFigure, ...]:
        return self.last.figures if self.last else ()

    async def _store_figures(self, figures: tuple[ProgramFigure, ...]) -> tuple[Attachment, ...]:
        """Store figures as blobs. Where there is no room, the answer continues without them."""
        kept = []
        for number, figure in enumerate(figures, start=1):
            try:
                sha256 = await self._blobs.put(figure.png)
            except QueueError as error:
                log.warning("a figure is not kept", extra={"reason": str(error)})
                continue
            name = f"figure-{self.number}-{number}.png"
            kept.append(
                Attachment(sha256=sha256, name=name, media_type="image/png", size=len(figure.png))
            )
        return tuple(kept)


def _new_reasoning(text: str, shown: str) -> Iterator[ReasoningDelta]:
    if len(text) > len(shown):
        yield ReasoningDelta(text=text[len(shown) :])
