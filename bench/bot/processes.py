"""The processes of one measurement, and the CPU time and memory of each."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.bot.fake_discord import FakeDiscord, UserAction, WaitForBot
from bench.redis_server import RedisServer

BOT = ("-m", "bot")
BARE = ("-m", "bench.bot.baseline")
SLOTS = "256"  # so that nobody waits for the model
WORKER = ("-m", "inference", "serve", "--engine", "scripted")


@dataclass(frozen=True)
class BotSetup:
    town: FakeDiscord
    redis_url: str
    pids: dict[str, int] = field(default_factory=dict)  # by what the process is

    @contextmanager
    def measure_cpu(self) -> Iterator[dict[str, float]]:
        """Yield a dict that has each process's CPU seconds in the block after its end."""
        before = {name: _read_cpu_s(pid) for name, pid in self.pids.items()}
        used: dict[str, float] = {}
        yield used
        used |= {name: round(_read_cpu_s(pid) - before[name], 2) for name, pid in self.pids.items()}

    def measure_memory(self, name: str) -> int:
        """Return the bytes that would become free if the process ended."""
        return int(psutil.Process(self.pids[name]).memory_full_info().uss)


@contextmanager
def start_setup(
    bot: Sequence[str] = BOT, *, before: UserAction[None] | None = None
) -> Iterator[BotSetup]:
    """Start local Discord, Valkey, a worker with the scripted engine and one bot.

    `before` is done in Discord before the bot connects.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        server = stack.enter_context(RedisServer(folder))
        town = stack.enter_context(FakeDiscord())
        environ = {
            "REDIS_URL": server.url,
            "DISCORD_API": town.api_url,
            "DISCORD_TOKEN": town.token,
            "COMMONROOM_PER_MINUTE": "0",
            "COMMONROOM_PER_DAY": "0",
            "COMMONROOM_TOKENS_PER_DAY": "0",
            "COMMONROOM_MEGABYTES_PER_DAY": "0",
            "INFERENCE_SLOTS": SLOTS,
            "INFERENCE_PROGRAMS": "false",  # no benchmark runs programs
            "LOG_LEVEL": "WARNING",
            "INFERENCE_LOG_LEVEL": "WARNING",
        }
        if before is not None:
            town.perform(before)
        pids = {"discord": town.pid, "redis": server.pid}
        for name, program in (("worker", WORKER), ("bot", bot)):
            pids[name] = stack.enter_context(run_process(program, environ)).pid
        town.perform(WaitForBot())
        yield BotSetup(town, server.url, pids)


@contextmanager
def run_process(
    program: Sequence[str], environ: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, *program], env={**os.environ, **environ})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _read_cpu_s(pid: int) -> float:
    """Return the CPU seconds of the process and its children."""
    process = psutil.Process(pid)
    return sum(sum(p.cpu_times()[:2]) for p in (process, *process.children(recursive=True)))
