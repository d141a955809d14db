"""An attempt at a chat: history and job become messages, the engine's chunks become events."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from inference import reasoning, tool_parsers
from inference.context_images import Album, album
from inference.engines.base import (
    BadRequest,
    Chunk,
    Engine,
    Message,
    PromptTooLong,
    Request,
    UnsupportedRequest,
    Usage,
)
from inference.tool_parsers import base
from jobqueue.blobs import BlobReader
from jobqueue.history import LoadedHistory
from jobqueue.schema import (
    AnyEvent,
    Delta,
    Finished,
    FinishReason,
    Job,
    ReasoningDelta,
    Summary,
    Turn,
)

# Of the context, at least this part is kept for the answer.
ANSWER_SHARE = 4


# Why an attempt has no answer; the worker turns these errors into texts for people.


class NoAnswer(BadRequest):
    """The model wrote no answer in its turns."""


class NoPrograms(BadRequest):
    """Nowhere here may a program be run."""


class HistorySource(Protocol):
    """Finished turns of a channel, newest last: `jobqueue.history`, or a terminal's memory."""

    async def load(
        self, channel: str, budget_tokens: int | None, parent: str | None
    ) -> LoadedHistory: ...

    async def get_turn(self, channel: str, job: str) -> Turn | None: ...


@dataclass(frozen=True, slots=True)
class Prompt:
    messages: tuple[Message, ...]
    question_tokens: int  # of the question alone
    omitted_turns: int  # older turns that did not fit
    summarised_turns: int = 0  # and those before, of which there is a summary
    parent: str | None = None  # the turn it follows; None where the job leaves it to the queue
    begun: Turn | None = None  # its answer is continued, and stands at the end of the messages
    unseen_pictures: int = 0  # of those that people posted


async def compose(
    job: Job,
    past: HistorySource,
    engine: Engine,
    *,
    system: str,
    examples: tuple[Message, ...] = (),
    blobs: BlobReader | None = None,
) -> Prompt:
    """The newest turns that fit the context beside the question and room for an answer.

    Raises PromptTooLong when the question alone does not fit, UnsupportedRequest when it has no
    words, BadRequest when the answer that it continues is forgotten.
    """
    own = await album(job, (), blobs, engine)
    if not job.prompt.strip() and not own.images:
        raise UnsupportedRequest(f"{engine.model} reads text only")
    head = (Message("system", _persona(job, engine, system)), *examples)
    question = Message("user", job.prompt, own.of(job.id))
    begun = await _load_continued_turn(job, past)
    tail = (question, Message("assistant", begun.answer)) if begun else (question,)
    alone = await engine.count_tokens((*head, *tail))
    if alone >= engine.context_tokens:
        raise PromptTooLong(alone, engine.context_tokens)
    empty = await engine.count_tokens((*head, Message("user", "")))
    asked = await engine.count_tokens((*head, question)) if begun else alone

    room = engine.context_tokens - _answer_room(job, engine)
    loaded = await past.load(job.channel, max(room - alone, 0), job.parent)
    summary, turns = loaded.summary, loaded.turns
    shown = await album(job, turns, blobs, engine)

    def messages() -> tuple[Message, ...]:
        asking = replace(question, images=shown.of(job.id))
        return (*head, *_history_messages(summary, turns, shown), asking, *tail[1:])

    while turns and await engine.count_tokens(messages()) > room:
        if fewer := shown.without_oldest(keep=job.id):
            shown = fewer
        else:
            turns = turns[1:]
    return Prompt(
        messages=messages(),
        question_tokens=asked - empty,
        omitted_turns=loaded.omitted + len(loaded.turns) - len(turns),
        summarised_turns=summary.turns if summary else 0,
        parent=None if job.parent is None else loaded.parent,
        begun=begun,
        unseen_pictures=shown.unseen,
    )


def _persona(job: Job, engine: Engine, system: str) -> str:
    persona = job.system or system
    if job.thinking and tool_parsers.of_model(engine.identity).thinks_when_told:
        return f"{persona}\n\n{base.REASONING_PROMPT}"
    return persona


async def _load_continued_turn(job: Job, past: HistorySource) -> Turn | None:
    if not job.continues:
        return None
    turn = await past.get_turn(job.channel, job.continues)
    if turn is None:
        raise BadRequest("the answer to continue is forgotten")
    return turn


