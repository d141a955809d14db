"""Who may submit how much, and what happens when memory runs out."""

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from jobqueue.blobs import Blobs
from jobqueue.errors import QueueFull
from jobqueue.history import History
from jobqueue.queue import JobQueue, LeaseStatus, Policy
from jobqueue.schema import Delta, Job, JobState, Started
from tests.jobqueue.support import claim_one, finish, make_job


def jobs(scope: str) -> list[Job]:
    """Enough jobs to reach exactly one limit of the `queue` fixture, and one more."""
    return {
        "user": [make_job(f"{n}", channel=f"{n}", server=f"{n}") for n in range(7)],
        "channel": [make_job(f"{n}", user=f"{n}", server=f"{n}") for n in range(6)],
        "server": [make_job(f"{n}", channel=f"{n}", user=f"{n}") for n in range(9)],
        "total": [make_job(f"{n}", channel=f"{n}", user=f"{n}", server=f"{n}") for n in range(11)],
    }[scope]


@pytest.mark.parametrize("scope", ["user", "channel", "server", "total"])
async def test_each_limit_refuses_one_too_many_until_a_job_ends(
    queue: JobQueue, scope: str
) -> None:
    *accepted, refused = jobs(scope)
    for job in accepted:
        await queue.submit(job)
    with pytest.raises(QueueFull) as full:
        await queue.submit(refused)
    assert (full.value.scope, full.value.waiting) == (scope, len(accepted))
    assert full.value.limit == len(accepted)
    assert (await queue.submit(accepted[0])).duplicate

    await queue.cancel(accepted[0].id)
    assert not (await queue.submit(refused)).duplicate


async def test_a_running_job_still_counts(queue: JobQueue) -> None:
    *accepted, refused = jobs("channel")
    for job in accepted:
        await queue.submit(job)
    lease = await claim_one(queue)
    with pytest.raises(QueueFull):
        await queue.submit(refused)
    await finish(queue, lease)
    await queue.submit(refused)


@pytest_asyncio.fixture
async def full_memory(redis: Redis) -> AsyncIterator[None]:
    """Call to make the server refuse everything that may be refused."""
    yield
    await redis.config_set("maxmemory", 0)


async def test_running_jobs_finish_when_memory_is_full(
    queue: JobQueue, redis: Redis, full_memory: None
) -> None:
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    await redis.config_set("maxmemory", 1)

    with pytest.raises(QueueFull) as full:
        await queue.submit(make_job("b"))
    assert full.value.scope == "memory"
    with pytest.raises(QueueFull):
        await Blobs(redis).put(b"data")
    again = await queue.submit(make_job("a"))
    assert (again.state, again.duplicate) == (JobState.RUNNING, True)

    assert await queue.emit(lease, 0, [Started(attempt=1), Delta(text="x")]) is LeaseStatus.CONTINUE
    assert await finish(queue, lease) is LeaseStatus.CONTINUE
    assert len((await History(redis).load("general")).turns) == 1
    await queue.reap()
    await queue.mark_delivered("a")


# --- what a long question leaves ----------------------------------------------------------------


async def test_a_delivered_question_leaves_little_besides_its_turn(redis: Redis) -> None:
    """A file's text is in the question: it was kept five times."""
    queue = JobQueue(redis)
    for number in range(5):
        job = msgspec.structs.replace(make_job(f"{number}"), prompt="x" * 60_000)
        await queue.submit(job)
        lease = await claim_one(queue)
        await queue.emit(lease, 0, [Started(attempt=1), Delta(text="y" * 60_000)])
        await finish(queue, lease, answer="y" * 60_000)
        await queue.mark_delivered(job.id, job)
        await queue.mark_delivered(job.id, job)
    kept: dict[str, int] = {}
    async for key in redis.scan_iter("*"):
        kind = key.decode().partition("}:")[2].partition(":")[0]
        kept[kind] = kept.get(kind, 0) + int(await redis.memory_usage(key, samples=0) or 0)
    assert kept["job"] < 5 * 8_000
    assert kept["live"] < 200_000  # of the last one, at most
    assert kept["turns"] < 5 * 150_000
    for number in range(5):
        assert await redis.pttl(queue.scripts.key("events", f"{number}")) <= 900_000
    assert (await queue.get_job("0")).prompt == "x" * 2_000
    assert (await queue.submit(job)).duplicate


async def test_what_failed_can_be_asked_again_as_it_was(queue: JobQueue) -> None:
    job = msgspec.structs.replace(make_job("a"), prompt="x" * 60_000)
    await queue.submit(job)
    await queue.cancel("a")
    await queue.mark_delivered("a", job)
    assert (await queue.get_job("a")).prompt == job.prompt


async def test_a_channels_long_turns_are_bounded_together(redis: Redis) -> None:
    policy = Policy(history_bytes=300_000)
    queue, history = JobQueue(redis, policy=policy), History(redis, policy=policy)
    for number in range(6):
        await queue.submit(msgspec.structs.replace(make_job(f"{number}"), prompt="x" * 60_000))
        await finish(queue, await claim_one(queue), answer="y" * 30_000)
    turns = (await history.load("general")).turns
    assert [turn.job for turn in turns] == ["3", "4", "5"]
    await queue.submit(msgspec.structs.replace(make_job("huge"), prompt="x" * 90_000))
    await finish(queue, await claim_one(queue), answer="y" * 300_000)
    assert [turn.job for turn in (await history.load("general")).turns] == ["huge"]
