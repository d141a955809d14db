"""This project's queue: per-channel order, fair share, fencing, a log and a history turn each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from itertools import count
from typing import TypeVar
from uuid import uuid4

from bench.peers.kit import GIVE_UP_S, SLOTS, Handle, Submit
from jobqueue.errors import QueueUnavailable
from jobqueue.policy import JobLimits, Policy
from jobqueue.queue import JobQueue, Lease, LeaseStatus
from jobqueue.redis_client import connect
from jobqueue.schema import Finished, Job, Turn

T = TypeVar("T")

EVERYTHING = 1_000_000
POLICY = Policy(
    lease_ms=1_000 * GIVE_UP_S, limits=JobLimits(EVERYTHING, EVERYTHING, EVERYTHING, EVERYTHING)
)
CHANNELS, SERVERS = 1_000, 50


@asynccontextmanager
async def open_submitter(url: str) -> AsyncIterator[Submit]:
    async with aclosing(connect(url)) as redis:
        queue = JobQueue(redis, policy=POLICY)
        yield lambda job_id, busy_s: queue.submit(_job(job_id, busy_s))


async def work(url: str, handle: Handle) -> None:
    name = uuid4().hex
    running: set[asyncio.Task[None]] = set()
    async with aclosing(connect(url)) as redis, asyncio.TaskGroup() as jobs:
        queue = JobQueue(redis, policy=POLICY)
        jobs.create_task(_reap(queue))
        for number in count():
            nonce, free = f"{name}.{number}", SLOTS - len(running)
            leases = await _retry(partial(queue.claim, name, free, ["chat"], nonce))
            for lease in leases:
                task = jobs.create_task(_answer(queue, lease, handle))
                running.add(task)
                task.add_done_callback(running.discard)
            if len(running) == SLOTS:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            elif not leases:
                await queue.wait_for_work(["chat"], 1.0)


async def _retry(call: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await call()
        except QueueUnavailable:
            continue


async def _answer(queue: JobQueue, lease: Lease, handle: Handle) -> None:
    job = lease.job
    turn = Turn(job=job.id, user=job.user, user_name="", prompt=job.prompt, answer="done")
    end = Finished(text="done", completion_tokens=1)

    async def keep() -> bool:
        return await _retry(lambda: queue.finish(lease, 0, end, turn)) is not LeaseStatus.LOST

    await handle(job.id, float(job.prompt), keep)


async def _reap(queue: JobQueue) -> None:
    while True:
        await _retry(queue.reap)
        await asyncio.sleep(1.0)


def _job(job_id: str, busy_s: float) -> Job:
    number = int(job_id)
    return Job(
        id=job_id, channel=f"channel-{number % CHANNELS}", user=f"user-{number % CHANNELS}",
        user_name="", server=f"guild-{number % SERVERS}", prompt=str(busy_s), reader="bot-0",
    )  # fmt: skip
