"""SIGKILL before and after every single command of a bot or worker process.

Whatever the point, a fresh process completes the conversation: each question has one answer that
people see whole, the channel's history holds each turn once and in order, and nothing is left
over in the queue.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Literal

import pytest
from redis.asyncio import Redis

from bench.redis_server import RedisServer
from jobqueue.history import History
from jobqueue.lua_runner import _load_script
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from tests.faults import message_log, scenario
from tests.faults.proxy import CrashProxy

PATIENCE_S = 20.0
AT_ONCE = 4
TRANSITIONS = {
    "bot": ("undelivered", "submit", "cancel", "replay", "note", "delivered"),
    "worker": ("claim", "emit", "finish", "release", "reap"),
}
SIDES = {"bot": scenario.run_bot, "worker": scenario.run_worker}

Side = Literal["bot", "worker"]
Start = Callable[[Side, str], ForkServerProcess]  # the URL by which it reaches Redis


@dataclass(frozen=True)
class Crash:
    victim: Side
    at: int  # which of its commands, from 1
    after: bool  # whether the server still executed it
    only: str = ""  # the name of the commands that are counted; empty counts all

    def __str__(self) -> str:
        return f"{self.victim}-{'after' if self.after else 'before'}-{self.at}{self.only[:8]}"


@pytest.mark.parametrize("victim", ["bot", "worker"])
async def test_a_crash_at_any_command_is_recovered_from(
    victim: Side, server: RedisServer, processes: ForkServerContext, tmp_path: Path
) -> None:
    async def play(crash: Crash) -> str:
        """The name of the command it died at; empty when it ended before."""

        def start(side: Side, url: str) -> ForkServerProcess:
            process = processes.Process(
                target=SIDES[side], args=(url, str(crash), tmp_path / str(crash)), daemon=True
            )
            process.start()
            return process

        died_at = await _play(crash, server, start)
        await _assert_whole(server.url, str(crash), tmp_path / str(crash))
        return died_at

    died_at = {name async for name in _until_unharmed(victim, play)}
    # Which command has which number differs from play to play, so that one may never be met.
    transitions = {_load_script(name, scenario.POLICY).sha for name in TRANSITIONS[victim]}
    for name in transitions - died_at:
        for after in (False, True):
            assert await play(Crash(victim, 1, after, only=name)) == name


async def _until_unharmed(
    victim: Side, play: Callable[[Crash], Coroutine[None, None, str]]
) -> AsyncIterator[str]:
    """Plays one crash after the other until their number exceeds the victim's commands."""
    for first in count(1, AT_ONCE // 2):
        points = range(first, first + AT_ONCE // 2)
        crashes = [Crash(victim, at, after) for at in points for after in (False, True)]
        async with asyncio.TaskGroup() as group:
            plays = [group.create_task(play(crash)) for crash in crashes]
        for died_at in (task.result() for task in plays):
            if died_at:
                yield died_at
        if not any(task.result() for task in plays):
            return


async def _play(crash: Crash, server: RedisServer, start: Start) -> str:
    other: Side = "worker" if crash.victim == "bot" else "bot"
    async with CrashProxy(server.port, crash.at, crash.after, crash.only).listen() as wire:
        victim = start(crash.victim, f"redis://127.0.0.1:{wire.port}")
        assert victim.pid is not None
        wire.pid = victim.pid
        partner = start(other, server.url)
        await _ended(victim)
        if wire.tripped.is_set():
            successor = start(crash.victim, server.url)
            await _ended(successor)
            assert successor.exitcode == 0, crash
        await _ended(partner)
        assert partner.exitcode == 0, crash
        return wire.died_at


async def _ended(process: ForkServerProcess) -> None:
    """Wait in this thread: `start` polls all children here too, and of two threads that read one
    child's exit code the second finds nothing and takes it for 255.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.sentinel, ended.set)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await ended.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()


async def _assert_whole(url: str, shard: str, wall_path: Path) -> None:
    async with aclosing(connect(url)) as redis:
        shown = message_log.group_by_message(message_log.read_lines(wall_path))
        assert set(shown) == {*scenario.TALK, scenario.REGRET}, shard
        for job_id, messages in shown.items():
            assert set(messages) == {f"{job_id}.0"}, (shard, messages)
            texts = {line.text for line in messages[f"{job_id}.0"] if line.complete}
            assert texts in _expected(job_id), (shard, job_id, texts)
        loaded = await History(redis, shard).load("talk")
        assert tuple(turn.job for turn in loaded.turns) == scenario.TALK, shard
        assert await _left_over(redis, shard) == {}, shard


def _expected(job_id: str) -> list[set[str]]:
    if job_id == scenario.REGRET:
        whole = scenario.expected_reply(scenario.make_question(job_id), 1)
        return [{"failed: cancelled"}, {whole}]  # the wish came after the answer
    turn = scenario.TALK.index(job_id) + 1
    return [{scenario.expected_reply(scenario.make_question(job_id), turn)}]


async def _left_over(redis: Redis, shard: str) -> dict[str, object]:
    """What a queue at rest must not hold any more."""
    key = JobQueue(redis, shard=shard).scripts.key
    held: dict[bytes, bytes] = await redis.hgetall(key("held"))  # type: ignore[assignment]
    counters = (b"turn", b"claims")  # these only ever grow
    found: dict[str, object] = {str(k): n for k, n in held.items() if k not in counters}
    for index in ("leases", "deadlines", "undelivered:bot-0", "ready:chat"):
        if members := await redis.zrange(key(index), 0, -1):
            found[index] = members
    for lane in ("lane:talk", "lane:regret"):
        if await redis.exists(key(lane)):
            found[lane] = "jobs"
    return found
