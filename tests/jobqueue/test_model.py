"""The scripts against a plain Python model, under a clock of our own.

Every command is randomly sent once, sent twice, or sent with its reply dropped and repeated, as a
client does whose connection broke. Whatever the order, the queue must agree with the model.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from jobqueue.errors import QueueFull
from jobqueue.history import History
from jobqueue.queue import JobLimits, JobQueue, Lease, LeaseStatus, Policy, ReapCounts
from jobqueue.redis_client import connect
from jobqueue.schema import Delta, Failed, FailureCode, Finished, JobState
from tests.jobqueue.support import Clock, make_job, make_turn

LIMITS = JobLimits(per_user=4, per_channel=3, per_server=6, total=8)
POLICY = Policy(lease_ms=1_000, max_attempts=2, limits=LIMITS, history_turns=4)
TTL_MS = 8_000
CHANNELS = {"c0": "s0", "c1": "s0", "c2": "s1"}  # and the server of each
T = TypeVar("T")


@dataclass
class Record:
    """What the model knows of a job."""

    name: str
    channel: str
    user: str
    deadline: int
    state: JobState = JobState.QUEUED
    attempt: int = 0
    fence: int = 0
    lease_until: int = 0
    cancelled: bool = False
    settled: int = 0  # the fence under which its worker finished it
    forgotten: bool = False
    said: list[str] = field(default_factory=list)  # its events, in short
    written: int = 0  # events of this attempt

    @property
    def server(self) -> str:
        return CHANNELS[self.channel]

    def end(self, state: JobState, event: str) -> None:
        self.state = state
        self.said.append(event)

    def held_by(self, lease: Lease) -> bool:
        return self.state is JobState.RUNNING and self.fence == lease.fence


class Model:
    """The queue's promises, without Redis, fairness or repetition."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.jobs: dict[str, Record] = {}
        self.history: dict[str, list[str]] = {channel: [] for channel in CHANNELS}

    @property
    def now(self) -> int:
        return self._clock.now

    def active(self, **fields: str) -> list[Record]:
        return [
            job
            for job in self.jobs.values()
            if not job.state.is_terminal
            and all(getattr(job, name) == value for name, value in fields.items())
        ]

    def lane(self, channel: str) -> list[Record]:
        return self.active(channel=channel)

    def refusal(self, user: str, channel: str) -> str | None:
        server = CHANNELS[channel]
        counts = {
            "user": (len(self.active(user=user)), LIMITS.per_user),
            "channel": (len(self.lane(channel)), LIMITS.per_channel),
            "server": (len(self.active(server=server)), LIMITS.per_server),
            "total": (len(self.active()), LIMITS.total),
        }
        return next((scope for scope, (n, limit) in counts.items() if n >= limit), None)

    def submit(self, name: str, user: str, channel: str) -> None:
        self.jobs[name] = Record(name, channel, user, self.now + TTL_MS)

    def claimable(self) -> set[str]:
        heads = [lane[0] for channel in CHANNELS if (lane := self.lane(channel))]
        return {head.name for head in heads if head.state is JobState.QUEUED}

    def lease(self, name: str) -> Record:
        job = self.jobs[name]
        job.state, job.written = JobState.RUNNING, 0
        job.attempt += 1
        job.fence += 1
        job.lease_until = self.now + POLICY.lease_ms
        return job

    def emit(self, lease: Lease, seq: int, texts: list[str]) -> LeaseStatus:
        job = self.jobs[lease.job.id]
        if not job.held_by(lease) or seq > job.written:
            return LeaseStatus.LOST
        fresh = texts[job.written - seq :]
        job.said += fresh
        job.written += len(fresh)
        job.lease_until = self.now + POLICY.lease_ms
        if job.cancelled:
            return LeaseStatus.CANCEL
        return LeaseStatus.DEADLINE if self.now >= job.deadline else LeaseStatus.CONTINUE

    def finish(self, lease: Lease, state: JobState) -> LeaseStatus:
        job = self.jobs[lease.job.id]
        if job.settled == lease.fence:
            return LeaseStatus.CONTINUE
        if not job.held_by(lease):
            return LeaseStatus.LOST
        job.settled = lease.fence
        job.end(state, "end")
        if state is JobState.DONE and not job.forgotten:
            turns = self.history[job.channel]
            turns.append(job.name)
            del turns[: -POLICY.history_turns]
        return LeaseStatus.CONTINUE

    def release(self, lease: Lease) -> None:
        job = self.jobs[lease.job.id]
        if not job.held_by(lease):
            return
        if job.cancelled:
            job.end(JobState.FAILED, "cancelled")
        else:
            job.state = JobState.QUEUED
            job.attempt -= 1

    def cancel(self, name: str) -> JobState:
        job = self.jobs[name]
        if job.state is JobState.RUNNING:
            job.cancelled = True
        elif job.state is JobState.QUEUED:
            job.end(JobState.FAILED, "cancelled")
        return job.state

    def reap(self) -> ReapCounts:
        requeued = dead = expired = 0
        for job in [j for j in self.active(state=JobState.RUNNING) if self.now >= j.lease_until]:
            if job.cancelled:
                job.end(JobState.FAILED, "cancelled")
            elif job.attempt >= POLICY.max_attempts:
                job.end(JobState.FAILED, "dead")
                dead += 1
            else:
                job.state = JobState.QUEUED
                requeued += 1
        for job in self.active():
            grace = POLICY.lease_ms if job.state is JobState.RUNNING else 0
            if self.now >= job.deadline + grace:
                job.end(JobState.FAILED, "deadline")
                expired += 1
        return ReapCounts(requeued, dead, expired)

    def clear(self, channel: str) -> int:
        for job in self.lane(channel)[:1]:
            job.forgotten |= job.state is JobState.RUNNING
        turns = len(self.history[channel])
        self.history[channel] = []
        return turns


