"""What a benchmark asks of every queue.

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
GIVE_UP_S = 2  # after a worker fell silent, wherever a queue lets one choose


class QueuePeer(Protocol):
    """A queue as a module: see `bench.peers.commonroom`."""

    def open_submitter(self, url: str) -> AbstractAsyncContextManager[Submit]: ...

    async def work(self, url: str, handle: Handle) -> None: ...


class Ledger:
    """What happened to each job, and when: one line each, whole even under SIGKILL."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, what: str, job: str) -> None:
        os.write(self._file, f"{what} {job} {time.time()}\n".encode())

    async def handle(self, job: str, busy_s: float, keep: StoreResult | None = None) -> None:
        """The job itself, as every peer runs it. A queue that may refuse a result says so."""
        self.note("start", job)
        if busy_s:
            await asyncio.sleep(busy_s)
        self.note("done" if keep is None or await keep() else "refused", job)


async def trickle(put: Submit, ledger: Ledger, jobs: int, every_s: float) -> None:
    """One job after the other, for the time until it starts."""
    for number in range(jobs):
        ledger.note("sent", str(number))
        await put(str(number), 0)
        await asyncio.sleep(every_s)


async def flood(put: Submit, ledger: Ledger, jobs: int, busy_s: float, at_once: int = 64) -> None:
    """As many as it takes, from `at_once` tasks of one process."""
    numbers = iter(range(jobs))

    async def some() -> None:
        for number in numbers:
            await put(str(number), busy_s)

    ledger.note("begin", "flood")
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(some())
    ledger.note("end", "flood")
