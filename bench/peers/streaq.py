"""streaq with as many slots as the others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from streaq import Worker

from bench.peers.kit import GIVE_UP_S, SLOTS, Handle, Submit


def _worker(url: str) -> "Worker[Any]":
    return Worker(redis_url=url, concurrency=SLOTS, idle_timeout=GIVE_UP_S, handle_signals=False)


@asynccontextmanager
async def open_submitter(url: str) -> AsyncIterator[Submit]:
    async with _worker(url) as worker:

        async def put(job: str, busy_s: float) -> object:
            return await worker.enqueue_unsafe("handle", job, busy_s)

        yield put


async def work(url: str, handle: Handle) -> None:
    worker = _worker(url)

    @worker.task(name="handle")
    async def run(job: str, busy_s: float) -> None:
        await handle(job, busy_s)

    await worker.run_async()
