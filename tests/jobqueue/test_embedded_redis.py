"""The private server: started, adopted, killed, stopped."""

import asyncio
import importlib.util
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from jobqueue.embedded_redis import (
    EmbeddedError,
    default_folder,
    resolve_redis_url,
    run_embedded_redis,
)
from jobqueue.redis_client import connect

HOLDER = """
    import asyncio, sys
    from pathlib import Path
    from jobqueue.embedded_redis import run_embedded_redis

    async def main():
        async with run_embedded_redis(Path(sys.argv[1])) as url:
            print(url, flush=True)
            await asyncio.to_thread(sys.stdin.read)

    asyncio.run(main())
"""


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Redis]:
    async with connect(url) as redis:
        yield redis


async def pid_of(url: str) -> int:
    async with client(url) as redis:
        return int((await redis.info("server"))["process_id"])


def gone(pid: int) -> None:
    give_up = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < give_up, f"{pid} still runs"
        time.sleep(0.01)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def start(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def hold(folder: Path) -> tuple["subprocess.Popen[str]", str]:
    """Another process that uses the server of `folder`, and the URL it was given."""
    process = start("-c", textwrap.dedent(HOLDER), str(folder))
    return process, first_line(process)


async def test_data_survives_a_clean_stop(tmp_path: Path) -> None:
    async with run_embedded_redis(tmp_path) as url, client(url) as redis:
        await redis.set("key", "value")
        settings = {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }
        for name, value in settings.items():
            assert await redis.config_get(name) == {name: value}
        pid = await pid_of(url)
    gone(pid)
    async with run_embedded_redis(tmp_path) as url, client(url) as redis:
        assert await redis.get("key") == b"value"


async def test_only_this_user_may_enter(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    async with run_embedded_redis(folder) as url:
        socket = Path(url.removeprefix("unix://"))
        assert [mode(folder), mode(socket.parent), mode(socket)] == [0o700] * 3


async def test_a_long_folder_gets_a_short_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    async with run_embedded_redis(folder) as url, client(url) as redis:
        assert len(url.removeprefix("unix://")) <= 100
        await redis.ping()
    async with run_embedded_redis(folder) as again:
        assert again == url


async def test_the_last_user_stops_the_server(tmp_path: Path) -> None:
    async with run_embedded_redis(tmp_path) as first:
        pid = await pid_of(first)
        async with run_embedded_redis(tmp_path) as second:
            assert second == first
            assert await pid_of(second) == pid
        assert await pid_of(first) == pid
    gone(pid)


async def test_many_users_that_start_at_once_share_one_server(tmp_path: Path) -> None:
    async def use() -> int:
        async with run_embedded_redis(tmp_path) as url:
            pid = await pid_of(url)
            await together.wait()
            return pid

    together = asyncio.Barrier(5)
    pids = await asyncio.gather(*(use() for _ in range(5)))
    assert len(set(pids)) == 1


async def test_a_server_whose_user_was_killed_is_adopted(tmp_path: Path) -> None:
    process, url = hold(tmp_path)
    async with client(url) as redis:
        await redis.set("key", "value")
    pid = await pid_of(url)
    process.kill()
    process.communicate()

    async with run_embedded_redis(tmp_path) as adopted, client(adopted) as redis:
        assert await pid_of(adopted) == pid
        assert await redis.get("key") == b"value"
    gone(pid)


async def test_a_killed_server_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    async with run_embedded_redis(tmp_path) as url, client(url) as redis:
        await redis.set("key", "value")
        await redis.waitaof(1, 0, 2000)
        pid = await pid_of(url)
        os.kill(pid, signal.SIGKILL)
        gone(pid)
        async with run_embedded_redis(tmp_path) as again, client(again) as redis_again:
            assert await redis_again.get("key") == b"value"
            assert await pid_of(again) != pid


async def test_serve_is_the_server_itself(tmp_path: Path) -> None:
    """A supervisor may signal and kill what it started; a server left behind gives way."""
    orphan, url = hold(tmp_path)
    async with client(url) as redis:
        await redis.set("key", "value")
    old = await pid_of(url)
    orphan.kill()
    orphan.communicate()

    server = start("-m", "jobqueue", "serve", "--folder", str(tmp_path))
    assert first_line(server) == url
    gone(old)
    async with run_embedded_redis(tmp_path) as same, client(same) as redis:
        assert await redis.get("key") == b"value"
        assert await pid_of(same) == server.pid
    async with client(url) as redis:
        assert await redis.ping()  # not stopped by a user that leaves
    server.terminate()
    server.communicate()
    assert server.returncode == 0


async def test_a_missing_binary_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedError, match="set REDIS_URL"):
        async with run_embedded_redis(tmp_path):
            pass


async def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "appendonlydir").write_text("in the way")
    with pytest.raises(EmbeddedError, match="appendonlydir"):
        async with run_embedded_redis(tmp_path):
            pass


async def test_redis_url_wins_over_the_embedded_server(tmp_path: Path) -> None:
    async with resolve_redis_url({"REDIS_URL": "redis://elsewhere"}) as url:
        assert url == "redis://elsewhere"
    environ = {"XDG_DATA_HOME": str(tmp_path)}
    async with resolve_redis_url(environ) as url, client(url) as redis:
        assert await redis.ping()
    assert (default_folder(environ) / "data").is_dir()