def _answer_room(job: Job, engine: Engine) -> int:
    most = engine.context_tokens // ANSWER_SHARE
    return min(job.sampling.max_tokens or most, most)


def _history_messages(
    summary: Summary | None, turns: tuple[Turn, ...], shown: Album
) -> Iterator[Message]:
    if summary is not None:
        yield from summary_messages(summary)
    for turn in turns:
        yield Message("user", turn.prompt, shown.of(turn.job))
        yield Message("assistant", turn.answer)


def summary_messages(summary: Summary) -> Iterator[Message]:
    """A summary as an exchange of its own: made of what people said, it has no more weight."""
    yield Message("user", f"This is what was said before, in short:\n{summary.text}")
    yield Message("assistant", "I remember.")


class Attempt(Protocol):
    """One attempt at a job, as it grows."""

    @property
    def text(self) -> str:
        """The answer's text so far."""
        ...

    def events(self) -> AsyncGenerator[AnyEvent, None]:
        """Yield all events, then one Finished. Closing the iterator aborts the work."""
        ...

    async def cut_short(self, reason: FinishReason) -> Finished:
        """Return the end event of an aborted answer, with the text and tokens that came."""
        ...

    def turn(self, finished: Finished) -> Turn:
        """Return the turn that the channel's history keeps."""
        ...


class ChatAttempt:
    """An attempt that asks the engine once."""

    def __init__(self, job: Job, attempt: int, prompt: Prompt, engine: Engine) -> None:
        self._job = job
        self._prompt = prompt
        self._engine = engine
        self._request = Request(
            id=f"{job.id}.{attempt}",
            channel=job.channel,
            messages=prompt.messages,
            sampling=job.sampling,
            thinking=job.thinking,
        )
        self._begun = prompt.begun.answer if prompt.begun else ""
        self._said = ""  # as the model wrote it, without what it continues
        self._thought = ""
        self._answer = ""
        self._tokens = 0

    @property
    def text(self) -> str:
        """All of it, with what it continues."""
        return self._begun + self._answer

    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        """Deltas, then one Finished. Closing it aborts the engine's work."""
        if self._begun:
            yield Delta(text=self._begun)
        async with aclosing(self._engine.generate(self._request)) as chunks:
            async for chunk in chunks:
                for event in self._add_chunk(chunk):
                    yield event
                if chunk.finish_reason is not None and chunk.usage is not None:
                    yield self._create_finished(chunk.finish_reason, chunk.usage)

    def _add_chunk(self, chunk: Chunk) -> Iterator[AnyEvent]:
        """Yield what a chunk adds to the reasoning and to the answer."""
        self._tokens += chunk.tokens if chunk.text or chunk.reasoning else 0
        self._said = chunk.added_to(self._said)
        thought, answer = self._said_so_far(ended=chunk.finish_reason is not None)
        thought_more = chunk.reasoning + thought[len(self._thought) :]
        before, self._thought, self._answer = self._answer, thought, answer
        if thought_more:
            yield ReasoningDelta(text=thought_more)
        if not answer.startswith(before):
            yield Delta(text=self.text, anew=True)
        elif len(answer) > len(before):
            yield Delta(text=answer[len(before) :])

    def _said_so_far(self, *, ended: bool) -> tuple[str, str]:
        return ("", self._said) if self._begun else reasoning.split(self._said, ended=ended)

    async def cut_short(self, reason: FinishReason) -> Finished:
        """Return the end event of an aborted answer, with the text and tokens that came."""
        read = await self._engine.count_tokens(self._prompt.messages)
        return self._create_finished(reason, Usage(read, self._tokens))

    def _create_finished(self, reason: FinishReason, usage: Usage) -> Finished:
        return Finished(
            text=self.text,
            reason=reason,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            omitted_turns=self._prompt.omitted_turns,
            summarised_turns=self._prompt.summarised_turns,
            unseen_pictures=self._prompt.unseen_pictures,
        )

    def turn(self, finished: Finished) -> Turn:
        """Return the turn that the channel's history keeps."""
        job, begun = self._job, self._prompt.begun
        return Turn(
            job=job.id,
            user=job.user,
            user_name=job.user_name,
            prompt=job.prompt,
            answer=finished.text,
            parent=self._prompt.parent,
            attachments=job.attachments,
            prompt_tokens=self._prompt.question_tokens,
            completion_tokens=finished.completion_tokens
            + (begun.completion_tokens if begun else 0),
        )
