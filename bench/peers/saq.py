"""saq with as many slots as the others and its stuck-job sweep every second."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from saq import Queue, Worker

from bench.peers.kit import GIVE_UP_S, SLOTS, Handle, Submit


@asynccontextmanager
async def open_submitter(url: str) -> AsyncIterator[Submit]:
    queue = Queue.from_url(url, max_concurrent_ops=SLOTS)
    await queue.connect()
    yield lambda job, busy_s: queue.enqueue(
        "handle", key=job, job=job, busy_s=busy_s, timeout=GIVE_UP_S, retries=5
    )
    await queue.disconnect()


async def work(url: str, handle: Handle) -> None:
    async def run(_ctx: dict[str, Any], *, job: str, busy_s: float) -> None:
        await handle(job, busy_s)

    queue = Queue.from_url(url, max_concurrent_ops=SLOTS)
    worker = Worker(queue, [("handle", run)], concurrency=SLOTS, timers={"sweep": 1})
    await worker.start()
