"""Redis restarts, hangs and refuses; callers wait a bounded time, and nothing is lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from jobqueue.embedded_redis import run_embedded_redis
from jobqueue.errors import QueueUnavailable
from jobqueue.event_reader import EventReader
from jobqueue.queue import JobQueue, Policy
from jobqueue.redis_client import connect
from jobqueue.schema import Delta, Finished, Started
from tests.jobqueue.support import claim_one, make_job


class Server:
    """A server of this test's own, that it may kill."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.redis: Redis = connect(url)
        self.queue = JobQueue(self.redis, policy=Policy(patience_ms=10_000))

    async def pid(self) -> int:
        return int((await self.redis.info("server"))["process_id"])

    async def kill_and_restart(self, down_s: float = 0.3) -> None:
        await self.redis.waitaof(1, 0, 2_000)
        os.kill(await self.pid(), signal.SIGKILL)
        await asyncio.sleep(down_s)
        async with run_embedded_redis(self.folder):
            pass  # starts it; the fixture is another user, so it stays


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with run_embedded_redis(tmp_path) as url:
        server = Server(tmp_path, url)
        yield server
        await server.redis.aclose()


async def test_calls_wait_out_a_restart_and_lose_nothing(server: Server) -> None:
    queue = server.queue
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    await queue.emit(lease, 0, [Started(attempt=1), Delta(text="be")])

    restart = asyncio.create_task(server.kill_and_restart())
    seq = 2
    while not restart.done():
        await queue.emit(lease, seq, [Delta(text="fore")])
        seq += 1
        await asyncio.sleep(0.02)
    await restart
    await queue.finish(lease, seq, Finished(text="all"), None)
    again = await queue.submit(make_job("a"))
    assert (again.state.value, again.duplicate) == ("done", True)


async def test_a_live_reader_follows_across_a_restart(server: Server) -> None:
    queue = server.queue
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    async with EventReader(queue, "bot-0") as live, asyncio.timeout(30):
        follower = live.follow("a")
        await queue.emit(lease, 0, [Started(attempt=1), Delta(text="0,")])
        seen = [await anext(follower), await anext(follower)]
        await server.kill_and_restart()
        for n in range(1, 20):
            await queue.emit(lease, n + 1, [Delta(text=f"{n},")])
        await queue.finish(lease, 21, Finished(text="done"), None)
        seen += [envelope async for envelope in follower]
    text = "".join(e.event.text for e in seen if isinstance(e.event, Delta))
    assert text == "".join(f"{n}," for n in range(20))
    assert isinstance(seen[-1].event, Finished)


async def test_an_outage_longer_than_the_patience_is_said(tmp_path: Path) -> None:
    redis = connect(f"unix://{tmp_path}/nobody.sock")
    queue = JobQueue(redis, policy=Policy(patience_ms=200))
    with pytest.raises(QueueUnavailable):
        await queue.submit(make_job("a"))
    with pytest.raises(QueueUnavailable):
        await EventReader(queue, "bot-0").__aenter__()
    await queue.wait_for_work(["chat"], 0.05)  # a worker's loop goes on
    await redis.aclose()


async def test_a_server_that_hangs_is_waited_for(server: Server) -> None:
    pid = await server.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        submission = asyncio.create_task(server.queue.submit(make_job("a")))
        done, _ = await asyncio.wait([submission], timeout=0.5)
        assert not done
    finally:
        os.kill(pid, signal.SIGCONT)
    assert not (await submission).duplicate


async def test_a_replica_is_asked_until_it_is_the_primary(server: Server) -> None:
    """As in a failover: it answers READONLY first."""
    await server.queue.submit(make_job("a"))
    await server.redis.replicaof("127.0.0.1", "1")
    submission = asyncio.create_task(server.queue.submit(make_job("b")))
    done, _ = await asyncio.wait([submission], timeout=0.3)
    assert not done
    await server.redis.replicaof("NO", "ONE")
    assert not (await submission).duplicate


async def test_calls_of_one_moment_share_a_round_trip(redis: Redis) -> None:
    queue = JobQueue(redis)
    names = [f"{n}" for n in range(200)]
    await asyncio.gather(*(queue.submit(make_job(n, channel=n, user=n)) for n in names))
    info = await redis.info("clients")
    assert info["connected_clients"] <= 4
    assert (await queue.get_status("199")).job.id == "199"


async def test_scripts_are_sent_again_after_the_server_forgot_them(queue: JobQueue) -> None:
    await queue.submit(make_job("a"))
    await queue.scripts.redis.script_flush()
    assert (await queue.submit(make_job("a"))).duplicate


async def test_a_cancelled_caller_disturbs_nobody(queue: JobQueue) -> None:
    calls = [asyncio.create_task(queue.submit(make_job(n, channel=n, user=n))) for n in "abc"]
    await asyncio.sleep(0)
    calls[1].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert [type(r).__name__ for r in (results[0], results[2])] == ["Receipt", "Receipt"]
    assert [(await queue.submit(make_job(n))).duplicate for n in "ac"] == [True, True]
