"""Readers see every event once and in order, whatever happens to their connection."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec import DecodeError
from redis.asyncio import Redis

from jobqueue.errors import UnknownJob
from jobqueue.event_reader import Envelope, EventReader
from jobqueue.queue import JobQueue, Lease, Policy
from jobqueue.schema import Delta, Failed, FailureCode, Finished, Started
from tests.jobqueue.support import Clock, claim, claim_one, finish, make_job


@pytest_asyncio.fixture
async def live(queue: JobQueue) -> AsyncIterator[EventReader]:
    async with EventReader(queue, "bot-0") as reader:
        yield reader


async def begin(queue: JobQueue, name: str = "a", text: str = "") -> Lease:
    await queue.submit(make_job(name, channel=name))
    lease = await claim_one(queue)
    await queue.emit(lease, 0, [Started(attempt=1), *(Delta(text=c) for c in text)])
    return lease


async def collect(events: AsyncIterator[Envelope]) -> list[Envelope]:
    async with asyncio.timeout(20):
        return [envelope async for envelope in events]


def text_of(envelopes: list[Envelope]) -> str:
    return "".join(e.event.text for e in envelopes if isinstance(e.event, Delta))


async def test_a_follower_replays_and_goes_on_live(queue: JobQueue, live: EventReader) -> None:
    lease = await begin(queue, text="ab")
    following = asyncio.create_task(collect(live.follow("a")))
    for seq, letter in enumerate("cdef", start=3):
        await queue.emit(lease, seq, [Delta(text=letter)])
    await queue.finish(lease, 7, Finished(text="abcdef"), None)

    envelopes = await following
    assert text_of(envelopes) == "abcdef"
    assert [(e.attempt, e.seq) for e in envelopes] == [(1, n) for n in range(8)]
    assert envelopes[-1].event == Finished(text="abcdef")


async def test_a_follower_goes_on_after_the_last_id_it_showed(
    queue: JobQueue, live: EventReader
) -> None:
    lease = await begin(queue, text="abc")
    follower = live.follow("a")
    shown = [await anext(follower) for _ in range(3)]
    await queue.emit(lease, 4, [Delta(text="d")])
    await finish(queue, lease)
    rest = await collect(live.follow("a", shown[-1].id))
    assert text_of(shown) + text_of(rest) == "abcd"
    assert await collect(live.follow("a", rest[-1].id)) == []


async def test_many_jobs_share_one_read(queue: JobQueue, live: EventReader) -> None:
    names = [f"j{n}" for n in range(5)]
    leases = [await begin(queue, name) for name in names]
    following = [asyncio.create_task(collect(live.follow(name))) for name in names]
    for seq in range(1, 20):
        for lease in leases:
            await queue.emit(lease, seq, [Delta(text=f"{lease.job.id};")])
    for lease in leases:
        await finish(queue, lease)
    for name, task in zip(names, following, strict=True):
        assert text_of(await task) == f"{name};" * 19


async def test_a_second_attempt_starts_over(
    queue: JobQueue, live: EventReader, clock: Clock
) -> None:
    await begin(queue, text="lost")
    clock.advance(15_000)
    await queue.reap()
    lease = await claim_one(queue)
    await queue.emit(lease, 0, [Started(attempt=2), Delta(text="kept")])
    await finish(queue, lease)
    envelopes = await collect(live.follow("a"))
    restart = envelopes.index(next(e for e in envelopes if e.event == Started(attempt=2)))
    assert text_of(envelopes[restart:]) == "kept"


async def test_an_event_of_an_unknown_kind_concerns_its_own_followers_alone(
    queue: JobQueue, live: EventReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a newer worker's, while the bots are still the old ones."""
    monkeypatch.setattr(
        "jobqueue.event_reader._QUIET_S", 60.0
    )  # so that only the live stream helps
    newer, known = await begin(queue, "newer"), await begin(queue, "known")
    lost, follower = live.follow("newer"), live.follow("known")
    await anext(lost)
    await anext(follower)
    await queue.scripts.run("emit", newer.job.id, newer.fence, 1, b'{"type":"sung"}')
    with pytest.raises(DecodeError):
        await anext(lost)
    await queue.emit(known, 1, [Delta(text="on")])
    await finish(queue, known)
    assert text_of(await collect(follower)) == "on"


