"""The whole system for a long time, under faults: `make soak`.

Local Discord, a server, two workers with the scripted engine and the bot are a process each. People
in 500 channels chat, solve and post pictures, 50 at a time, while connections to Redis are cut,
half-closed, delayed and swallowed, Discord refuses and drops requests, and one of the workers is
killed. Every question must end in one answer or one clear word, and the memory and the open handles
of the processes that live throughout must not grow, but for what the server is there to keep of
each question. The last line says it all.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.bot.fake_discord import FakeDiscord, WaitForBot
from bench.bot.processes import BOT, WORKER, run_process
from bench.redis_server import RedisServer
from playground.outcome_judge import ScriptSummary
from tests.faults.proxy import FaultyProxy
from tests.faults.resource_growth import APART, ResourceGrowth, ResourceSampler
from tests.faults.soak_people import SoakLoad

BETWEEN_S = 4.0  # faults, on average
KILL_EVERY = 10  # faults
# That the server keeps of a question, for an hour to some weeks: its events, its record, its turn,
# what its buttons need, and of some the picture. 9 KiB on average.
KEPT_BYTES = 12 << 10
SAMPLES = 60  # of each process's memory and handles, over the whole time


@dataclass
class Soak:
    """What is running; `victim` is the worker that is killed and started again."""

    proxy: FaultyProxy
    town: FakeDiscord
    pids: dict[str, int]  # of those that live throughout
    environ: dict[str, str]
    dice: random.Random
    struck: Counter[str] = field(default_factory=Counter)

    async def inject_faults(self) -> None:
        """Until cancelled."""
        while True:
            name = f"worker-{self.struck['kill_worker']}"
            with run_process(WORKER, self.environ | {"INFERENCE_WORKER": name}) as victim:
                try:
                    for _ in range(KILL_EVERY):
                        await asyncio.sleep(self.dice.expovariate(1 / BETWEEN_S))
                        await self._strike()
                finally:
                    victim.kill()
            self.struck["kill_worker"] += 1

    async def _strike(self) -> None:
        kind = self.dice.choice(("cut", "half_close", "delay", "swallow"))
        match kind:
            case "cut":
                self.proxy.cut()
            case "half_close":
                self.proxy.half_close()
            case "delay":
                self.proxy.delay_s = self.dice.uniform(0.01, 0.1)
                await asyncio.sleep(self.dice.uniform(0.2, 0.6))
                self.proxy.delay_s = 0.0
            case _:
                async with self.proxy.swallow_replies():
                    await asyncio.sleep(self.dice.uniform(0.05, 0.5))
        self.struck[kind] += 1


async def run(load: SoakLoad) -> tuple[ScriptSummary, Counter[str], list[ResourceGrowth]]:
    async with _stage(load.seed) as soak:
        watch = ResourceSampler(soak.pids, every_s=load.seconds / SAMPLES)
        async with asyncio.TaskGroup() as group:
            faults = group.create_task(soak.inject_faults())
            watching = group.create_task(watch.run())
            result = await asyncio.to_thread(soak.town.perform, load)
            faults.cancel()
            watching.cancel()
    soak.struck["discord"] = result.faults
    kept = {"redis": KEPT_BYTES * result.summary.asked}
    return result.summary, soak.struck, watch.compute_growth(kept)


@asynccontextmanager
async def _stage(seed: int) -> AsyncIterator[Soak]:
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer(Path(folder)) as server,
        FakeDiscord() as town,
    ):
        async with FaultyProxy(server.port).listen() as proxy:
            environ = {
                "REDIS_URL": f"redis://127.0.0.1:{proxy.port}",
                "DISCORD_API": town.api_url,
                "DISCORD_TOKEN": town.token,
                "COMMONROOM_PER_MINUTE": "0",
                "COMMONROOM_PER_DAY": "0",
                "COMMONROOM_TOKENS_PER_DAY": "0",
                "COMMONROOM_MEGABYTES_PER_DAY": "0",
                "LOG_LEVEL": "ERROR",
                "INFERENCE_LOG_LEVEL": "ERROR",
            }
            with run_process(WORKER, environ) as worker, run_process(BOT, environ) as bot:
                pids = {"bot": bot.pid, "worker": worker.pid, "redis": server.pid}
                await asyncio.to_thread(town.perform, WaitForBot())
                try:
                    yield Soak(proxy, town, pids, environ, random.Random(seed))
                finally:  # at once: to end well they would need the proxy, which waits for us
                    worker.kill()
                    bot.kill()
                    await asyncio.sleep(0.1)  # connections that were just made are seen to end


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--channels", type=int, default=500)
    parser.add_argument("--talking", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    load = SoakLoad(**vars(parser.parse_args()))
    began = time.monotonic()
    summary, struck, growths = asyncio.run(run(load))
    print(f"seed {load.seed}, {time.monotonic() - began:.0f} s")
    print("faults:", ", ".join(f"{name} {n}" for name, n in struck.most_common()))
    print(*growths, sep="\n")
    print(f"redis: {_of_a_question(growths, summary):.1f} KiB more for each question")
    flat = all(growth.is_flat for growth in growths)
    print(
        f"soak: asked={summary.asked} answered={summary.answered} told={summary.told} "
        f"lost={summary.lost} doubled={summary.doubled} faults={struck.total()} "
        f"growing={sum(not growth.is_flat for growth in growths)}"
    )
    sys.exit(0 if summary.is_success and flat else 1)


def _of_a_question(growths: list[ResourceGrowth], summary: ScriptSummary) -> float:
    [(before, after)] = [growth.memory for growth in growths if growth.name == "redis"]
    return (after - before) / 2**10 / max(summary.asked * APART, 1)


if __name__ == "__main__":
    main()
