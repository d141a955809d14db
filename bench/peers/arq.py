"""arq as its documentation sets it up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

from bench.peers.kit import Handle, Submit

SETTINGS: dict[str, Any] = {}


@asynccontextmanager
async def open_submitter(url: str) -> AsyncIterator[Submit]:
    pool = await create_pool(RedisSettings.from_dsn(url))
    yield lambda job, busy_s: pool.enqueue_job("handle", job, busy_s, _job_id=job)
    await pool.aclose()


async def work(url: str, handle: Handle) -> None:
    await run(url, handle, SETTINGS)


async def run(url: str, handle: Handle, settings: dict[str, Any]) -> None:
    async def job(_ctx: dict[str, Any], job_id: str, busy_s: float) -> None:
        await handle(job_id, busy_s)

    job.__qualname__ = "handle"
    redis_settings = RedisSettings.from_dsn(url)
    worker = Worker([job], redis_settings=redis_settings, handle_signals=False, **settings)
    await worker.async_run()