async def test_what_the_queue_says_itself_is_heard(queue: JobQueue, live: EventReader) -> None:
    await queue.submit(make_job("a"))
    following = asyncio.create_task(collect(live.follow("a")))
    await queue.cancel("a")
    assert [e.event for e in await following] == [Failed(code=FailureCode.CANCELLED)]


async def test_a_trimmed_live_stream_is_made_up_for(redis: Redis) -> None:
    """The reader's stream holds far less than what comes while it is not read."""
    queue = JobQueue(redis, policy=Policy(live_length=1))
    lease = await begin(queue)
    async with EventReader(queue, "bot-0") as live:
        follower = live.follow("a")
        seen = [await anext(follower)]
        for seq in range(1, 1001, 100):
            await queue.emit(lease, seq, [Delta(text=f"{n},") for n in range(seq, seq + 100)])
        await finish(queue, lease)
        seen += await collect(follower)
    assert text_of(seen) == "".join(f"{n}," for n in range(1, 1001))


async def test_a_result_outlives_its_events(queue: JobQueue, live: EventReader) -> None:
    lease = await begin(queue, text="abc")
    await finish(queue, lease, "abc")
    await queue.scripts.redis.delete(queue.scripts.key("events", "a"))
    [envelope] = await collect(live.follow("a"))
    assert isinstance(envelope.event, Finished)
    assert envelope.event.text == "abc"


async def test_following_an_unknown_job_says_so(live: EventReader) -> None:
    with pytest.raises(UnknownJob):
        await anext(live.follow("nobody"))


async def test_a_follower_that_leaves_is_forgotten(queue: JobQueue, live: EventReader) -> None:
    await begin(queue)
    follower = live.follow("a")
    await anext(follower)
    assert live.follower_count == 1
    await follower.aclose()
    assert live.follower_count == 0


async def test_a_cut_connection_costs_no_event(queue: JobQueue, live: EventReader) -> None:
    lease = await begin(queue)
    follower = live.follow("a")
    seen = [await anext(follower)]
    for seq in range(1, 30):
        if seq % 10 == 0:
            await queue.scripts.redis.client_kill_filter(_type="normal")
        await queue.emit(lease, seq, [Delta(text=f"{seq},")])
    await finish(queue, lease)
    seen += await collect(follower)
    assert text_of(seen) == "".join(f"{n}," for n in range(1, 30))


async def test_wait_for_work_wakes_up_at_a_submission(queue: JobQueue) -> None:
    async with asyncio.timeout(1):
        waiting = asyncio.create_task(queue.wait_for_work(["chat"], 10))
        await queue.submit(make_job("a"))
        await waiting
    assert len(await claim(queue)) == 1


async def test_work_that_is_left_wakes_the_next_worker(queue: JobQueue) -> None:
    for name in "ab":
        await queue.submit(make_job(name, channel=name))
    async with asyncio.timeout(1):
        await queue.wait_for_work(["chat"], 10)
        await claim(queue, 1)
        await queue.wait_for_work(["chat"], 10)
        assert [lease.job.id for lease in await claim(queue, 1)] == ["b"]


async def test_a_lost_wake_up_costs_two_seconds_at_most(queue: JobQueue) -> None:
    await queue.submit(make_job("a"))
    await queue.wait_for_work(["chat"], 10)  # this worker dies with the wake-up
    started = asyncio.get_running_loop().time()
    await queue.wait_for_work(["chat"], 60)
    assert asyncio.get_running_loop().time() - started < 2.5
    assert len(await claim(queue)) == 1
