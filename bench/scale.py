"""`python -m bench scale`: the cost of a job and of a channel, for growing numbers of channels.

While so many channels wait, the scripts of further jobs (submit, claim, finish) are timed on the
server itself. Then every channel is idle with one turn of history, and its memory is measured.
"""

import argparse
import asyncio
import json
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from redis.asyncio import Redis

from bench.redis_server import RedisServer
from bench.report import print_table
from jobqueue.queue import JobLimits, JobQueue, Policy
from jobqueue.redis_client import connect
from jobqueue.schema import Finished, Job, Turn

SIZES = (10, 100, 1_000, 10_000, 100_000)
SAMPLE = 2_000  # jobs that are timed
EVERYTHING = 10_000_000
POLICY = Policy(limits=JobLimits(EVERYTHING, EVERYTHING, EVERYTHING, EVERYTHING))


@dataclass(frozen=True)
class ScaleFigures:
    channels: int
    submit_us: float  # of the server's time, each
    claim_and_finish_us: float
    idle_bytes: int  # of a channel with one turn, without the record of its finished job


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("scale", help="the cost of a job from 10 to 100,000 channels")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> None:
    found = []
    for channels in SIZES:
        with TemporaryDirectory() as temporary, RedisServer(Path(temporary)) as server:
            found.append(asyncio.run(_measure(server.url, channels)))
    columns = ("channels waiting", "submit µs", "claim + finish µs", "bytes, idle")
    title = "Server time of one job, memory of one idle channel"
    print_table(title, columns, [astuple(figures) for figures in found])
    print(json.dumps([asdict(figures) for figures in found]))


async def _measure(url: str, channels: int) -> ScaleFigures:
    async with aclosing(connect(url)) as redis:
        queue = JobQueue(redis, policy=POLICY)
        empty = await _read_memory(redis)
        await _submit(queue, range(channels), channels)
        extra = range(channels, channels + SAMPLE)
        submitting = await _measure_script_us(redis, _submit(queue, extra, channels))
        answering = await _measure_script_us(redis, _answer(queue, SAMPLE))
        await _answer(queue, channels)
        await _delete_finished(redis, queue)
        idle = (await _read_memory(redis) - empty) // channels
    return ScaleFigures(channels, round(submitting / SAMPLE, 1), round(answering / SAMPLE, 1), idle)


async def _submit(queue: JobQueue, numbers: range, channels: int) -> None:
    for start in range(numbers.start, numbers.stop, 500):
        some = range(start, min(start + 500, numbers.stop))
        await asyncio.gather(*(queue.submit(_job(n, channels)) for n in some))


async def _answer(queue: JobQueue, jobs: int) -> None:
    answered = 0
    while answered < jobs:
        leases = await queue.claim("worker", 100, ["chat"], f"nonce-{id(queue)}-{answered}-{jobs}")
        await asyncio.gather(
            *(
                queue.finish(lease, 0, Finished(text="yes", completion_tokens=9), _turn(lease.job))
                for lease in leases
            )
        )
        answered += len(leases)


async def _measure_script_us(redis: Redis, work: Coroutine[None, None, None]) -> float:
    """Return the microseconds that the server spends in scripts."""
    await redis.config_resetstat()
    await work
    stats: Any = await redis.info("commandstats")
    return float(
        sum(stat["usec"] for name, stat in stats.items() if name.startswith("cmdstat_eval"))
    )


async def _read_memory(redis: Redis) -> int:
    info: Any = await redis.info("memory")
    return int(info["used_memory"])


async def _delete_finished(redis: Redis, queue: JobQueue) -> None:
    """Delete what would expire: records and events of finished jobs, and the delivery ledger."""
    for kind in ("job", "events"):
        keys = [key async for key in redis.scan_iter(queue.scripts.key(kind, "*"), count=5_000)]
        for start in range(0, len(keys), 1_000):
            await redis.unlink(*keys[start : start + 1_000])
    await redis.unlink(
        queue.scripts.key("undelivered", "bot-0"), queue.scripts.key("live", "bot-0")
    )


def _job(number: int, channels: int) -> Job:
    channel = number % channels
    return Job(
        id=f"job-{number}", channel=f"channel-{channel}", user=f"user-{channel}", user_name="Ada",
        server=f"guild-{channel % 100}", prompt="How are you?", reader="bot-0",
    )  # fmt: skip


def _turn(job: Job) -> Turn:
    return Turn(
        job=job.id, user=job.user, user_name="Ada", prompt=job.prompt, answer="Fine, thanks!"
    )
