"""Real workers, askers and a real server under faults: `python -m tests.faults.chaos`.

Workers and askers reach Redis through a proxy. Faults strike, one after the other and at times
on top of each other, only where there is something to break: processes that hold jobs, a server
and connections that carry some. At the end every question must have exactly one whole answer on
the wall and one turn in its channel's history, in order. The last line counts it all.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bench.redis_server import RedisServer
from jobqueue.lua_runner import Scripts
from tests.faults import chaos_judge, chaos_processes
from tests.faults.chaos_processes import POLICY, RunFolder
from tests.faults.process_control import ControlledProcess
from tests.faults.proxy import FaultyProxy

WORKERS, ASKERS = 3, 2
LEASE_S = POLICY.lease_ms / 1000
DRAIN_S = 60.0  # after the last fault; everything must be answered by then
BETWEEN_S = 0.4  # faults, on average
SERVER = (
    *("--auto-aof-rewrite-min-size", "16mb"),  # often, so that this is killed, too
    # On a disk that is slow to sync, a server told `everysec` forgets up to two seconds of what it
    # acknowledged (see test_durability). Here the queue is on trial, not the disk.
    *("--appendfsync", "always"),
)
KEY = Scripts(Redis(), "main", POLICY).key


@dataclass
class Chaos:
    server: RedisServer
    proxy: FaultyProxy
    workers: list[ControlledProcess]
    askers: list[ControlledProcess]
    chance: random.Random
    struck: Counter[str] = field(default_factory=Counter)
    server_lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def inject_faults(self, seconds: float, jobs: int) -> None:
        """Until so much time is over or so many questions were accepted."""
        end = time.monotonic() + seconds
        faults = [
            (6, self.kill_worker), (4, self.pause_worker), (4, self.kill_asker),
            (2, self.pause_asker), (2, self.kill_server), (5, self.cut), (3, self.half_close),
            (3, self.delay), (2, self.swallow),
        ]  # fmt: skip
        weights = [weight for weight, _ in faults]
        async with asyncio.TaskGroup() as group:
            while time.monotonic() < end and self.count_accepted() < jobs:
                await asyncio.sleep(self.chance.expovariate(1 / BETWEEN_S))
                [(_, fault)] = self.chance.choices(faults, weights)
                group.create_task(self._strike(fault))

    def count_accepted(self) -> int:
        return sum(a.place.accepted_questions(a.name).stat().st_size for a in self.askers)

    async def _strike(self, fault: Callable[[], Awaitable[bool]]) -> None:
        if await fault():
            self.struck[fault.__name__] += 1

    # --- faults; each says whether there was something to break -----------------------------------

    async def kill_worker(self) -> bool:
        if worker := await self._busy_worker():
            worker.kill()
            worker.start()
        return worker is not None

    async def pause_worker(self) -> bool:
        """It wakes up when its jobs are somebody else's."""
        if worker := await self._busy_worker():
            worker.pause()
            await asyncio.sleep(LEASE_S + self.chance.uniform(0.2, 1.5))
            worker.resume()
        return worker is not None

    async def kill_asker(self) -> bool:
        if asker := await self._busy_asker():
            asker.kill()
            asker.start()
        return asker is not None

    async def pause_asker(self) -> bool:
        if asker := await self._busy_asker():
            asker.pause()
            await asyncio.sleep(self.chance.uniform(0.3, 1.5))
            asker.resume()
        return asker is not None

    async def kill_server(self) -> bool:
        async with self.server_lock:
            if busy := await self._is_busy():
                self.server.kill()
                await asyncio.sleep(self.chance.uniform(0.0, 0.8))
                await asyncio.to_thread(self.server.start)
            return busy

    async def cut(self) -> bool:
        return await self._is_busy() and self.proxy.cut() > 0

    async def half_close(self) -> bool:
        return await self._is_busy() and self.proxy.half_close() > 0

    async def delay(self) -> bool:
        if busy := await self._is_busy():
            self.proxy.delay_s = self.chance.uniform(0.01, 0.1)
            await asyncio.sleep(self.chance.uniform(0.2, 0.6))
            self.proxy.delay_s = 0.0
        return busy

    async def swallow(self) -> bool:
        if busy := await self._is_busy():
            async with self.proxy.swallow_replies():
                await asyncio.sleep(self.chance.uniform(0.05, 0.5))
        return busy

    # --- where it hurts ---------------------------------------------------------------------------

    async def _busy_worker(self) -> ControlledProcess | None:
        holders = await asyncio.to_thread(self._holders)
        busy = [worker for worker in self.workers if worker.name in holders]
        return self.chance.choice(busy) if busy else None

    async def _busy_asker(self) -> ControlledProcess | None:
        waiting = await asyncio.to_thread(self._waiting)
        busy = [asker for asker in self.askers if asker.name in waiting]
        return self.chance.choice(busy) if busy else None

    async def _is_busy(self) -> bool:
        return bool(await asyncio.to_thread(self._holders))

    def _holders(self) -> set[str]:
        """Workers that hold a job now; nobody while the server is away."""
        with suppress(RedisError, OSError), self.server.client() as redis:
            pipe = redis.pipeline(transaction=False)
            for job_id in redis.zrange(KEY("leases"), 0, -1):
                pipe.hget(KEY("job", job_id.decode()), "worker")
            return {worker.decode() for worker in pipe.execute() if worker}
        return set()

    def _waiting(self) -> set[str]:
        """Askers with questions that are not answered yet."""
        with suppress(RedisError, OSError), self.server.client() as redis:
            return {a.name for a in self.askers if redis.zcard(KEY("undelivered", a.name))}
        return set()


