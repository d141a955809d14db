"""One attempt at `/solve`: programs are written and run until there is an answer."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from inference.agent.errors import NoAnswer
from inference.agent.said import Said
from inference.agent.steps import Steps
from inference.dialects.base import Dialect
from inference.engines.base import Engine, Message, Request
from inference.generate import Prompt
from inference.tools.base import Context, Outcome, Tool
from jobqueue.blobs import Blobs
from jobqueue.schema import AnyEvent, Delta, Finished, FinishReason, Job, Turn

if TYPE_CHECKING:
    from inference.agent.loop import Loop

MAX_TURNS = 7


class ToolAnswer:
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
        self._job = job
        self._attempt = attempt
        self._prompt = prompt
        self._engine = engine
        self._dialect = dialect
        self._tools = tools
        self._context = context
        self._steps = Steps(blobs)
        self._text = ""
        self._turns = 0
        self._prompt_tokens = 0
        self._completion_tokens = 0

    @property
    def text(self) -> str:
        return self._text

    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        *head, question = self._prompt.messages
        loop = self._loop(tuple(head))
        last: Said | Outcome | None = None
        async with aclosing(loop.say(question.content, MAX_TURNS)) as steps:
            async for last in steps:
                if isinstance(last, Said):
                    for event in self._steps.said(last):
                        yield event
                else:
                    yield await self._steps.returned(last)
        if not isinstance(last, Said):
            raise NoAnswer(f"{MAX_TURNS} turns without an answer")
        self._text = last.reply.text.strip()
        yield Delta(text=self._text)
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
            completion_tokens=len(finished.text.encode()) // 3,
        )

    def _loop(self, head: tuple[Message, ...]) -> "Loop":
        from inference.agent.loop import Loop  # noqa: PLC0415  (seconds, once)

        return Loop(self._ask, self._dialect, self._tools, self._context, head)

    async def _ask(self, messages: tuple[Message, ...]) -> AsyncGenerator[Said, None]:
        """One turn of the model's, ended where its call is complete."""
        self._turns += 1
        request = Request(
            id=f"{self._job.id}.{self._attempt}.{self._turns}",
            channel=self._job.channel,
            messages=messages,
            sampling=self._job.sampling,
        )
        self._prompt_tokens += await self._engine.count_tokens(messages)
        text = ""
        async with aclosing(self._engine.generate(request)) as chunks:
            async for chunk in chunks:
                self._completion_tokens += bool(chunk.text)
                text += chunk.text
                ended = chunk.finish_reason is not None
                reply = self._dialect.read(text, ended=ended)
                ended = ended or (reply.call is not None and reply.call.complete)
                yield Said(text, reply, ended)
                if ended:
                    return

    def _finished(self, reason: FinishReason) -> Finished:
        return Finished(
            text=self._text,
            reason=reason,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            omitted_turns=self._prompt.omitted_turns,
        )
