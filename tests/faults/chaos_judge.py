"""Judges whether every question of a chaos run got exactly one answer, in order."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from redis.asyncio import Redis

from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from jobqueue.schema import TERMINAL_EVENTS, Job, decode_event
from tests.faults import message_log
from tests.faults.chaos_processes import POLICY, RunFolder, expected_answer, make_question
from tests.faults.message_log import LogLine


@dataclass
class ChaosVerdict:
    jobs: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)

    def examples(self) -> Iterator[str]:
        for name in ("lost", "doubled", "reordered", "left_over"):
            yield from (f"{name}: {example}" for example in getattr(self, name)[:5])


async def judge(url: str, place: RunFolder, readers: list[str]) -> ChaosVerdict:
    verdict = ChaosVerdict()
    shown = message_log.group_by_message(message_log.read_lines(place.message_log))
    redis = connect(url)
    try:
        for reader in readers:
            asked = place.accepted_questions(reader).stat().st_size
            jobs = [make_question(reader, number) for number in range(asked)]
            verdict.jobs += asked
            _judge_wall(jobs, shown, verdict)
            await _judge_history(jobs, redis, verdict)
        await _judge_rest(redis, readers, verdict)
    finally:
        await redis.aclose()
    return verdict


def _judge_wall(
    jobs: list[Job], shown: dict[str, dict[str, list[LogLine]]], verdict: ChaosVerdict
) -> None:
    spans: dict[str, list[tuple[str, str]]] = {}
    for job in jobs:
        messages = shown.get(job.id, {})
        complete = [line for lines in messages.values() for line in lines if line.complete]
        if not complete:
            verdict.lost.append(f"{job.id} is not shown whole")
            continue
        if len(messages) > 1 or len({line.text for line in complete}) > 1:
            verdict.doubled.append(f"{job.id} is shown as {messages}")
        if complete[-1].text != expected_answer(job):
            verdict.reordered.append(f"{job.id} is answered {complete[-1].text!r}")
        spans.setdefault(job.channel, []).append((complete[-1].first_id, complete[-1].last_id))
    for channel, turns in spans.items():
        for earlier, later in pairwise(turns):
            if _moment(earlier[1]) >= _moment(later[0]):
                verdict.reordered.append(f"{channel}: {later} began before {earlier} ended")


async def _judge_history(jobs: list[Job], redis: Redis, verdict: ChaosVerdict) -> None:
    history = History(redis, policy=POLICY)
    expected: dict[str, list[str]] = {}
    for job in jobs:
        expected.setdefault(job.channel, []).append(job.id)
    for channel, ids in expected.items():
        found = [turn.job for turn in (await history.load(channel)).turns]
        counts = Counter(found)
        verdict.lost += [f"{job_id} has no turn" for job_id in ids if job_id not in counts]
        verdict.doubled += [f"{job_id} has {n} turns" for job_id, n in counts.items() if n > 1]
        if [job_id for job_id in ids if job_id in counts] != [f for f in found if f in set(ids)]:
            verdict.reordered.append(f"history of {channel}: {found}")


async def _judge_rest(redis: Redis, readers: list[str], verdict: ChaosVerdict) -> None:
    """At rest the queue holds nothing any more, and nobody wrote behind an answer's end."""
    key = JobQueue(redis, policy=POLICY).scripts.key
    for index in ("leases", "deadlines", *(f"undelivered:{reader}" for reader in readers)):
        verdict.left_over += [f"{index}: {m!r}" for m in await redis.zrange(key(index), 0, -1)]
    async for lane in redis.scan_iter(key("lane", "*"), count=1_000):
        verdict.left_over.append(str(lane))
    async for events in redis.scan_iter(key("events", "*"), count=1_000):
        newest: list[tuple[bytes, dict[bytes, bytes]]] = await redis.xrevrange(events, count=1)  # type: ignore[assignment]
        if newest and not isinstance(decode_event(newest[0][1][b"event"]), TERMINAL_EVENTS):
            verdict.doubled.append(f"{events!r} goes on after its end")


def _moment(entry_id: str) -> tuple[int, ...]:
    return tuple(map(int, entry_id.split("-")))
