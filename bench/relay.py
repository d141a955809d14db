"""`python -m bench relay`: tokens from a worker to a bot's reader, 1 stream and 64.

The worker's process emits fenced, numbered events, one token each; what comes while an emit is on
its way goes with the next one. (The real worker also waits 50 ms for more: that halves the work
and adds 25 ms.) The bot's process follows all streams with one `LiveReader`. Times are from the
token's making to the follower's hands, on one clock.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import time
from contextlib import aclosing
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bench.figures import quantile
from bench.server import Server
from jobqueue.connect import connect
from jobqueue.live import LiveReader
from jobqueue.queue import JobQueue, Lease, Limits, Policy
from jobqueue.schema import Delta, Finished, Job, Started

POLICY = Policy(limits=Limits(1_000, 1_000, 1_000, 1_000), live_length=100_000)


@dataclass(frozen=True)
class Load:
    streams: int
    per_s: int  # tokens of each stream
    seconds: float = 5.0

    @property
    def tokens(self) -> int:
        return int(self.per_s * self.seconds)


@dataclass(frozen=True)
class Figures:
    streams: int
    asked_per_s: int
    tokens_per_s: int
    p50_ms: float
    p99_ms: float


# A stream as fast as people's models are, 64 of them, and more than two cores can carry.
LOADS = (Load(1, 80), Load(64, 80), Load(64, 400))


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("relay", help="tokens from the worker to the bot")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> None:
    found = []
    for load in LOADS:
        with TemporaryDirectory() as temporary, Server(Path(temporary)) as server:
            found.append(_measure(server.url, load))
    table = Table(title="From the worker to the bot")
    for name in ("streams", "tokens/s asked", "tokens/s", "p50 ms", "p99 ms"):
        table.add_column(name, justify="right")
    for f in found:
        table.add_row(
            str(f.streams),
            f"{f.asked_per_s:,}",
            f"{f.tokens_per_s:,}",
            f"{f.p50_ms}",
            f"{f.p99_ms}",
        )
    Console().print(table)
    print(json.dumps([asdict(figures) for figures in found]))


def _measure(url: str, load: Load) -> Figures:
    asyncio.run(_submit(url, load))
    ours, theirs = multiprocessing.Pipe()
    reader = multiprocessing.get_context("spawn").Process(target=_read, args=(url, load, theirs))
    reader.start()
    ours.recv()  # it follows all of them
    asyncio.run(_emit(url, load))
    began, ended, delays = ours.recv()
    reader.join()
    return Figures(
        load.streams,
        load.per_s * load.streams,
        round(load.streams * load.tokens / (ended - began)),
        round(quantile(delays, 0.5) * 1000, 2),
        round(quantile(delays, 0.99) * 1000, 2),
    )


async def _submit(url: str, load: Load) -> None:
    async with aclosing(connect(url)) as redis:
        queue = JobQueue(redis, policy=POLICY)
        await asyncio.gather(*(queue.submit(_job(n)) for n in range(load.streams)))


async def _emit(url: str, load: Load) -> None:
    async with aclosing(connect(url)) as redis:
        queue = JobQueue(redis, policy=POLICY)
        leases = await queue.claim("worker", load.streams, ["chat"], "nonce")
        await asyncio.gather(*(_stream(queue, lease, load) for lease in leases))


async def _stream(queue: JobQueue, lease: Lease, load: Load) -> None:
    await queue.emit(lease, 0, [Started(attempt=1)])
    await asyncio.sleep(random.random() / load.per_s)
    began, seq = time.time(), 0
    while seq < load.tokens:
        await asyncio.sleep(began + seq / load.per_s - time.time())
        made = min(int((time.time() - began) * load.per_s) + 1, load.tokens)
        tokens = [Delta(text=f"{began + n / load.per_s}") for n in range(seq, made)]
        await queue.emit(lease, seq + 1, tokens)
        seq = made
    await queue.finish(lease, seq + 1, Finished(text="."), None)


def _read(url: str, load: Load, emitter: Connection) -> None:
    asyncio.run(_follow_all(url, load, emitter))


async def _follow_all(url: str, load: Load, emitter: Connection) -> None:
    delays: list[float] = []
    async with aclosing(connect(url)) as redis:
        queue = JobQueue(redis, policy=POLICY)
        async with LiveReader(queue, "bot-0") as live, asyncio.TaskGroup() as followers:
            for number in range(load.streams):
                followers.create_task(_follow(live, _job(number).id, delays))
            await asyncio.sleep(0.5)  # all of them wait
            emitter.send("ready")
            began = time.time()
    emitter.send((began, time.time(), delays))


async def _follow(live: LiveReader, job_id: str, delays: list[float]) -> None:
    async for envelope in live.follow(job_id):
        if isinstance(envelope.event, Delta):
            delays += [time.time() - float(envelope.event.text)]


def _job(number: int) -> Job:
    return Job(
        id=f"job-{number}", channel=f"channel-{number}", user=f"user-{number}", user_name="",
        server="guild", prompt="?", reader="bot-0",
    )  # fmt: skip
