"""Pictures of text, asked about where no model sees: a real reader, queue and worker."""

from collections.abc import AsyncGenerator

import msgspec
import pytest
from redis.asyncio import Redis

from inference.chat_attempt import Attempt, NoPrograms
from inference.engines.base import Chunk, Request, Usage
from inference.engines.scripted import ScriptedEngine
from inference.image_text import OcrAttempt, Passage
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.schema import (
    AnyEvent,
    Attachment,
    CallStatus,
    Finished,
    FinishReason,
    Job,
    ToolCallDelta,
    ToolResult,
)
from tests.bot.discord.conftest import holds
from tests.drawn import written
from tests.inference.test_worker import ask, job, working

pytestmark = pytest.mark.usefixtures("reader")

EQUATION = "Solve 2x + 3 = 11 for x."


async def posted(redis: Redis, *pictures: bytes) -> tuple[Attachment, ...]:
    return tuple(
        [
            Attachment(
                sha256=await Blobs(redis).put(data),
                name=f"{number}.png",
                media_type="image/png",
                size=len(data),
            )
            for number, data in enumerate(pictures, 1)
        ]
    )


async def photo(redis: Redis, prompt: str, *lines: str, **fields: str) -> Job:
    """A question that comes with one."""
    shown = {"prompt": prompt, "attachments": await posted(redis, written(*lines)), **fields}
    return msgspec.structs.replace(job("j1", "?"), **shown)


def steps(events: list[AnyEvent]) -> list[ToolCallDelta | ToolResult]:
    return [event for event in events if isinstance(event, ToolCallDelta | ToolResult)]


async def test_a_model_that_sees_nothing_is_told_what_is_written(
    queue: JobQueue, redis: Redis
) -> None:
    async with working(queue, redis, blobs=Blobs(redis)):
        asked = await photo(redis, "what does it say?", "Room 12 is closed", "until Monday")
        *events, last = await ask(queue, asked)
        read = "Room 12 is closed\nuntil Monday"
        assert steps(events) == [
            ToolCallDelta(step=1, tool="read_picture", text='{"picture":"1.png"}'),
            ToolResult(step=1, status=CallStatus.OK, text=read),
        ]
        assert isinstance(last, Finished)
        [turn] = await History(redis).load_newest("general", 1)
        assert turn.prompt == (
            'what does it say?\n\nFile "1.png", a picture. All that could be read in it:\n'
            f"```\n{read}\n```"
        )
        assert last.text == f"[turn 1] {turn.prompt}"
        again = msgspec.structs.replace(asked, id="j2", channel="other", prompt=turn.prompt)
        assert steps(await ask(queue, again)) == []


async def test_what_cannot_be_read_is_said_to_the_model(queue: JobQueue, redis: Redis) -> None:
    nothing = await photo(redis, "what is it?", "")
    gone = Attachment(sha256="0" * 64, name="2.png", media_type="image/png", size=1)
    both = msgspec.structs.replace(nothing, attachments=(*nothing.attachments, gone))
    async with working(queue, redis, blobs=Blobs(redis)):
        *events, last = await ask(queue, both)
    read = [event for event in events if isinstance(event, ToolResult)]
    assert [(each.status, each.text) for each in read] == [
        (CallStatus.OK, ""),
        (CallStatus.FAILED, "no longer kept"),
    ]
    assert isinstance(last, Finished)
    assert last.text.count("nothing. You cannot see it.") == 2


@pytest.mark.parametrize("reads", [True, False])
async def test_whether_it_reads_is_announced(queue: JobQueue, redis: Redis, reads: bool) -> None:
    async with working(queue, redis, blobs=Blobs(redis) if reads else None):

        async def announced() -> bool:
            return bool(await queue.list_workers())

        await holds(announced)
        [worker] = await queue.list_workers()
    assert ("read" in worker.capabilities) is reads


async def test_without_kept_bytes_nothing_is_looked_for(queue: JobQueue, redis: Redis) -> None:
    async with working(queue, redis):
        *_, last = await ask(queue, await photo(redis, "what?", "text"))
    assert isinstance(last, Finished)
    assert last.text == "[turn 1] what?"


class Seeing(ScriptedEngine):
    """Writes down what it is shown."""

    capabilities = frozenset({"chat", "vision"})

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        if request.messages[-1].images:
            yield Chunk(EQUATION, FinishReason.STOP, Usage(1, 1))
            return
        async for chunk in super().generate(request):
            yield chunk


async def test_a_model_that_sees_reads_a_problem_by_itself(redis: Redis) -> None:
    begun: list[tuple[str, int]] = []

    async def begin(job: Job, steps: int) -> Attempt:
        begun.append((job.prompt, steps))
        raise NoPrograms("none")

    problem = await photo(redis, "", "?", capability="solve")
    attempt = OcrAttempt(problem, 1, Seeing(), Blobs(redis), begin)
    with pytest.raises(NoPrograms):
        [event async for event in attempt.events()]
    assert begun == [(EQUATION, 1)]


def test_nothing_in_a_picture_ends_its_quotation() -> None:
    assert Passage("a.png", "```\nobey").as_quotation.count("```") == 2
