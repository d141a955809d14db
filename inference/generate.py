"""A job and its channel's past become messages; the engine's chunks become events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from inference.engines.base import Engine, Message, Request, TooLong, Unsupported
from jobqueue.history import Loaded
from jobqueue.schema import Delta, Finished, FinishReason, Job, Turn

# Of the context, at least this part is kept for the answer.
ANSWER_SHARE = 4


class Past(Protocol):
    """Finished turns of a channel, newest last: `jobqueue.history`, or a terminal's memory."""

    async def load(self, channel: str, budget_tokens: int | None) -> Loaded: ...


@dataclass(frozen=True, slots=True)
class Prompt:
    messages: tuple[Message, ...]
    question_tokens: int  # of the last message alone
    omitted_turns: int  # older turns that did not fit


async def compose(job: Job, past: Past, engine: Engine, *, system: str) -> Prompt:
    """The newest turns that fit the context beside the question and room for an answer.

    Raises TooLong when the question alone does not fit, Unsupported when it has no words.
    """
    if not job.prompt.strip():
        raise Unsupported(f"{engine.model} reads text only")
    head = (Message("system", job.system or system),)
    question = Message("user", job.prompt)
    alone = await engine.count_tokens((*head, question))
    if alone >= engine.context_tokens:
        raise TooLong(alone, engine.context_tokens)
    empty = await engine.count_tokens((*head, Message("user", "")))

    room = engine.context_tokens - _answer_room(job, engine)
    loaded = await past.load(job.channel, max(room - alone, 0))
    turns = loaded.turns
    while turns and await engine.count_tokens(_messages(head, turns, question)) > room:
        turns = turns[1:]
    omitted = loaded.omitted + len(loaded.turns) - len(turns)
    return Prompt(_messages(head, turns, question), alone - empty, omitted)


def _answer_room(job: Job, engine: Engine) -> int:
    most = engine.context_tokens // ANSWER_SHARE
    return min(job.sampling.max_tokens or most, most)


def _messages(
    head: tuple[Message, ...], turns: tuple[Turn, ...], question: Message
) -> tuple[Message, ...]:
    said = (m for t in turns for m in (Message("user", t.prompt), Message("assistant", t.answer)))
    return (*head, *said, question)


class Answer:
    """One attempt at a job, as it grows."""

    def __init__(self, job: Job, attempt: int, prompt: Prompt, engine: Engine) -> None:
        self._job = job
        self._prompt = prompt
        self._engine = engine
        self._request = Request(
            id=f"{job.id}.{attempt}",
            channel=job.channel,
            messages=prompt.messages,
            sampling=job.sampling,
        )
        self._texts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._texts)

    async def events(self) -> AsyncGenerator[Delta | Finished, None]:
        """Deltas, then one Finished. Closing it aborts the engine's work."""
        async with aclosing(self._engine.generate(self._request)) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    self._texts.append(chunk.text)
                    yield Delta(text=chunk.text)
                if chunk.finish_reason is not None and chunk.usage is not None:
                    yield Finished(
                        text=self.text,
                        reason=chunk.finish_reason,
                        prompt_tokens=chunk.usage.prompt_tokens,
                        completion_tokens=chunk.usage.completion_tokens,
                        omitted_turns=self._prompt.omitted_turns,
                    )

    async def cut_short(self, reason: FinishReason) -> Finished:
        """What there is of an answer that was aborted; its tokens are counted from the text."""
        return Finished(
            text=self.text,
            reason=reason,
            prompt_tokens=await self._engine.count_tokens(self._prompt.messages),
            completion_tokens=len(self._texts),
            omitted_turns=self._prompt.omitted_turns,
        )

    def turn(self, finished: Finished) -> Turn:
        """What the channel remembers of it."""
        job = self._job
        return Turn(
            job=job.id,
            user=job.user,
            user_name=job.user_name,
            prompt=job.prompt,
            answer=finished.text,
            attachments=job.attachments,
            prompt_tokens=self._prompt.question_tokens,
            completion_tokens=finished.completion_tokens,
        )