def short(event: bytes) -> str:
    """An event of the stream as the model writes it."""
    for name in ("deadline", "cancelled", "dead"):
        if f'"code":"{name}"'.encode() in event:
            return name
    return "end" if b'"finished"' in event or b'"failed"' in event else event.decode()[-5:-2]


some_channel = st.sampled_from(sorted(CHANNELS))
deliveries = st.sampled_from(["once", "once", "twice", "reply lost"])


class QueueMachine(RuleBasedStateMachine):
    url = ""
    leases: Bundle[Lease] = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.clock = Clock()
        self.redis = connect(self.url)
        self.queue = JobQueue(self.redis, policy=POLICY, clock=self.clock)
        self.history = History(self.redis)
        self.model = Model(self.clock)
        self.names = count()
        self.do(self.redis.flushall)

    def do(self, call: Callable[[], Awaitable[Any]]) -> Any:
        async def awaited() -> Any:
            return await call()

        return self.loop.run(awaited())

    def send(self, delivery: str, call: Callable[[], Awaitable[T]]) -> T:
        """The reply a caller gets in the end, whichever way the command went."""
        if delivery == "once":
            reply: T = self.do(call)
            return reply
        first: T = self.do(call)
        second: T = self.do(call)
        return first if delivery == "twice" else second

    def teardown(self) -> None:
        self.do(self.redis.aclose)
        self.loop.close()

    @rule(
        channels=st.lists(st.sampled_from(sorted(CHANNELS)), min_size=1, max_size=3), how=deliveries
    )
    def submit(self, channels: list[str], how: str) -> None:
        for channel in channels:
            self.submit_one(channel, how)

    def submit_one(self, channel: str, how: str) -> None:
        number = next(self.names)
        name, user = f"j{number:03}", "ab"[number % 2]
        job = make_job(name, channel=channel, user=user, server=CHANNELS[channel], ttl_ms=TTL_MS)
        refusal = self.model.refusal(user, channel)
        if refusal is None:
            receipt = self.send(how, lambda: self.queue.submit(job))
            assert (receipt.state, receipt.duplicate) == (JobState.QUEUED, how == "reply lost")
            self.model.submit(name, user, channel)
        else:
            with pytest.raises(QueueFull) as full:
                self.send(how, lambda: self.queue.submit(job))
            assert full.value.scope == refusal

    @rule(target=leases, slots=st.integers(1, 3), how=deliveries)
    def claim(self, slots: int, how: str) -> Any:
        nonce = f"n{next(self.names)}"
        leases = self.send(how, lambda: self.queue.claim("w", slots, ["chat"], nonce))
        self.expire_as_far_as_the_claim_went()
        possible = self.model.claimable()
        assert len(leases) == min(slots, len(possible))
        for lease in leases:
            assert lease.job.id in possible
            record = self.model.lease(lease.job.id)
            assert (lease.attempt, lease.fence) == (record.attempt, record.fence)
        return multiple(*leases)

    def expire_as_far_as_the_claim_went(self) -> None:
        """A claim stops when its slots are full; which late jobs it met is its own affair."""
        for job in self.model.active(state=JobState.QUEUED):
            if self.model.now >= job.deadline:
                status = self.do(lambda name=job.name: self.queue.get_status(name))  # type: ignore[misc]
                if status.state is JobState.FAILED:
                    job.end(JobState.FAILED, "deadline")

    @rule(lease=leases, ahead=st.integers(-2, 1), size=st.integers(0, 3), how=deliveries)
    def emit(self, lease: Lease, ahead: int, size: int, how: str) -> None:
        seq = max(self.model.jobs[lease.job.id].written + ahead, 0)
        texts = [f"{lease.fence}{n:02}"[-3:] for n in range(seq, seq + size)]
        events = [Delta(text=text) for text in texts]
        verdict = self.send(how, lambda: self.queue.emit(lease, seq, events))
        assert verdict is self.model.emit(lease, seq, texts)

    @rule(lease=leases, good=st.booleans(), how=deliveries)
    def finish(self, lease: Lease, good: bool, how: str) -> None:
        event = Finished(text="x") if good else Failed(code=FailureCode.ENGINE)
        turn = make_turn(lease.job) if good else None
        seq = self.model.jobs[lease.job.id].written
        verdict = self.send(how, lambda: self.queue.finish(lease, seq, event, turn))
        assert verdict is self.model.finish(lease, JobState.DONE if good else JobState.FAILED)

    @rule(lease=consumes(leases), how=deliveries)
    def release(self, lease: Lease, how: str) -> None:
        self.send(how, lambda: self.queue.release(lease))
        self.model.release(lease)

    @rule(data=st.data(), how=deliveries)
    def cancel(self, data: st.DataObject, how: str) -> None:
        if not self.model.jobs:
            return
        name = data.draw(st.sampled_from(sorted(self.model.jobs)))
        state = self.send(how, lambda: self.queue.cancel(name))
        assert state is self.model.cancel(name)

    @rule(milliseconds=st.sampled_from([0, 400, 400, 3_000]))
    def pass_time(self, milliseconds: int) -> None:
        self.clock.advance(milliseconds)
        self.reap("once")

    @rule(how=deliveries)
    def lapse(self, how: str) -> None:
        """Every running job's worker is silent for a lease."""
        self.clock.advance(POLICY.lease_ms)
        self.reap(how)

    def reap(self, how: str) -> None:
        expected = self.model.reap()
        reaped = self.send(how, self.queue.reap)
        assert reaped == (ReapCounts(0, 0, 0) if how == "reply lost" else expected)

    @rule(channel=some_channel, how=deliveries)
    def clear(self, channel: str, how: str) -> None:
        expected = self.model.clear(channel)
        assert self.send(how, lambda: self.history.clear(channel)) in (expected, 0)

    @invariant()
    def redis_agrees(self) -> None:
        self.do(self._compare)

    async def _compare(self) -> None:
        await self._compare_jobs()
        await self._compare_counts()
        for channel, turns in self.model.history.items():
            loaded = await self.history.load(channel)
            assert [turn.job for turn in loaded.turns] == turns

    async def _compare_jobs(self) -> None:
        jobs = list(self.model.jobs.values())
        found = await asyncio.gather(*(self.queue.get_status(job.name) for job in jobs))
        async with self.redis.pipeline(transaction=False) as pipe:
            for job in jobs:
                pipe.xrange(self.queue.scripts.key("events", job.name))
            streams = await pipe.execute()
        for job, status, stream in zip(jobs, found, streams, strict=True):
            said = [short(fields[b"event"]) for _, fields in stream]
            assert (job.name, status.state, status.attempt, said) == (
                job.name,
                job.state,
                job.attempt,
                job.said,
            )

    async def _compare_counts(self) -> None:
        """What is counted beside the jobs is what counting them gives."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(self.queue.scripts.key("held"))
            pipe.zcard(self.queue.scripts.key("deadlines"))
            pipe.hkeys(self.queue.scripts.key("estimated", "chat"))
            pipe.zrange(self.queue.scripts.key("account", "chat"), 0, -1)
            held, total, estimated, accounts = await pipe.execute()
        active, running = self.model.active(), self.model.active(state=JobState.RUNNING)
        assert total == len(active)
        assert int(held.get(b"queued:chat", 0)) == len(active) - len(running)
        assert int(held.get(b"running:chat", 0)) == len(running)
        for user in "ab":
            owned = [job for job in active if job.user == user]
            assert int(held.get(f"user:{user}".encode(), 0)) == len(owned)
        assert {server.decode() for server in estimated} == {job.server for job in running}
        assert {server.decode() for server in accounts} == {job.server for job in active}


def test_the_scripts_agree_with_the_model(redis_url: str) -> None:
    QueueMachine.url = redis_url
    run_state_machine_as_test(
        QueueMachine,
        settings=settings(
            max_examples=int(os.environ.get("COMMONROOM_EXAMPLES", "40")),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
