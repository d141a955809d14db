"""The interface that a benchmark uses for every queue.

Standard library only, since each peer has an interpreter of its own.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

Submit = Callable[[str, float], Awaitable[object]]  # a job's id, and how long it takes in seconds
StoreResult = Callable[[], Awaitable[bool]]  # stores a result; False when the queue refuses it


class Handle(Protocol):
    async def __call__(self, job: str, busy_s: float, keep: StoreResult | None = None) -> None: ...


SLOTS = 100  # jobs a worker runs at once
GIVE_UP_S = 2  # after which a silent worker counts as dead, if a queue lets one choose


class QueuePeer(Protocol):
    """A queue as a module: see `bench.peers.commonroom`."""

    def open_submitter(self, url: str) -> AbstractAsyncContextManager[Submit]: ...

    async def work(self, url: str, handle: Handle) -> None: ...


class Ledger:
    """A file with one line per event of a job, complete even under SIGKILL."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, what: str, job: str) -> None:
        os.write(self._file, f"{what} {job} {time.time()}\n".encode())

    async def handle(self, job: str, busy_s: float, keep: StoreResult | None = None) -> None:
        """Run the job; `keep` stores the result, if the queue may refuse it."""
        self.note("start", job)
        if busy_s:
            await asyncio.sleep(busy_s)
        self.note("done" if keep is None or await keep() else "refused", job)


async def trickle(put: Submit, ledger: Ledger, jobs: int, every_s: float) -> None:
    """Submit one job after the other, to measure the time until it starts."""
    for number in range(jobs):
        ledger.note("sent", str(number))
        await put(str(number), 0)
        await asyncio.sleep(every_s)


async def flood(put: Submit, ledger: Ledger, jobs: int, busy_s: float, at_once: int = 64) -> None:
    """Submit jobs as fast as possible, by `at_once` tasks of one process."""
    numbers = iter(range(jobs))

    async def some() -> None:
        for number in numbers:
            await put(str(number), busy_s)

    ledger.note("begin", "flood")
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(some())
    ledger.note("end", "flood")
