"""`/chat` with tools: an answer in the model's words, with tool calls in between."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from inference.agent.agent_attempt import AgentAttempt
from inference.agent.model_turn import ModelOutput, NoAnswer
from jobqueue.schema import AnyEvent, Delta, FinishReason


class Talk(AgentAttempt):
    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        last, called, before = None, False, ""
        async with aclosing(self._replies(self._question)) as steps:
            async for last in steps:
                if isinstance(last, ModelOutput):
                    for event in self._steps.report_output(last, aloud=True):
                        if not isinstance(event, Delta):
                            yield event
                            continue
                        if event.anew:  # only of this turn
                            self.text, called = before, bool(before)
                        piece = self._apart(event, called)
                        self.text += piece.text
                        yield Delta(self.text, anew=True) if event.anew else piece
                        called = False
                else:
                    called, before = True, self.text
                    yield await self._steps.report_result(last)
        if not isinstance(last, ModelOutput) and not self.text:
            raise NoAnswer(f"{self._asking.turns} turns without an answer")
        yield self._create_finished(FinishReason.STOP)

    def _apart(self, delta: Delta, called: bool) -> Delta:
        """Put a line break before text after a call; servers that parse calls leave none."""
        if called and self.text and not self.text[-1].isspace():
            return Delta("\n" + delta.text)
        return delta
