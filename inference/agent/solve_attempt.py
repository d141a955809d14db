"""`/solve`: programs are written and run, and what they print is put to a test of its own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from common import tracing
from inference.agent import prompts
from inference.agent.agent_attempt import AgentAttempt
from inference.agent.model_turn import ModelOutput
from inference.chat_attempt import NoAnswer
from inference.maths import form_programs, question_parser, verify
from inference.maths.verify import Verdict
from inference.tool_parsers.base import ParsedOutput, ToolRequest
from jobqueue.schema import AnyEvent, Check, Delta, FinishReason

REPAIRS = 2  # of a refuted result, before the question is computed as it was read by rule


class SolveAttempt(AgentAttempt):
    _last_reply: str | None = None  # the model's last words, without a call
    _latex = ""

    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        """Steps until a result stands its test or no more may be tried, then the answer."""
        read = await asyncio.to_thread(
            question_parser.read, self._job.prompt
        )  # pint takes a second to load
        async for event in self._tries(read):
            yield event
        if read and (self._is_refuted or self._steps.last is None):
            async for event in self._by_rule(read):
                yield event
        chinese = prompts.is_chinese(self._job.prompt, self._job.locale)
        self.text = prompts.answer(
            self._last_reply or "", self._steps.last, self._latex, chinese=chinese
        )
        if not self.text:
            raise NoAnswer(f"no answer in {self._model_turns.turns} turns")
        yield Delta(text=self.text)
        yield self._create_finished(FinishReason.STOP)

    async def _tries(self, read: question_parser.Reading | None) -> AsyncGenerator[AnyEvent, None]:
        """The model's own ways, repaired where a result is refuted."""
        if not self._warmed.is_set():
            with tracing.start_span("warm-up", is_current=False):
                await self._warmed.wait()
        async for event in self._turns(self._question):
            yield event
        if self._steps.last is None and self._last_reply is not None:
            async for event in self._turns(prompts.PROGRAM_WANTED):
                yield event
        await self._test(read)
        for _ in range(REPAIRS):
            if not self._is_refuted:
                return
            async for event in self._turns(prompts.describe_refutation(read)):
                yield event
            await self._test(read)

    async def _turns(self, say: str) -> AsyncGenerator[AnyEvent, None]:
        """Run turns until the model answers without a call.

        If the tool parser has no answers, a call that succeeds ends them, too.
        Raises NoAnswer when the turns are used up.
        """
        self._last_reply = None
        async with aclosing(self._replies(say)) as steps:
            async for step in steps:
                if isinstance(step, ModelOutput):
                    for event in self._steps.report_output(step):
                        yield event
                    ended = step.ended and step.reply.call is None
                    self._last_reply = step.reply.text if ended else None
                else:
                    yield await self._steps.report_result(step)
                    if self._steps.last is step and not self._tool_parser.answers:
                        return
        if self._last_reply is None and self._tool_parser.answers:
            raise NoAnswer(f"{self._model_turns.turns} turns without an answer")

    # --- the test -----------------------------------------------------------------------------

    @property
    def _is_refuted(self) -> bool:
        return self._check is Check.REFUTED

    async def _test(self, read: question_parser.Reading | None) -> None:
        last, sandbox = self._steps.last, self._context.sandbox
        verdict = Verdict()
        if last is not None and sandbox is not None and last.text.strip():
            verdict = await verify.verdict(sandbox, read, last.text)
        self._check, self._latex = verdict.check, verdict.latex

    async def _by_rule(self, read: question_parser.Reading) -> AsyncGenerator[AnyEvent, None]:
        """The question computed as it stands, where the model did not get that far."""
        call = form_programs.create_program(read.form)
        tool = self._tools[call.tool]
        program = call.arguments.get("program")
        shown = program if isinstance(program, str) else read.form
        for event in self._steps.report_output(
            ModelOutput("", ParsedOutput(call=ToolRequest(tool.name, shown, True)), True)
        ):
            yield event
        if not await self._may_run():
            raise NoAnswer("the call was not allowed")
        yield await self._steps.report_result(await tool.call(self._context, call.arguments))
        self._last_reply = ""
        await self._test(read)
