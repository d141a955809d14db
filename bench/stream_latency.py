"""`python -m bench relay`: the latency of tokens from a worker to a bot, with 1 and 64 streams.

The worker's process emits fenced, numbered events, one token each. Tokens that are produced during
an emit go with the next one. (The real worker also waits 50 ms for more: that halves the work and
adds 25 ms.) The bot's process follows all streams with one `EventReader`. Times are from producing
a token to receiving it, on one clock.

For comparison, the same by pub/sub: each token by PUBLISH, one pattern subscription, no fence, no
log, no resuming. Those figures show the machine and the client library.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import asdict, astuple, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from redis.asyncio import Redis

from bench.redis_server import RedisServer
from bench.report import print_table, quantile
from jobqueue.event_reader import EventReader
from jobqueue.queue import JobLimits, JobQueue, Lease, Policy
from jobqueue.redis_client import connect
from jobqueue.schema import Delta, Finished, Job, Started

POLICY = Policy(limits=JobLimits(1_000, 1_000, 1_000, 1_000), live_length=100_000)


Arrivals = list[tuple[float, float]]  # when each token was produced and received


@dataclass(frozen=True)
class StreamLoad:
    streams: int
    per_s: int  # tokens of each stream
    seconds: float = 5.0

    @property
    def tokens(self) -> int:
        return int(self.per_s * self.seconds)


@dataclass(frozen=True)
class LatencyFigures:
    how: str
    streams: int
    asked_per_s: int
    tokens_per_s: int
    p50_ms: float
    p99_ms: float


# One stream at a usual speed, 64 of them, and more than two cores can carry.
LOADS = (StreamLoad(1, 80), StreamLoad(64, 80), StreamLoad(64, 400))


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("relay", help="tokens from the worker to the bot")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> None:
    found = []
    for load in LOADS:
        for how in WAYS:
            with TemporaryDirectory() as temporary, RedisServer(Path(temporary)) as server:
                found.append(_measure(server.url, load, how))
    columns = ("by", "streams", "tokens/s asked", "tokens/s", "p50 ms", "p99 ms")
    print_table("From the worker to the bot", columns, [astuple(figures) for figures in found])
    print(json.dumps([asdict(figures) for figures in found]))


def _measure(url: str, load: StreamLoad, how: str) -> LatencyFigures:
    emit, follow = WAYS[how]
    asyncio.run(_submit(url, load))
    ours, theirs = multiprocessing.Pipe()
    reader = multiprocessing.get_context("spawn").Process(
        target=_read, args=(follow, url, load, theirs)
    )
    reader.start()
    ours.recv()  # it follows all streams
    asyncio.run(emit(url, load))
    seen: Arrivals = ours.recv()
    reader.join()
    seconds = max(received for _, received in seen) - min(produced for produced, _ in seen)
    delays = [received - produced for produced, received in seen]
    return LatencyFigures(
        how,
        load.streams,
        load.per_s * load.streams,
        round(len(seen) / seconds),
        round(quantile(delays, 0.5) * 1000, 2),
        round(quantile(delays, 0.99) * 1000, 2),
    )


async def _submit(url: str, load: StreamLoad) -> None:
    async with aclosing(connect(url)) as redis:
        queue = JobQueue(redis, policy=POLICY)
        await asyncio.gather(*(queue.submit(_job(n)) for n in range(load.streams)))


async def _emit(url: str, load: StreamLoad) -> None:
    async with aclosing(connect(url)) as redis:
        queue = JobQueue(redis, policy=POLICY)
        leases = await queue.claim("worker", load.streams, ["chat"], "nonce")
        await asyncio.gather(*(_stream(queue, lease, load) for lease in leases))


async def _stream(queue: JobQueue, lease: Lease, load: StreamLoad) -> None:
    await queue.emit(lease, 0, [Started(attempt=1)])
    seq = 1
    async for tokens in _produce(load):
        await queue.emit(lease, seq, [Delta(text=f"{at}") for at in tokens])
        seq += len(tokens)
    await queue.finish(lease, seq, Finished(text="."), None)


async def _produce(load: StreamLoad) -> AsyncIterator[list[float]]:
    """Yield the times of the tokens that were produced since the last step."""
    await asyncio.sleep(random.random() / load.per_s)
    began, taken = time.time(), 0
    while taken < load.tokens:
        await asyncio.sleep(began + taken / load.per_s - time.time())
        produced = min(int((time.time() - began) * load.per_s) + 1, load.tokens)
        yield [began + n / load.per_s for n in range(taken, produced)]
        taken = produced


async def _publish_all(url: str, load: StreamLoad) -> None:
    async with aclosing(Redis.from_url(url)) as redis:
        await asyncio.gather(*(_publish(redis, n, load) for n in range(load.streams)))


async def _publish(redis: Redis, number: int, load: StreamLoad) -> None:
    async for tokens in _produce(load):
        await redis.publish(f"live:{number}", " ".join(map(str, tokens)))


def _read(
    follow: Callable[[str, StreamLoad, Connection], Coroutine[Any, Any, Arrivals]],
    url: str,
    load: StreamLoad,
    emitter: Connection,
) -> None:
    emitter.send(asyncio.run(follow(url, load, emitter)))


async def _follow_all(url: str, load: StreamLoad, emitter: Connection) -> Arrivals:
    seen: Arrivals = []
    async with aclosing(connect(url)) as redis:
        queue = JobQueue(redis, policy=POLICY)
        async with EventReader(queue, "bot-0") as live, asyncio.TaskGroup() as followers:
            for number in range(load.streams):
                followers.create_task(_follow(live, _job(number).id, seen))
            await asyncio.sleep(0.5)  # all followers wait
            emitter.send("ready")
    return seen


async def _follow(live: EventReader, job_id: str, seen: Arrivals) -> None:
    async for envelope in live.follow(job_id):
        if isinstance(envelope.event, Delta):
            seen.append((float(envelope.event.text), time.time()))


async def _subscribe(url: str, load: StreamLoad, emitter: Connection) -> Arrivals:
    seen: Arrivals = []
    async with aclosing(Redis.from_url(url)) as redis, redis.pubsub() as messages:
        await messages.psubscribe("live:*")
        await messages.get_message(timeout=5.0)
        emitter.send("ready")
        while len(seen) < load.streams * load.tokens:
            message = await messages.get_message(ignore_subscribe_messages=True, timeout=5.0)
            if message is None:
                break
            now = time.time()
            seen += [(float(at), now) for at in message["data"].split()]
    return seen


# How tokens are sent, and how they are received.
WAYS: dict[str, tuple[Any, Any]] = {
    "commonroom": (_emit, _follow_all),
    "pub/sub": (_publish_all, _subscribe),
}


def _job(number: int) -> Job:
    return Job(
        id=f"job-{number}", channel=f"channel-{number}", user=f"user-{number}", user_name="",
        server="guild", prompt="?", reader="bot-0",
    )  # fmt: skip