async def run(seconds: float, jobs: int, seed: int, folder: Path) -> int:
    """Returns the process's exit code."""
    async with _stage(seed, folder) as chaos:
        began = time.monotonic()
        await chaos.inject_faults(seconds, jobs)
        raged = time.monotonic() - began
        unanswered = await _drain(chaos)
        place = chaos.askers[0].place
        readers = [asker.name for asker in chaos.askers]
        result = await chaos_judge.judge(chaos.server.url, place, readers)
    accidents = [
        *(f"{name} did not come to an end" for name in unanswered),
        *(event for member in (*chaos.workers, *chaos.askers) for event in member.unexpected),
        *result.examples(),
    ]
    print(f"seed {seed}, {raged:.0f} s of faults, then {time.monotonic() - began - raged:.0f} s")
    print("faults:", ", ".join(f"{name} {n}" for name, n in chaos.struck.most_common()))
    print(*accidents, sep="\n", end="\n" if accidents else "")
    print(
        f"chaos: jobs={result.jobs} faults={chaos.struck.total()} lost={len(result.lost)} "
        f"doubled={len(result.doubled)} reordered={len(result.reordered)} "
        f"fenced={place.refused_writes.stat().st_size}"
    )
    return 1 if accidents else 0


@asynccontextmanager
async def _stage(seed: int, folder: Path) -> AsyncIterator[Chaos]:
    with RedisServer(folder / "server", options=SERVER) as server:
        async with FaultyProxy(server.port).listen() as proxy:
            place = RunFolder(f"redis://127.0.0.1:{proxy.port}", folder)
            workers = [
                ControlledProcess(chaos_processes.run_worker, place, f"worker-{n}")
                for n in range(WORKERS)
            ]
            askers = [
                ControlledProcess(chaos_processes.run_asker, place, f"bot-{n}")
                for n in range(ASKERS)
            ]
            for asker in askers:
                place.accepted_questions(asker.name).touch()
            crew = (*workers, *askers)
            for member in crew:
                member.start()
            try:
                yield Chaos(server, proxy, workers, askers, random.Random(seed))
            finally:
                for member in crew:
                    member.kill()


async def _drain(chaos: Chaos) -> list[str]:
    """Ask nothing new and let everything be answered. Returns who did not end."""
    chaos.askers[0].place.stop_file.touch()
    give_up = time.monotonic() + DRAIN_S
    for asker in chaos.askers:
        await asyncio.to_thread(asker.join, give_up - time.monotonic())
    return [asker.name for asker in chaos.askers if asker.is_running()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--jobs", type=int, default=10_000_000, help="end sooner after so many")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--folder", type=Path, help="kept, with every process's log")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        sys.exit(asyncio.run(run(args.seconds, args.jobs, args.seed, folder)))


if __name__ == "__main__":
    main()
