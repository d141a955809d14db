"""Who may submit how much, and what happens when memory runs out."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from jobqueue.blobs import Blobs
from jobqueue.errors import QueueFull
from jobqueue.history import History
from jobqueue.queue import JobQueue, Verdict
from jobqueue.schema import Delta, Job, Started, State
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
    assert (again.state, again.duplicate) == (State.RUNNING, True)

    assert await queue.emit(lease, 0, [Started(attempt=1), Delta(text="x")]) is Verdict.CONTINUE
    assert await finish(queue, lease) is Verdict.CONTINUE
    assert len((await History(redis).load("general")).turns) == 1
    await queue.reap()
    await queue.delivered("a")
