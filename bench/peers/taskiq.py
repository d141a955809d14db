"""taskiq over its Redis stream broker, the one that acknowledges."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from taskiq.api import run_receiver_task
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from bench.peers.kit import GIVE_UP_S, SLOTS, Handle, Submit


def _broker(url: str) -> RedisStreamBroker:
    broker = RedisStreamBroker(
        url, consumer_id="0", idle_timeout=1_000 * GIVE_UP_S, unacknowledged_lock_timeout=GIVE_UP_S
    )
    return broker.with_result_backend(RedisAsyncResultBackend(url))


@asynccontextmanager
async def open_submitter(url: str) -> AsyncIterator[Submit]:
    broker = _broker(url)

    @broker.task(task_name="handle")
    async def run(job: str, busy_s: float) -> None: ...

    await broker.startup()
    yield run.kiq
    await broker.shutdown()


async def work(url: str, handle: Handle) -> None:
    broker = _broker(url)

    @broker.task(task_name="handle")
    async def run(job: str, busy_s: float) -> None:
        await handle(job, busy_s)

    broker.is_worker_process = True
    await run_receiver_task(broker, max_async_tasks=SLOTS, run_startup=True)
