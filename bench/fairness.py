"""`python -m bench fairness`: 600 jobs of a noisy server, then one question of a quiet one.

Every job takes the same time on one worker of four slots. The wait of the quiet question is given
in service times: 1 is the time that one job takes.
"""

import argparse
import asyncio
import json
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.redis_server import RedisServer
from bench.report import print_table, quantile
from jobqueue.queue import JobLimits, JobQueue, Lease, Policy
from jobqueue.redis_client import connect
from jobqueue.schema import Finished, Job

NOISY, SERVICE_S, SLOTS, ROUNDS = 600, 0.05, 4, 20
POLICY = Policy(limits=JobLimits(10_000, 10_000, 10_000, 100_000))


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("fairness", help="how long a quiet server waits for a noisy one")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> None:
    with TemporaryDirectory() as temporary, RedisServer(Path(temporary)) as server:
        waits = asyncio.run(_measure(server.url))
    found = {"p50": round(quantile(waits, 0.5), 2), "worst": round(max(waits), 2)}
    row = (len(waits), *(f"{n} service times" for n in found.values()))
    print_table(f"Behind {NOISY} noisy jobs", ("quiet questions", *found), [row])
    print(json.dumps({"quiet_wait_service_times": found, "first_come_first_served": NOISY / SLOTS}))


@dataclass
class _Worker:
    queue: JobQueue
    started: dict[str, asyncio.Future[float]]

    async def serve(self) -> None:
        async with asyncio.TaskGroup() as slots:
            for slot in range(SLOTS):
                slots.create_task(self._run_slot(f"slot-{slot}"))

    async def _run_slot(self, name: str) -> None:
        number = 0
        while True:
            number += 1
            leases = await self.queue.claim(name, 1, ["chat"], f"{name}.{number}")
            for lease in leases:
                await self._answer(lease)
            if not leases:
                await self.queue.wait_for_work(["chat"], 1.0)

    async def _answer(self, lease: Lease) -> None:
        if lease.job.id in self.started:
            self.started[lease.job.id].set_result(time.monotonic())
        await asyncio.sleep(SERVICE_S)
        await self.queue.finish(lease, 0, Finished(text="yes", completion_tokens=100), None)


async def _measure(url: str) -> list[float]:
    async with aclosing(connect(url)) as redis:
        queue = JobQueue(redis, policy=POLICY)
        worker = _Worker(queue, {})
        await asyncio.gather(*(queue.submit(_job("noisy", n)) for n in range(NOISY)))
        serving = asyncio.create_task(worker.serve())
        waits = [await _measure_quiet_wait(worker, n) for n in range(ROUNDS)]
        while not serving.done():  # redis-py may swallow a cancellation
            serving.cancel()
            await asyncio.wait([serving], timeout=0.1)
        return waits


async def _measure_quiet_wait(worker: _Worker, number: int) -> float:
    """Return the service times from submission to start, then pause before the next question."""
    job = _job("quiet", number)
    worker.started[job.id] = asyncio.get_running_loop().create_future()
    asked = time.monotonic()
    await worker.queue.submit(job)
    wait = await worker.started[job.id] - asked
    await asyncio.sleep(6 * SERVICE_S)
    return wait / SERVICE_S


def _job(server: str, number: int) -> Job:
    return Job(
        id=f"{server}-{number}", channel=f"{server}-{number % 30}", user=f"{server}-{number % 9}",
        user_name="", server=server, prompt="?", reader="bot-0",
    )  # fmt: skip
