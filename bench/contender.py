"""One queue library in a benchmark: its processes, and what their ledger says."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.server import RedisServer

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class LedgerEntry:
    what: str  # sent, start, done
    job: str
    at: float


@dataclass(frozen=True)
class QueueUnderTest:
    peer: str  # a module of bench.peers
    python: Path  # the interpreter that has it
    server: RedisServer
    ledger: Path

    def reset(self) -> None:
        """An empty server and an empty ledger."""
        with self.server.client() as redis:
            redis.flushall()
        self.ledger.write_bytes(b"")

    def submit(self, how: str, *, jobs: int, seconds: float = 0.0) -> None:
        """Submit and come back when all are submitted: `trickle` or `flood`."""
        more = ("--jobs", str(jobs), "--seconds", str(seconds))
        subprocess.run([*self._command(how), *more], cwd=_ROOT, check=True, timeout=120)

    def start_worker(self) -> subprocess.Popen[bytes]:
        with self.ledger.with_suffix(".log").open("ab") as log:
            return subprocess.Popen(self._command("work"), cwd=_ROOT, stdout=log, stderr=log)

    @contextmanager
    def run_worker(self) -> Iterator[subprocess.Popen[bytes]]:
        process = self.start_worker()
        try:
            yield process
        finally:
            kill_process(process)

    def read_ledger(self) -> list[LedgerEntry]:
        lines = (line.split() for line in self.ledger.read_text().splitlines())
        return [LedgerEntry(what, job, float(at)) for what, job, at in lines]

    def list_done(self) -> set[str]:
        return {note.job for note in self.read_ledger() if note.what == "done"}

    def await_done(self, jobs: int, timeout_s: float) -> bool:
        give_up = time.monotonic() + timeout_s
        while self.ledger.read_bytes().count(b"done ") < jobs or len(self.list_done()) < jobs:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.1)
        return True

    def _command(self, role: str) -> list[str]:
        return [
            *(str(self.python), "-W", "ignore", "-m", "bench.peers"),
            *(self.peer, role, self.server.url, str(self.ledger)),
        ]


def kill_process(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGCONT)
        process.kill()
    process.wait()
