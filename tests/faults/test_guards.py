"""Guards that only show when something comes between: a question, a wake-up, a lost event."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest_asyncio
from redis.asyncio import Redis

from jobqueue.event_reader import EventReader
from jobqueue.lua_runner import _load_script
from jobqueue.queue import JobQueue, Lease
from jobqueue.schema import Delta, Finished, Started, encode
from tests.jobqueue.support import claim, claim_one, finish, make_job

SOON_S = 0.5  # far below the two seconds that a lost wake-up may cost


@pytest_asyncio.fixture
async def queue(redis: Redis) -> JobQueue:
    return JobQueue(redis)


@pytest_asyncio.fixture
async def live(queue: JobQueue) -> AsyncIterator[EventReader]:
    async with EventReader(queue, "bot-0") as live:
        yield live


async def test_what_is_asked_while_the_channel_runs_waits(queue: JobQueue) -> None:
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    await queue.submit(make_job("b"))
    assert await claim(queue) == []
    await finish(queue, lease)
    assert (await claim_one(queue)).job.id == "b"


async def test_the_slots_of_one_claim_are_shared(queue: JobQueue) -> None:
    """Each lease is charged at once, before anybody knows what it will cost."""
    for n in range(8):
        await queue.submit(make_job(f"{n}", channel=f"{n}", user=f"{n}", server=f"guild-{n // 4}"))
    leases = await claim(queue, 4)
    assert Counter(lease.job.server for lease in leases) == {"guild-0": 2, "guild-1": 2}


async def _seconds_until_woken(queue: JobQueue) -> float:
    began = time.monotonic()
    await queue.wait_for_work(["chat"], 2.0)
    return time.monotonic() - began


async def test_a_channels_next_job_wakes_a_worker(queue: JobQueue) -> None:
    for name in ("a", "b"):
        await queue.submit(make_job(name))
    await queue.wait_for_work(["chat"], 2.0)
    lease = await claim_one(queue)
    waiting = asyncio.create_task(_seconds_until_woken(queue))
    await finish(queue, lease)
    assert await waiting < SOON_S


async def test_a_follower_sees_that_its_live_stream_skipped_something(
    queue: JobQueue, live: EventReader, redis: Redis
) -> None:
    """As when the bot was away for longer than the stream is long."""
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    follower = live.follow("a")
    first = asyncio.create_task(anext(follower))
    await queue.emit(lease, 0, [Started(attempt=1)])
    assert (await first).event == Started(attempt=1)

    await _emit_unheard(queue, redis, lease, 1, Delta(text="ye"))
    async with asyncio.timeout(3):
        await queue.emit(lease, 2, [Delta(text="s")])
        await finish(queue, lease)
        rest = [envelope.event async for envelope in follower]
    assert [event for event in rest if isinstance(event, Delta)] == [
        Delta(text="ye"),
        Delta(text="s"),
    ]
    assert isinstance(rest[-1], Finished)


async def _emit_unheard(
    queue: JobQueue, redis: Redis, lease: Lease, seq: int, event: Delta
) -> None:
    """The event reaches the job's stream; its live copy is gone before anybody can read it."""
    emit = _load_script("emit", queue.policy).text.decode()
    live, aside = queue.scripts.key("live", "bot-0"), queue.scripts.key("aside")
    one_step = f"""#!lua
        redis.call('RENAME', KEYS[2], KEYS[3])
        local function emit() {emit.removeprefix("#!lua flags=allow-oom")} end
        local verdict = emit()
        redis.call('RENAME', KEYS[3], KEYS[2])
        return verdict"""
    keys, seen = (queue.scripts.key(""), live, aside), ("", lease.job.id, lease.fence, seq)
    assert await redis.eval(one_step, 3, *keys, *seen, encode(event)) == b"continue"
