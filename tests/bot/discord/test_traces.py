"""One trace of each question, from the interaction to the last edit, across bot and worker."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from inference.engines.base import Chunk, Engine, Request
from inference.engines.metered_engine import MeteredEngine
from inference.engines.scripted import ScriptedEngine
from inference.metrics import WorkerMetrics
from inference.worker import Worker
from jobqueue.history import History
from jobqueue.queue import JobQueue
from tests.bot.discord.conftest import Room, running, scripted, until
from tests.traces import attributes_of, record_spans, span_tree, trace_of

ATTEMPT = {
    ("submit", "queue"),
    ("submit", "attempt"),
    ("attempt", "context"),
    ("attempt", "generate"),
    ("generate", "prefill"),
}


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    with record_spans() as spans:
        yield spans


class Endless(ScriptedEngine):
    """It begins, and never ends."""

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        yield Chunk("It begins")
        await asyncio.Event().wait()


@asynccontextmanager
async def working(room: Room, engine: Engine) -> AsyncIterator[None]:
    measured = MeteredEngine(engine, metrics := WorkerMetrics())
    queue, history = JobQueue(room.redis), History(room.redis)
    worker = Worker(queue, history, measured, name="w0", system="", metrics=metrics, drain_s=0.1)
    async with running(worker.run()):
        yield


async def ended(kept: InMemorySpanExporter, name: str, wanted: int = 1) -> list[ReadableSpan]:
    """All spans there are, once so many with this name have ended."""

    def look() -> list[ReadableSpan] | None:
        spans = list(kept.get_finished_spans())
        return spans if sum(span.name == name for span in spans) >= wanted else None

    return await until(look)


async def test_a_command_is_one_trace_across_both_processes(
    silent_room: Room, kept: InMemorySpanExporter
) -> None:
    room = silent_room
    async with working(room, ScriptedEngine()), room.bot():
        asked = (await room.world.slash("ada", "general", "chat", {"prompt": "hello"})).id
        await room.answer(scripted("hello"))
        spans = await ended(kept, "answer")
    assert span_tree(spans) == ATTEMPT | {
        ("", "question"),
        ("question", "submit"),
        ("question", "acknowledge"),
        ("question", "answer"),
    }
    assert len(set(map(trace_of, spans))) == 1
    said = {span.name: span for span in spans}
    assert [event.name for event in said["answer"].events] == ["first visible", "last edit"]
    assert attributes_of(said["question"])["commonroom.job"] == asked
    assert attributes_of(said["generate"])["gen_ai.usage.output_tokens"] == 5
    assert attributes_of(said["attempt"])["commonroom.outcome"] == "stop"


async def test_what_goes_on_in_other_processes_goes_on_in_the_same_trace(
    silent_room: Room, kept: InMemorySpanExporter
) -> None:
    """A mention, whose worker and bot are replaced while it is answered."""
    room = silent_room
    async with room.bot(), working(room, Endless()):
        await room.world.say("ada", "general", "<@bot> hello")
        await room.streaming()
    async with working(room, ScriptedEngine()), room.bot():
        await room.answer(scripted("hello"))
        spans = await ended(kept, "answer", 2)
    assert span_tree(spans) == ATTEMPT | {
        ("", "question"),
        ("question", "intake"),
        ("intake", "submit"),
        ("intake", "answer"),  # the first bot's
        ("answer", "send"),
        ("submit", "answer"),  # its successor's, which knows what the queue was given
    }
    assert len(set(map(trace_of, spans))) == 1
    attempts, answers = (
        [attributes_of(span) for span in spans if span.name == name]
        for name in ("attempt", "answer")
    )
    assert [each["commonroom.outcome"] for each in attempts] == ["released", "stop"]
    assert [each["commonroom.resumed"] for each in answers] == [False, True]
