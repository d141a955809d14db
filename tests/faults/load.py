"""The processes that chaos is let loose on: real workers, and askers for the bot's side.

Askers share nothing with what starts them but a folder. What a person would still know after a
crash of everything is in it: the wall, and which questions were asked.
"""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from inference.engines.scripted import ScriptedEngine
from inference.worker import Worker
from jobqueue.event_reader import EventReader
from jobqueue.history import History
from jobqueue.policy import JobLimits, Policy
from jobqueue.queue import JobQueue, Lease, LeaseStatus
from jobqueue.redis_client import connect
from jobqueue.schema import Event, Failed, Finished, Job, Turn
from tests.faults import asker
from tests.faults.wall import Wall

POLICY = Policy(
    lease_ms=1_000,
    max_attempts=10_000,  # here every attempt may be killed; poison is another test's business
    limits=JobLimits(per_user=100_000, per_channel=1_000, per_server=100_000, total=100_000),
    events_ttl_ms=60_000,
    history_turns=1_000,
    patience_ms=2_000,
)
SLOTS = 16
CHANNELS = 24  # of one asker at a time
TURNS = 12  # in one channel, then it moves on to new ones
OPEN = 2 * CHANNELS  # questions that an asker has waiting at most: every channel has a next one


@dataclass(frozen=True)
class Place:
    """Where the processes of one run meet."""

    url: str
    folder: Path

    @property
    def wall(self) -> Path:
        return self.folder / "wall"

    @property
    def fenced(self) -> Path:
        """One byte for each write that was refused as too late."""
        return self.folder / "fenced"

    @property
    def enough(self) -> Path:
        """Askers ask nothing new once this exists."""
        return self.folder / "enough"

    def asked(self, reader: str) -> Path:
        """One byte for each question the queue has accepted."""
        return self.folder / f"asked-{reader}"

    def log_to_file(self, name: str) -> None:
        logging.basicConfig(filename=self.folder / f"{name}.log", level=logging.INFO)


def question(reader: str, number: int) -> Job:
    """Every question is known beforehand, and with `answer_to` what must be answered to it."""
    generation, within = divmod(number, CHANNELS * TURNS)
    turn, column = divmod(within, CHANNELS)
    channel = f"{reader}.{generation}.{column}"
    words = " ".join(f"word{number % 89}" for _ in range(number % 6))
    return Job(
        id=f"{channel}.{turn}", channel=channel, user=f"user-{number % 7}", user_name="Someone",
        server=f"guild-{column % 5}", prompt=f"{channel} number {turn} {words} !delay 2ms",
        reader=reader,
    )  # fmt: skip


def answer_to(job: Job) -> str:
    """It names how many turns the model was shown, so nothing may be missing, doubled or mixed."""
    turn = int(job.id.rpartition(".")[2])
    return f"[turn {turn + 1}] {job.prompt}"


# --- the worker's side --------------------------------------------------------------------------


class CountingQueue(JobQueue):
    """Keeps a count, outside of this process, of writes that were refused."""

    fenced: int

    async def emit(self, lease: Lease, seq: int, events: "list[Event]") -> LeaseStatus:  # type: ignore[override]
        return self._count(await super().emit(lease, seq, events))

    async def finish(
        self, lease: Lease, seq: int, event: Finished | Failed, turn: Turn | None
    ) -> LeaseStatus:
        return self._count(await super().finish(lease, seq, event, turn))

    def _count(self, verdict: LeaseStatus) -> LeaseStatus:
        if verdict is LeaseStatus.LOST:
            _tick(self.fenced)
        return verdict


def run_worker(place: Place, name: str) -> None:
    place.log_to_file(name)
    asyncio.run(_work(place, name))


async def _work(place: Place, name: str) -> None:
    async with aclosing(connect(place.url)) as redis:
        queue = CountingQueue(redis, policy=POLICY)
        queue.fenced = _counter(place.fenced)
        engine = ScriptedEngine(slots=SLOTS)
        await Worker(queue, History(redis, policy=POLICY), engine, name=name, system="").run()


# --- the bot's side -----------------------------------------------------------------------------


def run_asker(place: Place, reader: str) -> None:
    place.log_to_file(reader)
    asyncio.run(_ask(place, reader))


async def _ask(place: Place, reader: str) -> None:
    """Take up what an earlier process of this name left, then ask on until it is enough."""
    wall, asked = Wall(place.wall), _counter(place.asked(reader))
    room = asyncio.Semaphore(OPEN)
    async with aclosing(connect(place.url)) as redis:
        queue = JobQueue(redis, policy=POLICY)

        async def show(job: Job, note: str) -> None:
            try:
                await asker.answer(queue, live, job, note, wall)
            finally:
                room.release()

        left = {job.id: (job, note) for job, note in await asker.undelivered(queue, reader)}
        async with EventReader(queue, reader) as live, asyncio.TaskGroup() as answers:
            for job, note in left.values():
                await room.acquire()
                answers.create_task(show(job, note))
            for job in _questions(place, reader):
                await room.acquire()
                await asker.submit(queue, job)
                _tick(asked)
                if job.id in left:  # accepted before, killed before it was written down
                    room.release()
                else:
                    answers.create_task(show(job, ""))


def _questions(place: Place, reader: str) -> Iterator[Job]:
    for number in count(place.asked(reader).stat().st_size):
        if place.enough.exists():
            return
        yield question(reader, number)


def _counter(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _tick(counter: int) -> None:
    os.write(counter, b".")
