"""What an append-only file that is synced every second keeps when the server is SIGKILLed.

As long as a sync takes less than a second, all that was acknowledged: the server writes to the
file before it replies, so the kernel has it, and the kernel lives on. While a slower sync is under
way the server replies first and writes later, by up to two seconds; then, as when the machine
itself dies, so much may be missing. `appendfsync always` is for disks like that.
"""

import asyncio
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

from redis.exceptions import ConnectionError as RedisConnectionError

from bench.redis_server import RedisServer
from jobqueue.redis_client import connect

# A disk that syncs at once, whatever else this machine writes.
MEMORY = Path("/dev/shm")  # noqa: S108
ROUNDS = 5
WRITERS = 20


async def test_a_killed_server_with_a_healthy_disk_forgets_nothing() -> None:
    with TemporaryDirectory(dir=MEMORY) as folder, RedisServer(Path(folder)) as server:
        for _ in range(ROUNDS):
            acknowledged = await _write_until_killed(server)
            await asyncio.to_thread(server.start)
            with server.client() as redis:
                kept = [int(redis.get(f"writer-{n}") or 0) for n in range(WRITERS)]
                redis.flushall()
            assert sum(acknowledged) > 1_000
            assert all(have >= want for have, want in zip(kept, acknowledged, strict=True))


async def _write_until_killed(server: RedisServer) -> list[int]:
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
