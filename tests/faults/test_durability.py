"""What an append-only file that is synced every second keeps when the server is SIGKILLed.

The server writes to the file before it replies, so what it acknowledged is in the kernel's hands,
and the kernel lives on. Only when the machine itself dies may the last second be missing.
"""

import asyncio
from contextlib import aclosing
from pathlib import Path

from redis.exceptions import ConnectionError as RedisConnectionError

from bench.server import Server
from jobqueue.connect import connect

ROUNDS = 5
WRITERS = 20


async def test_a_killed_server_forgets_nothing_it_acknowledged(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        for _ in range(ROUNDS):
            acknowledged = await _write_until_killed(server)
            await asyncio.to_thread(server.start)
            with server.client() as redis:
                kept = [int(redis.get(f"writer-{n}") or 0) for n in range(WRITERS)]
                redis.flushall()
            assert sum(acknowledged) > 1_000
            assert all(have >= want for have, want in zip(kept, acknowledged, strict=True))


async def _write_until_killed(server: Server) -> list[int]:
    """How far each writer was told that it had come."""
    acknowledged = [0] * WRITERS

    async def write(n: int) -> None:
        async with aclosing(connect(server.url)) as redis:
            while True:
                try:
                    acknowledged[n] = await redis.incr(f"writer-{n}")
                except RedisConnectionError:
                    return

    async with asyncio.TaskGroup() as writers:
        for n in range(WRITERS):
            writers.create_task(write(n))
        async with asyncio.timeout(30):
            while sum(acknowledged) <= 1_500:  # noqa: ASYNC110 — the writers are the event
                await asyncio.sleep(0.01)
        server.kill()
    return acknowledged
