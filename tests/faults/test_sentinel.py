"""A primary that dies under Sentinel: the queue goes on with its replica."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bench.redis_server import RedisServer, free_port
from common.doctor_report import Severity
from jobqueue.doctor_checks import check_redis_server
from jobqueue.embedded_redis import find_binary
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from tests.jobqueue.support import claim_one, finish, make_job

WITHIN_S = 60.0
SECRET = "s3cret/#?@"
ENCODED = "s3cret%2F%23%3F%40"


class SentinelSetup:
    """A primary, its replica and three Sentinels."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        options = ("--requirepass", SECRET, "--masterauth", SECRET)
        self.primary = self._server(folder / "a", stack, options)
        to = ("--replicaof", "127.0.0.1", str(self.primary.port))
        self.replica = self._server(folder / "b", stack, (*options, *to))
        self.ports = [self._sentinel(folder / f"s{n}", stack) for n in range(3)]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"redis+sentinel://:{ENCODED}@{hosts}/shared/0"

    def _server(self, folder: Path, stack: ExitStack, options: tuple[str, ...]) -> RedisServer:
        return stack.enter_context(PasswordServer(folder, options=options))

    def _sentinel(self, folder: Path, stack: ExitStack) -> int:
        folder.mkdir()
        port = free_port()
        (folder / "sentinel.conf").write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\nlogfile {folder}/log\n"
            f"sentinel monitor shared 127.0.0.1 {self.primary.port} 2\n"
            f'sentinel auth-pass shared "{SECRET}"\n'
            "sentinel down-after-milliseconds shared 1000\n"
            "sentinel failover-timeout shared 5000\n"
        )
        process = subprocess.Popen(
            [str(find_binary()), str(folder / "sentinel.conf"), "--sentinel"],
            stdout=subprocess.DEVNULL,
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        return port


class PasswordServer(RedisServer):
    def client(self):  # type: ignore[no-untyped-def]
        client = super().client()
        client.connection_pool.connection_kwargs["password"] = SECRET
        return client


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[SentinelSetup]:
    with ExitStack() as stack:
        yield SentinelSetup(tmp_path, stack)


async def _until_watched(url: str) -> None:
    give_up = time.monotonic() + WITHIN_S
    async with aclosing(connect(url)) as redis:
        while True:
            try:
                info = await redis.info("replication")
                sentinel = await redis.sentinels.sentinel_masters()  # type: ignore[attr-defined]
                if info["connected_slaves"] and sentinel is not None:
                    return
            except Exception:
                assert time.monotonic() < give_up
            await asyncio.sleep(0.1)


async def test_the_queue_goes_on_after_a_failover(watched: SentinelSetup) -> None:
    await _until_watched(watched.url)
    found = await check_redis_server({"REDIS_URL": watched.url})
    assert not [each for each in found if each.verdict is Severity.FAULT], found
    async with aclosing(connect(watched.url)) as redis:
        queue = JobQueue(redis)
        await queue.submit(make_job("a"))
        await finish(queue, await claim_one(queue), "yes")
        await _until_replicated(redis)
        watched.primary.kill()
        try:
            await _submit_again(queue, "b")
            await finish(queue, await claim_one(queue), "yes")
            turns = (await History(redis).load("general")).turns
            assert [turn.job for turn in turns] == ["a", "b"]
            info = await redis.info("server")
            assert info["tcp_port"] == watched.replica.port
        finally:
            watched.primary.start()
        # The old primary comes back as a replica, and nothing is written there.
        await _submit_again(queue, "c")
        assert (await redis.info("server"))["tcp_port"] == watched.replica.port


async def _until_replicated(redis: Redis) -> None:
    """Wait until the replica has everything, in pieces shorter than a client's own limit."""
    async with asyncio.timeout(WITHIN_S):
        while not await redis.execute_command("WAIT", 1, 1000):  # type: ignore[no-untyped-call]
            pass


async def _submit_again(queue: JobQueue, job: str) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                await queue.submit(make_job(job))
            except Exception:
                await asyncio.sleep(0.2)
            else:
                return


async def test_an_unknown_service_is_told_without_the_password(watched: SentinelSetup) -> None:
    [found] = await check_redis_server({"REDIS_URL": watched.url.replace("shared", "other")})
    assert found.verdict is Severity.FAULT
    assert "other" in found.found
    assert "s3cret" not in repr(found)
