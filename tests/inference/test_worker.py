"""A worker over a real queue, with the scripted engine."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from inference.engines.base import Chunk, Engine, Health, Request
from inference.engines.scripted import ScriptedEngine
from inference.worker import Worker
from jobqueue.event_reader import EventReader
from jobqueue.history import History
from jobqueue.policy import Policy
from jobqueue.queue import JobQueue
from jobqueue.schema import (
    AnyEvent,
    Delta,
    Failed,
    FailureCode,
    Finished,
    FinishReason,
    Job,
    JobState,
    Sampling,
    Started,
    add_model,
)
from tests.inference.support import until
from tests.jobqueue.support import make_job


def job(name: str, prompt: str, **fields: object) -> Job:
    return make_job(name, prompt=prompt, **fields)


@asynccontextmanager
async def working(
    queue: JobQueue, redis: Redis, engine: Engine | None = None, **options: Any
) -> AsyncIterator[Worker]:
    """A worker that is stopped at the end; how it ended is checked by leaving."""
    worker = Worker(
        queue,
        History(redis),
        engine or ScriptedEngine(),
        **({"name": "worker-0", "system": "be brief"} | options),
    )
    ready = asyncio.Event()
    running = asyncio.create_task(worker.run(ready.set))
    try:
        async with asyncio.timeout(5):
            await ready.wait()
        yield worker
    finally:
        worker.stop()
        async with asyncio.timeout(20):
            await running


async def events_of(queue: JobQueue, job_id: str) -> list[AnyEvent]:
    async with EventReader(queue, "bot-0") as live, asyncio.timeout(20):
        return [envelope.event async for envelope in live.follow(job_id)]


async def ask(queue: JobQueue, asked: Job) -> list[AnyEvent]:
    await queue.submit(asked)
    return await events_of(queue, asked.id)


async def first_text(queue: JobQueue, job_id: str) -> None:
    async with EventReader(queue, "bot-0") as live, asyncio.timeout(20):
        async for envelope in live.follow(job_id):
            if isinstance(envelope.event, Delta):
                return


def failure(events: list[AnyEvent]) -> FailureCode:
    assert isinstance(events[-1], Failed)
    return events[-1].code


async def test_a_job_is_started_streamed_and_finished(queue: JobQueue, redis: Redis) -> None:
    async with working(queue, redis):
        started, *deltas, finished = await ask(queue, job("j1", "hello !tokens 60 !delay 5ms"))
    assert started == Started(attempt=1, worker="worker-0", model="scripted")
    assert isinstance(finished, Finished)
    assert "".join(d.text for d in deltas if isinstance(d, Delta)) == finished.text
    assert finished.text.startswith("[turn 1] hello !tokens 60")
    assert finished.completion_tokens == 60
    assert 1 < len(deltas) < 20  # gathered, not one a token


async def test_many_streams_are_gathered_for_longer(
    queue: JobQueue, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.worker.EMITS_PER_S", 0.01)
    async with working(queue, redis):
        _, *deltas, finished = await ask(queue, job("j1", "hello !tokens 20 !delay 10ms"))
    assert len(deltas) == 2  # the first at once, then all the rest
    assert isinstance(finished, Finished)
    assert "".join(d.text for d in deltas if isinstance(d, Delta)) == finished.text


async def test_a_channel_remembers(queue: JobQueue, redis: Redis) -> None:
    async with working(queue, redis):
        await ask(queue, job("j1", "one"))
        *_, last = await ask(queue, job("j2", "two"))
        *_, elsewhere = await ask(queue, job("j3", "three", channel="other"))
    assert isinstance(last, Finished)
    assert isinstance(elsewhere, Finished)
    assert (last.text, elsewhere.text) == ("[turn 2] two", "[turn 1] three")
    turns = (await History(redis).load("general")).turns
    assert [(t.job, t.prompt, t.answer) for t in turns] == [
        ("j1", "one", "[turn 1] one"),
        ("j2", "two", "[turn 2] two"),
    ]


async def test_many_jobs_run_at_once(queue: JobQueue, redis: Redis) -> None:
    jobs = [job(f"j{n}", "hi !tokens 20 !delay 20ms", channel=f"c{n}") for n in range(4)]
    async with working(queue, redis):
        async with asyncio.timeout(4):  # one after the other they would take longer
            answers = await asyncio.gather(*(ask(queue, j) for j in jobs))
    assert all(isinstance(events[-1], Finished) for events in answers)


async def test_no_more_jobs_run_than_there_are_slots(queue: JobQueue, redis: Redis) -> None:
    engine = Counting(slots=2)
    jobs = [job(f"j{n}", "hi !tokens 9 !delay 5ms", channel=f"c{n}") for n in range(4)]
    async with working(queue, redis, engine):
        answers = await asyncio.gather(*(ask(queue, j) for j in jobs))
    assert all(isinstance(events[-1], Finished) for events in answers)
    assert engine.most == 2


class Counting(ScriptedEngine):
    """Counts how many requests run at once."""

    running = most = 0

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            async for chunk in super().generate(request):
                yield chunk
        finally:
            self.running -= 1


async def test_cancel_stops_the_engine_and_keeps_what_was_said(
    queue: JobQueue, redis: Redis
) -> None:
    engine = Counting()
    asked = job("j1", "hi !tokens 5000 !delay 10ms")
    async with working(queue, redis, engine):
        await queue.submit(asked)
        await first_text(queue, "j1")
        await queue.cancel("j1")
        async with asyncio.timeout(1):
            *_, last = await events_of(queue, "j1")
        assert engine.running == 0
    assert isinstance(last, Finished)
    assert last.reason is FinishReason.CANCELLED
    assert last.text.startswith("[turn 1]")
    [turn] = (await History(redis).load("general")).turns
    assert turn.answer == last.text


async def test_cancel_is_heard_while_nothing_comes_yet(queue: JobQueue, redis: Redis) -> None:
    """As in a long prefill: there is no text, so there is no turn either."""
    engine = Counting()
    async with working(queue, redis, engine):
        await queue.submit(job("j1", "hi !delay 60s"))
        await until(lambda: engine.running == 1, within_s=5)
        await queue.cancel("j1")
        async with asyncio.timeout(1):
            assert failure(await events_of(queue, "j1")) is FailureCode.CANCELLED
    assert (await History(redis).load("general")).turns == ()


async def test_a_silent_engine_keeps_its_lease(redis: Redis) -> None:
    """The lease is renewed while nothing comes, however long that is."""
    queue = JobQueue(redis, policy=Policy(lease_ms=1500))
    async with working(queue, redis):
        events = await ask(queue, job("j1", "a !delay 2s", sampling=Sampling(max_tokens=1)))
    assert [type(event) for event in events].count(Started) == 1
    assert isinstance(events[-1], Finished)


async def test_a_deadline_ends_it_with_what_there_is(queue: JobQueue, redis: Redis) -> None:
    async with working(queue, redis):
        *_, last = await ask(queue, job("j1", "hi !tokens 5000 !delay 10ms", ttl_ms=700))
    assert isinstance(last, Finished)
    assert last.reason is FinishReason.DEADLINE
    assert last.text.startswith("[turn 1]")


@pytest.mark.parametrize(
    ("prompt", "code"),
    [("!refuse", FailureCode.BAD_REQUEST), ("word " * 300, FailureCode.TOO_LONG)],
)
async def test_a_refused_request_fails_with_its_reason(
    queue: JobQueue, redis: Redis, prompt: str, code: FailureCode
) -> None:
    async with working(queue, redis, ScriptedEngine(context_tokens=200)):
        assert failure(await ask(queue, job("j1", prompt))) is code
        *_, next_one = await ask(queue, job("j2", "and now?"))
    assert isinstance(next_one, Finished)
    assert next_one.text == "[turn 1] and now?"


async def test_a_broken_engine_is_tried_again_and_then_told(redis: Redis) -> None:
    queue = JobQueue(redis, policy=Policy(max_attempts=2))
    async with working(queue, redis):
        events = await ask(queue, job("j1", "hi !fail"))
        *_, next_one = await ask(queue, job("j2", "and now?"))
    attempts = [event.attempt for event in events if isinstance(event, Started)]
    assert attempts == [1, 2]
    assert failure(events) is FailureCode.DEAD
    assert isinstance(next_one, Finished)


class Flaky(ScriptedEngine):
    """Has a bug that shows once."""

    tried = 0

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        self.tried += 1
        if self.tried == 1:
            raise ZeroDivisionError
        async for chunk in super().generate(request):
            yield chunk


async def test_a_surprise_does_not_end_the_worker(queue: JobQueue, redis: Redis) -> None:
    async with working(queue, redis, Flaky()):
        events = await ask(queue, job("j1", "hello"))
    assert isinstance(events[-1], Finished)
    assert [event.attempt for event in events if isinstance(event, Started)] == [1, 2]


# --- draining ----------------------------------------------------------------------------------


async def test_a_drain_lets_running_answers_end_and_takes_no_more(
    queue: JobQueue, redis: Redis
) -> None:
    async with working(queue, redis) as worker:
        await queue.submit(job("j1", "hi !tokens 60 !delay 10ms"))
        await first_text(queue, "j1")
        worker.stop()
        await queue.submit(job("j2", "late", channel="other"))
    assert (await queue.get_status("j1")).state is JobState.DONE
    assert (await queue.get_status("j2")).state is JobState.QUEUED


async def test_what_outlasts_the_drain_goes_back_uncounted(queue: JobQueue, redis: Redis) -> None:
    async with working(queue, redis, drain_s=0.1):
        await queue.submit(job("j1", "hi !tokens 100 !delay 100ms"))
        await first_text(queue, "j1")
    status = await queue.get_status("j1")
    assert (status.state, status.attempt) == (JobState.QUEUED, 0)


# --- what it says of itself --------------------------------------------------------------------


class Ailing(ScriptedEngine):
    """Says that it is being rebuilt."""

    phase: Any = "degraded"

    def health(self) -> Health:
        return Health(self.phase, detail="rebuilding")


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await check():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_degraded_engine_gets_no_jobs_until_it_is_ready(
    queue: JobQueue, redis: Redis
) -> None:
    engine = Ailing()
    async with working(queue, redis, engine):

        async def announced() -> bool:
            return [w.phase for w in await queue.list_workers()] == ["degraded"]

        await eventually(announced)
        await queue.submit(job("j1", "hello"))
        assert (await queue.get_status("j1")).state is JobState.QUEUED
        engine.phase = "ready"
        assert isinstance((await events_of(queue, "j1"))[-1], Finished)
    [status] = await queue.list_workers()
    assert (status.worker, status.engine, status.slots) == ("worker-0", "scripted", 64)
    assert status.capabilities == ("chat", add_model("chat", engine.model))


async def test_workers_with_different_models_take_what_is_asked_of_theirs(
    queue: JobQueue, redis: Redis
) -> None:
    class Other(ScriptedEngine):
        model = "other"

    async with working(queue, redis), working(queue, redis, Other(), name="worker-1"):
        for number, model in enumerate(("other", "scripted", "other")):
            asked = job(f"j{number}", "hello", channel=f"channel-{number}")
            events = await ask(
                queue, msgspec.structs.replace(asked, capability=add_model("chat", model))
            )
            assert isinstance(events[0], Started)
            assert events[0].model == model


async def test_loading_is_announced_before_jobs_are_taken(queue: JobQueue, redis: Redis) -> None:
    loaded = asyncio.Event()

    class Loading(ScriptedEngine):
        def health(self) -> Health:
            return Health("ready") if loaded.is_set() else Health("loading", 0.4, "reading")

        async def __aenter__(self) -> "Loading":
            await loaded.wait()
            return self

    worker = Worker(queue, History(redis), Loading(), name="w", system="s")
    running = asyncio.create_task(worker.run())

    async def announced() -> bool:
        return [(w.phase, w.progress) for w in await queue.list_workers()] == [("loading", 0.4)]

    await eventually(announced)
    await queue.submit(job("j1", "hello"))
    assert (await queue.get_status("j1")).state is JobState.QUEUED
    loaded.set()
    assert isinstance((await events_of(queue, "j1"))[-1], Finished)
    worker.stop()
    await running
