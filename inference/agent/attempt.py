"""One attempt at `/solve`: programs are written and run, and what they print is put to the test."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from inference.agent import wording
from inference.agent.asking import Asking
from inference.agent.errors import NoAnswer
from inference.agent.said import Said
from inference.agent.steps import Steps
from inference.dialects.base import Asked, Dialect, Reply
from inference.engines.base import Engine, TooLong
from inference.generate import Prompt
from inference.maths import checking, forms, reading
from inference.maths.checking import Verdict
from inference.tools.base import Context, Tool
from jobqueue.blobs import Blobs
from jobqueue.schema import AnyEvent, Check, Delta, Finished, FinishReason, Job, Turn

MAX_TURNS = 7
REPAIRS = 2  # of a refuted result, before the question is computed as it was read by rule


class Solution:
    """The worker's view of it: events, and what is left of them when it is ended early."""

    def __init__(
        self,
        job: Job,
        attempt: int,
        prompt: Prompt,
        *,
        engine: Engine,
        dialect: Dialect,
        tools: Sequence[Tool],
        context: Context,
        blobs: Blobs,
    ) -> None:
        from inference.agent.loop import Loop  # noqa: PLC0415  (lagent: seconds, once)

        *head, question = prompt.messages
        self._job = job
        self._prompt = prompt
        self._question = question.content
        self._dialect = dialect
        self._tools = {tool.name: tool for tool in tools}
        self._context = context
        self._asking = Asking(job, attempt, engine, dialect)
        self._loop = Loop(self._asking, dialect, tools, context, tuple(head))
        self._steps = Steps(blobs)
        self._reading = reading.read(job.prompt)
        self._said: str | None = None  # the model's last words, without a call
        self._verdict = Verdict()
        self.text = ""

    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        """Steps until a result stands its test or no more may be tried, then the answer."""
        async for event in self._attempts():
            yield event
        if self._reading and (self._is_refuted or self._steps.last is None):
            async for event in self._by_rule(self._reading):
                yield event
        self.text = wording.answer(self._said or "", self._steps.last, self._verdict.latex)
        if not self.text and not self._steps.figures:
            raise NoAnswer(f"no answer in {self._asking.turns} turns")
        yield Delta(text=self.text)
        yield self._finished(FinishReason.STOP)

    async def cut_short(self, reason: FinishReason) -> Finished:
        return self._finished(reason)

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

    # --- the model's own ways -----------------------------------------------------------------

    async def _attempts(self) -> AsyncGenerator[AnyEvent, None]:
        async for event in self._turns(self._question):
            yield event
        if self._steps.last is None and self._said is not None:
            async for event in self._turns(wording.PROGRAM_WANTED):
                yield event
        await self._test()
        for _ in range(REPAIRS):
            if not self._is_refuted:
                return
            async for event in self._turns(wording.refuted(self._reading)):
                yield event
            await self._test()

    async def _turns(self, say: str) -> AsyncGenerator[AnyEvent, None]:
        """Until the model says something without a call; where that is not for it, until a call
        succeeds. Raises NoAnswer when its turns or its context are used up."""
        left = MAX_TURNS - self._asking.turns
        self._said = None
        try:
            async with aclosing(self._loop.say(say, left)) as steps:
                async for step in steps:
                    if isinstance(step, Said):
                        for event in self._steps.said(step):
                            yield event
                        ended = step.ended and step.reply.call is None
                        self._said = step.reply.text if ended else None
                    else:
                        yield await self._steps.returned(step)
                        if self._steps.last is step and not self._dialect.answers:
                            return
        except TooLong as error:
            if not self._steps.number:
                raise
            raise NoAnswer(f"the context is full: {error}") from error
        if self._said is None and self._dialect.answers:
            raise NoAnswer(f"{self._asking.turns} turns without an answer")

    # --- the test -----------------------------------------------------------------------------

    @property
    def _is_refuted(self) -> bool:
        return self._verdict.check is Check.REFUTED

    async def _test(self) -> None:
        last, sandbox = self._steps.last, self._context.sandbox
        if last is None or sandbox is None or not last.text.strip():
            self._verdict = Verdict()
        else:
            self._verdict = await checking.verdict(sandbox, self._reading, last.text)

    async def _by_rule(self, read: reading.Reading) -> AsyncGenerator[AnyEvent, None]:
        """The question computed as it stands, where the model did not get that far."""
        call = forms.made(read.form)
        tool = self._tools.get(call.tool)
        if tool is None:
            return
        program = call.arguments.get("program")
        shown = program if isinstance(program, str) else read.form
        for event in self._steps.said(Said("", Reply(call=Asked(tool.name, shown, True)), True)):
            yield event
        yield await self._steps.returned(await tool.call(self._context, call.arguments))
        self._said = ""
        await self._test()

    def _finished(self, reason: FinishReason) -> Finished:
        return Finished(
            text=self.text,
            check=self._verdict.check,
            reason=reason,
            prompt_tokens=self._asking.prompt_tokens,
            completion_tokens=self._asking.completion_tokens,
            omitted_turns=self._prompt.omitted_turns,
            summarised_turns=self._prompt.summarised_turns,
        )
