"""The processes of a chaos run: real workers, and fake bots.

They share only a folder with the process that starts them. It has what a person would still know
after a crash of everything: the messages, and which questions were accepted.
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
from jobqueue.schema import Failed, Finished, Job, JobEvent, Turn
from tests.faults import fake_bot
from tests.faults.message_log import MessageLog

POLICY = Policy(
    lease_ms=1_000,
    max_attempts=10_000,  # any attempt may be killed here; other tests cover dead letters
    limits=JobLimits(per_user=100_000, per_channel=1_000, per_server=100_000, total=100_000),
    events_ttl_ms=60_000,
    history_turns=1_000,
    patience_ms=2_000,
)
SLOTS = 16
CHANNELS = 24  # of one bot at a time
TURNS = 12  # in one channel; then the bot uses new channels
OPEN = 2 * CHANNELS  # waiting questions of a bot at most, so that every channel has a next one


@dataclass(frozen=True)
class RunFolder:
    """The folder that the processes of one run share."""

    url: str
    folder: Path

    @property
    def message_log(self) -> Path:
        return self.folder / "wall"

    @property
    def refused_writes(self) -> Path:
        """A file with one byte for each write that a newer fence refused."""
        return self.folder / "fenced"

    @property
    def stop_file(self) -> Path:
        """If this file exists, bots submit no new questions."""
        return self.folder / "enough"

    def accepted_questions(self, reader: str) -> Path:
        """A file with one byte for each question that the queue accepted."""
        return self.folder / f"asked-{reader}"

    def log_to_file(self, name: str) -> None:
        logging.basicConfig(filename=self.folder / f"{name}.log", level=logging.INFO)


def make_question(reader: str, number: int) -> Job:
    """Make a question; all questions and their `expected_answer` are known beforehand."""
    generation, within = divmod(number, CHANNELS * TURNS)
    turn, column = divmod(within, CHANNELS)
    channel = f"{reader}.{generation}.{column}"
    words = " ".join(f"word{number % 89}" for _ in range(number % 6))
    return Job(
        id=f"{channel}.{turn}", channel=channel, user=f"user-{number % 7}", user_name="Someone",
        server=f"guild-{column % 5}", prompt=f"{channel} number {turn} {words} !delay 2ms",
        reader=reader,
    )  # fmt: skip


def expected_answer(job: Job) -> str:
    """Return the right answer. It has the number of turns in the context, so gaps would show."""
    turn = int(job.id.rpartition(".")[2])
    return f"[turn {turn + 1}] {job.prompt}"


# --- the worker's side --------------------------------------------------------------------------


class CountingQueue(JobQueue):
    """A queue that counts refused writes, in a file outside of this process."""

    fenced: int

    async def emit(self, lease: Lease, seq: int, events: "list[JobEvent]") -> LeaseStatus:  # type: ignore[override]
        return self._count(await super().emit(lease, seq, events))

    async def finish(
        self, lease: Lease, seq: int, event: Finished | Failed, turn: Turn | None
    ) -> LeaseStatus:
        return self._count(await super().finish(lease, seq, event, turn))

    def _count(self, verdict: LeaseStatus) -> LeaseStatus:
        if verdict is LeaseStatus.LOST:
            _tick(self.fenced)
        return verdict


def run_worker(place: RunFolder, name: str) -> None:
    place.log_to_file(name)
    asyncio.run(_work(place, name))


async def _work(place: RunFolder, name: str) -> None:
    async with aclosing(connect(place.url)) as redis:
        queue = CountingQueue(redis, policy=POLICY)
        queue.fenced = _counter(place.refused_writes)
        engine = ScriptedEngine(slots=SLOTS)
        await Worker(queue, History(redis, policy=POLICY), engine, name=name, system="").run()


# --- the bot's side -----------------------------------------------------------------------------


def run_asker(place: RunFolder, reader: str) -> None:
    place.log_to_file(reader)
    asyncio.run(_ask(place, reader))


async def _ask(place: RunFolder, reader: str) -> None:
    """Deliver what an earlier process of this name left, then submit until the stop file exists."""
    wall, asked = MessageLog(place.message_log), _counter(place.accepted_questions(reader))
    room = asyncio.Semaphore(OPEN)
    async with aclosing(connect(place.url)) as redis:
        queue = JobQueue(redis, policy=POLICY)

        async def show(job: Job, note: str) -> None:
            try:
                await fake_bot.answer(queue, live, job, note, wall)
            finally:
                room.release()

        left = {job.id: (job, note) for job, note in await fake_bot.load_undelivered(queue, reader)}
        async with EventReader(queue, reader) as live, asyncio.TaskGroup() as answers:
            for job, note in left.values():
                await room.acquire()
                answers.create_task(show(job, note))
            for job in _questions(place, reader):
                await room.acquire()
                await fake_bot.submit(queue, job)
                _tick(asked)
                if job.id in left:  # accepted before, killed before it was written down
                    room.release()
                else:
                    answers.create_task(show(job, ""))


def _questions(place: RunFolder, reader: str) -> Iterator[Job]:
    for number in count(place.accepted_questions(reader).stat().st_size):
        if place.stop_file.exists():
            return
        yield make_question(reader, number)


def _counter(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _tick(counter: int) -> None:
    os.write(counter, b".")
