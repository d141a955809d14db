"""An attempt in several turns: what `/solve` and a chat with tools have in common."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from common import tracing
from inference.agent import prompts
from inference.agent.model_turn import Asking, ModelOutput
from inference.agent.step_events import Steps
from inference.chat_attempt import NoAnswer, Prompt
from inference.engines.base import Engine, PromptTooLong
from inference.tool_parsers.base import ToolParser
from inference.tools.base import Context, Outcome, Tool
from jobqueue.approvals import Approvals
from jobqueue.blobs import Blobs
from jobqueue.schema import AnyEvent, Check, Delta, Finished, FinishReason, Job, Turn

MAX_TURNS = 7
MAX_FORMS = 3  # a small model that did not get it by then does not get it


class AgentAttempt:
    """The worker's view of it, but for `events`."""

    def __init__(
        self,
        job: Job,
        attempt: int,
        prompt: Prompt,
        *,
        engine: Engine,
        tool_parser: ToolParser,
        tools: Sequence[Tool],
        context: Context,
        blobs: Blobs,
        warmed: asyncio.Event,
        steps: int = 0,
        approvals: Approvals | None = None,
    ) -> None:
        """Create the attempt.

        Without `approvals`, calls that need a person's approval are refused. `warmed` is set once
        the tool parser's examples are read. `steps` is the number of earlier steps.
        """
        from inference.agent.lagent_loop import Loop  # noqa: PLC0415  (lagent: seconds, once)

        *head, question = prompt.messages
        self._job = job
        self._attempt = attempt
        self._prompt = prompt
        self._question = question.content
        self._tool_parser = tool_parser
        self._tools = {tool.name: tool for tool in tools}
        self._context = context
        self._model_turns = Asking(job, attempt, engine, tool_parser, tools)
        self._approvals = approvals
        self._warmed = warmed
        self._steps = Steps(blobs, asks=attempt if job.approval else 0, before=steps)
        self._loop = Loop(
            self._model_turns, tool_parser, tools, context, head=tuple(head), may_run=self._may_run
        )
        self._check = Check.NONE
        self.text = ""

    async def cut_short(self, reason: FinishReason) -> Finished:
        return self._create_finished(reason)

    def turn(self, finished: Finished) -> Turn:
        job = self._job
        return Turn(
            job=job.id,
            user=job.user,
            user_name=job.user_name,
            prompt=job.prompt,
            answer=finished.text,
            parent=self._prompt.parent,
            attachments=job.attachments,
            programs=tuple(self._steps.programs),
            prompt_tokens=self._prompt.question_tokens,
            completion_tokens=len(finished.text.encode()) // 3,  # of the answer alone
        )

    async def _replies(self, say: str) -> AsyncGenerator[ModelOutput | Outcome, None]:
        """Raises NoAnswer when the context is used up by what came before."""
        most = MAX_TURNS if self._tool_parser.answers else MAX_FORMS
        left = max(most - self._model_turns.turns, 0)
        try:
            async with aclosing(self._loop.say(say, left)) as steps:
                async for step in steps:
                    yield step
        except PromptTooLong as error:
            if self._steps.number == self._steps.before:
                raise
            raise NoAnswer(f"the context is full: {error}") from error

    async def _may_run(self) -> bool:
        """Waits for a person's word where the job asks for one."""
        if not self._job.approval:
            return True
        if self._approvals is None:
            return False
        with tracing.start_span("approval") as span:
            said = await self._approvals.wait_for_decision(
                self._job.id, self._attempt, self._steps.number
            )
            span.set_attributes(tracing.attributes(allowed=said))
        return said

    def _create_finished(self, reason: FinishReason) -> Finished:
        return Finished(
            text=self.text,
            check=self._check,
            reason=reason,
            prompt_tokens=self._model_turns.prompt_tokens,
            completion_tokens=self._model_turns.completion_tokens,
            omitted_turns=self._prompt.omitted_turns,
            summarised_turns=self._prompt.summarised_turns,
        )


# `/chat` with tools: an answer in the model's words, with tool calls in between.


class ToolChatAttempt(AgentAttempt):
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
        if not self.text and self._steps.figures:
            chinese = prompts.is_chinese(self._job.prompt, self._job.locale)
            self.text = prompts.point_to_figure(chinese=chinese)
            yield Delta(self.text)
        if not isinstance(last, ModelOutput) and not self.text:
            raise NoAnswer(f"{self._model_turns.turns} turns without an answer")
        repeated = self._model_turns.repeated
        yield self._create_finished(FinishReason.REPETITION if repeated else FinishReason.STOP)

    def _apart(self, delta: Delta, called: bool) -> Delta:
        """Put a line break before text after a call; servers that parse calls leave none."""
        if called and self.text and not self.text[-1].isspace():
            return Delta("\n" + delta.text)
        return delta
