"""A small conversation, as two processes that run it step by step and may die anywhere.

Channel `talk` gets three questions, the last of which a draining worker gives back once; in
channel `regret` the question is cancelled, whether that comes early or late.
"""

import asyncio
import itertools
from contextlib import aclosing, suppress
from pathlib import Path
from uuid import uuid4

from jobqueue.errors import UnknownJob
from jobqueue.event_reader import EventReader
from jobqueue.history import History
from jobqueue.policy import Policy
from jobqueue.queue import JobQueue, Lease, LeaseStatus
from jobqueue.redis_client import connect
from jobqueue.schema import Delta, Failed, FailureCode, Finished, Job, Started, Turn
from tests.faults import fake_bot
from tests.faults.message_log import MessageLog

POLICY = Policy(lease_ms=150, max_attempts=10, patience_ms=3_000)
TALK = ("talk-1", "talk-2", "talk-3")
REGRET = "regret-1"
HANDED_BACK = "talk-3"
IDLE_S = 0.05


def make_question(job_id: str) -> Job:
    return Job(
        id=job_id, channel=job_id.partition("-")[0], user="ada", user_name="Ada", server="guild",
        prompt=f"What about {job_id}?", reader="bot-0",
    )  # fmt: skip


def expected_reply(job: Job, turn: int) -> str:
    return f"[turn {turn}] {job.prompt}"


def run_bot(url: str, shard: str, wall: Path) -> None:
    asyncio.run(_bot(url, shard, MessageLog(wall)))


def run_worker(url: str, shard: str, wall: Path) -> None:
    asyncio.run(_work(url, shard, uuid4().hex))


async def _bot(url: str, shard: str, wall: MessageLog) -> None:
    """Take up what an earlier one left, ask what was not asked yet, end when all is shown."""
    redis = connect(url)
    queue = JobQueue(redis, policy=POLICY, shard=shard)
    async with aclosing(redis), EventReader(queue, "bot-0") as live:
        notes = {job.id: note for job, note in await queue.list_undelivered("bot-0")}
        for job_id in (*TALK, REGRET):
            await fake_bot.submit(queue, make_question(job_id))
        await queue.cancel(REGRET)
        for job_id in (*TALK, REGRET):
            await fake_bot.answer(queue, live, make_question(job_id), notes.get(job_id, ""), wall)


async def _work(url: str, shard: str, name: str) -> None:
    """Answer until nothing waits or runs."""
    redis = connect(url)
    queue, history = JobQueue(redis, policy=POLICY, shard=shard), History(redis, shard)
    async with aclosing(redis):
        for number in itertools.count():
            leases = await queue.claim(name, 1, ["chat"], f"{name}.{number}")
            for lease in leases:
                await _attempt(queue, history, lease)
            if not leases:
                await queue.reap()
                if await _all_done(queue):
                    return
                await asyncio.sleep(IDLE_S)


async def _attempt(queue: JobQueue, history: History, lease: Lease) -> None:
    job = lease.job
    if job.id == HANDED_BACK and lease.fence == 1:
        await queue.release(lease)
        return
    past = await history.load(job.channel)
    text = expected_reply(job, len(past.turns) + 1)
    pieces = [Started(attempt=lease.attempt), *(Delta(text=text[i : i + 9]) for i in (0, 9))]
    for seq, piece in enumerate(pieces):
        verdict = await queue.emit(lease, seq, [piece])
        if verdict is LeaseStatus.CANCEL:
            await queue.finish(lease, seq + 1, Failed(code=FailureCode.CANCELLED), None)
        if verdict is not LeaseStatus.CONTINUE:
            return
    rest = Delta(text=text[18:])
    await queue.emit(lease, len(pieces), [rest])
    turn = Turn(job=job.id, user=job.user, user_name="Ada", prompt=job.prompt, answer=text)
    await queue.finish(lease, len(pieces) + 1, Finished(text=text), turn)


async def _all_done(queue: JobQueue) -> bool:
    with suppress(UnknownJob):
        states = [await queue.get_status(job_id) for job_id in (*TALK, REGRET)]
        return all(status.state.is_terminal for status in states)
    return False
