"""Finds which kind of job makes a worker grow.

    python -m tests.faults.worker_growth chat solve picture sizes

One worker with the scripted engine gets jobs of one kind after the other, in 500 channels. Its
memory is printed after each hundred: its own, and its children's, which are the sandbox. `picture`
sends the same small image each time, `sizes` images of random shapes.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.bot.processes import WORKER, run_process
from bench.redis_server import RedisServer
from jobqueue.blobs import Blobs
from jobqueue.event_reader import EventReader
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from jobqueue.schema import Attachment, Failed, Job
from tests.drawn import written

CHANNELS = 500
AT_ONCE = 8
READER = "parts"
WORDS = ("alpha", "beta 12", "x = 3", "the quick brown fox", "0.125")


@dataclass
class QuestionSource:
    queue: JobQueue
    live: EventReader
    blobs: Blobs
    dice: random.Random
    asked: int = 0

    async def ask(self, kind: str) -> None:
        self.asked += 1
        prompt, capability = f"question {self.asked} !tokens 100", "chat"
        attachments: tuple[Attachment, ...] = ()
        if kind == "solve":
            prompt, capability = f"x in x + {self.asked % 9} = 10 !run print(1) !say x", "solve"
        elif kind != "chat":
            attachments = (await self._picture(kind),)
        job = Job(
            id=f"{kind}-{self.asked}",
            channel=f"channel-{self.asked % CHANNELS}",
            user=f"user-{self.asked % CHANNELS}",
            user_name="Ada",
            server=f"server-{self.asked % 10}",
            prompt=prompt,
            reader=READER,
            capability=capability,
            attachments=attachments,
        )
        await self.queue.submit(job)
        async for envelope in self.live.follow(job.id):
            if isinstance(envelope.event, Failed):
                raise RuntimeError(f"{job.id}: {envelope.event.code} {envelope.event.detail}")
        await self.queue.mark_delivered(job.id)

    async def _picture(self, kind: str) -> Attachment:
        lines, size, width = ["2x + 3 = 11"], 24, 256
        if kind == "sizes":
            lines = self.dice.choices(WORDS, k=self.dice.randint(1, 20))
            size, width = self.dice.randint(12, 40), self.dice.randint(100, 2_000)
        data = written(*lines, size=size, width=width)
        name = await self.blobs.put(data)
        return Attachment(sha256=name, name="a.png", media_type="image/png", size=len(data))


@asynccontextmanager
async def run_worker(seed: int) -> AsyncIterator[tuple[QuestionSource, int]]:
    """And the worker's process."""
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        environ = {"REDIS_URL": server.url, "INFERENCE_LOG_LEVEL": "ERROR"}
        with run_process(WORKER, environ) as worker:
            async with connect(server.url) as redis:
                queue = JobQueue(redis)
                async with EventReader(queue, READER) as live:
                    await _able(queue)
                    yield QuestionSource(queue, live, Blobs(redis), random.Random(seed)), worker.pid


async def _able(queue: JobQueue) -> None:
    """Once the worker can solve, too."""
    async with asyncio.timeout(120):
        while not any("solve" in w.capabilities for w in await queue.list_workers()):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def measure_memory(pid: int) -> tuple[float, float]:
    """MiB of the process, and of its children: what would come free if they ended."""
    process = psutil.Process(pid)
    held = [each.memory_full_info().uss / 2**20 for each in process.children(recursive=True)]
    return process.memory_info().rss / 2**20, sum(held)


async def run(kinds: list[str], jobs: int, every: int, seed: int) -> None:
    async with run_worker(seed) as (people, pid):
        tell = _teller(pid)
        tell("begin", 0)
        for kind in kinds:
            for done in range(every, jobs + 1, every):
                async with asyncio.TaskGroup() as group:
                    for _ in range(AT_ONCE):
                        group.create_task(_several(people, kind, every // AT_ONCE))
                tell(kind, done)


async def _several(people: QuestionSource, kind: str, count: int) -> None:
    for _ in range(count):
        await people.ask(kind)


def _teller(pid: int) -> Callable[[str, int], None]:
    began = time.monotonic()

    def tell(kind: str, done: int) -> None:
        own, children = measure_memory(pid)
        passed = time.monotonic() - began
        print(f"{kind:8} {done:6} {own:8.1f} MiB, children {children:6.1f}, {passed:.0f} s")

    return tell


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.worker_growth", description=__doc__
    )
    parser.add_argument("kinds", nargs="+", choices=("chat", "solve", "picture", "sizes"))
    parser.add_argument("--jobs", type=int, default=800, help="of each kind")
    parser.add_argument("--every", type=int, default=104, help="jobs, between two looks")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(run(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
