"""Cancelling a task that talks with Redis always reaches it, at whatever moment."""

import asyncio

from jobqueue.event_reader import EventReader
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect

MOMENTS = 60


async def _use(queue: JobQueue) -> None:
    async with EventReader(queue, "bot-test"):
        await queue.list_undelivered("bot-test")
        await queue.wait_for_work({"chat"}, 0.1)
        await asyncio.Event().wait()


async def test_a_cancelled_task_ends(redis_url: str) -> None:
    for steps in range(MOMENTS):
        async with connect(redis_url) as redis:
            queue = JobQueue(redis)
            task = asyncio.create_task(_use(queue))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=5)
            assert done, f"cancelled after {steps} steps and still running"
            await queue.list_undelivered("bot-test")  # what was being sent for the task is through
