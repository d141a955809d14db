"""The job queue: the transitions of a job, one Lua script each.

    submit ──► queued ──claim──► running ──finish──► done | failed
                 ▲  │               │ │
                 │  └─cancel, deadline│──► failed
                 └──release, lease expired (reap)──┘

A channel's jobs run one at a time and in order. Servers share the workers by the tokens they use.
Every claim raises the job's fence, and writes under an older fence are refused.
All calls raise `QueueUnavailable` if Redis is away for longer than the policy's patience. Every
call may be repeated without harm.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum

from msgspec import DecodeError
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from jobqueue.errors import QueueFull, UnknownJob
from jobqueue.lua_runner import TRANSIENT_ERRORS, Clock, Scripts, pause_after_outage
from jobqueue.policy import JobLimits, Policy
from jobqueue.redis_client import BLOCK_MS, await_cancellable
from jobqueue.schema import (
    HEAD,
    Failed,
    Finished,
    Job,
    JobEvent,
    JobState,
    Turn,
    WorkerStatus,
    decode_job,
    decode_worker,
    encode,
)

__all__ = [
    "JobLimits",
    "JobQueue",
    "JobStatus",
    "Lease",
    "LeaseStatus",
    "Policy",
    "ReapCounts",
    "Receipt",
]

DELIVERED_PROMPT_CHARS = 2_000  # of a question that was answered

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    state: JobState
    duplicate: bool  # this id was submitted before; the first submission stands
    position: int  # jobs that will probably be claimed before it; 0: it runs or is next
    estimate_ms: int | None  # until it starts; None: nothing is measured yet


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to answer `job` until the lease runs out; each emit renews it."""

    job: Job
    attempt: int  # from 1; goes up when a lease has expired
    fence: int  # goes up with every claim
    waited_ms: int = field(default=0, compare=False)  # from submission to this claim


class LeaseStatus(Enum):
    """The state of a lease, which tells its worker what to do; the most urgent is last."""

    CONTINUE = "continue"
    DEADLINE = "deadline"  # its time is over: finish with the text so far
    CANCEL = "cancel"  # the person pressed Stop: finish with the text so far
    LOST = "lost"  # another worker has the job: drop the attempt, write nothing


@dataclass(frozen=True, slots=True)
class ReapCounts:
    requeued: int
    dead: int
    expired: int


@dataclass(frozen=True, slots=True)
class JobStatus:
    state: JobState
    position: int
    estimate_ms: int | None
    attempt: int
    job: Job


class JobQueue:
    """One shard of the queue. Tasks may share it; the caller closes the connection."""

    def __init__(
        self,
        redis: Redis,
        *,
        policy: Policy | None = None,
        shard: str = "main",
        clock: Clock | None = None,
    ) -> None:
        """Without `clock`, which is for tests, only the Redis server's clock counts."""
        self.policy = policy or Policy()
        self.scripts = Scripts(redis, shard, self.policy, clock)

    # --- for the bot: submitting -----------------------------------------------------------------

    async def submit(self, job: Job, *, dead_letter: str = "") -> Receipt:
        """Accept a job once, however often it is submitted; delete `dead_letter` in the same step.

        Raises:
            QueueFull: a limit is reached, or Redis is out of memory.
        """
        try:
            outcome, *rest = await self.scripts.run(
                "submit",
                job.id,
                encode(job),
                job.channel,
                job.user,
                job.server,
                job.reader,
                job.capability,
                job.ttl_ms,
                dead_letter,
                " ".join(file.sha256 for file in job.attachments),
            )
        except OutOfMemoryError as error:
            try:  # it may have been accepted before memory ran out
                known = await self.get_status(job.id)
            except UnknownJob:
                raise QueueFull("memory", 0, 0) from error
            return Receipt(known.state, True, known.position, known.estimate_ms)
        if outcome == b"full":
            scope, waiting, limit = rest
            raise QueueFull(scope.decode(), waiting, limit)
        state, duplicate, position, estimate = rest
        return Receipt(
            JobState(state.decode()), bool(duplicate), position, _none_if_negative(estimate)
        )

    async def get_status(self, job_id: str) -> JobStatus:
        """Return the job's state and position.

        Raises:
            UnknownJob: there is no such job, or its record has expired.
        """
        reply = await self.scripts.run("status", job_id)
        if reply is None:
            raise UnknownJob(job_id)
        state, position, estimate, attempt, body = reply[:5]
        return JobStatus(
            JobState(state.decode()),
            position,
            _none_if_negative(estimate),
            attempt,
            decode_job(body),
        )

    async def get_job(self, job_id: str) -> Job:
        """Return the job as it was submitted.

        Raises:
            UnknownJob: its record has expired.
        """
        record = self.scripts.key("job", job_id)
        body: bytes | None = await self.scripts.call("HGET", record, "body")
        job = None if body is None else decode_job_or_none(body)
        if job is None:
            raise UnknownJob(job_id)
        return job

    async def cancel(self, job_id: str) -> JobState:
        """Stop a job. A waiting one fails at once. The worker of a running one is notified at its
        next emit, and this returns RUNNING.

        Raises:
            UnknownJob: there is no such job, or its record has expired.
        """
        state = await self.scripts.run("cancel", job_id)
        if state is None:
            raise UnknownJob(job_id)
        return JobState(state.decode())

    # --- for workers ----------------------------------------------------------------------------

    async def claim(
        self, worker: str, slots: int, capabilities: Collection[str], nonce: str
    ) -> list[Lease]:
        """Claim at most `slots` jobs. The same `nonce` returns the same leases again; use a new one
        for each new claim.

        Jobs that this version cannot decode are left out. Their leases expire, so that a worker of
        another version may claim them, until their attempts are used up.
        """
        if slots < 1 or not capabilities:
            return []
        replies = await self.scripts.run("claim", worker, nonce, slots, *sorted(capabilities))
        return [lease for reply in replies if (lease := _decode_lease(*reply))]

    async def wait_for_work(self, capabilities: Collection[str], timeout_s: float) -> None:
        """Wait until a claim may find a job, at most `timeout_s` or 2 s.

        The limit is needed since a wake-up may be lost with the worker that received it.
        """
        marks = [self.scripts.key("mark", capability) for capability in sorted(capabilities)]
        timeout = min(max(timeout_s, 0.01), BLOCK_MS / 1000)
        try:
            await await_cancellable(self.scripts.redis.bzpopmin(marks, timeout=timeout))
        except (*TRANSIENT_ERRORS, ResponseError):
            await pause_after_outage(min(timeout, 0.5))

    async def emit(self, lease: Lease, seq: int, events: Sequence[JobEvent]) -> LeaseStatus:
        """Write an attempt's events, renew its lease and return how it stands.

        The first event of an attempt is `Started`. `seq` is the number of the first of `events`,
        from 0 in each attempt; events that were written before are skipped. Without events, this
        only renews the lease.
        """
        status = await self.scripts.run(
            "emit", lease.job.id, lease.fence, seq, *(encode(event) for event in events)
        )
        return LeaseStatus(status.decode())

    async def finish(
        self, lease: Lease, seq: int, event: Finished | Failed, turn: Turn | None
    ) -> LeaseStatus:
        """Write the last event and the channel's turn, and offer its next job, in one step.

        Returns LOST if nothing was written, else CONTINUE.
        """
        state, tokens = JobState.FAILED, 0
        if isinstance(event, Finished):
            state, tokens = JobState.DONE, event.prompt_tokens + event.completion_tokens
        status = await self.scripts.run(
            "finish",
            lease.job.id,
            lease.fence,
            seq,
            state,
            encode(event),
            encode(replace(turn, parent=None)) if turn is not None else "",
            HEAD if turn is None or turn.parent is None else turn.parent,
            max(tokens, 1),
        )
        return LeaseStatus(status.decode())

    async def release(self, lease: Lease) -> None:
        """Put the job back to the front of its channel; the attempt does not count."""
        await self.scripts.run("release", lease.job.id, lease.fence)

    async def give_up(self, lease: Lease) -> None:
        """End an attempt that failed through no fault of its job. It counts, and the next `reap`
        offers the job again or moves it to the dead letters."""
        await self.scripts.run("give_up", lease.job.id, lease.fence)

    async def reap(self) -> ReapCounts:
        """Requeue jobs of dead workers, move those that died too often to the dead letters, and end
        those past their deadline. Every worker calls it about once a second."""
        return ReapCounts(*await self.scripts.run("reap"))

    async def announce(self, status: WorkerStatus) -> None:
        await self.scripts.run("announce", status.worker, encode(status))

    async def list_workers(self) -> list[WorkerStatus]:
        """Return the workers that announced themselves recently, by name."""
        found = []
        for status in await self.scripts.run("workers"):
            try:
                found.append(decode_worker(status))
            except DecodeError as error:  # damaged, or of another version
                log.warning("a worker's status cannot be read", extra={"error": str(error)})
        return sorted(found, key=lambda status: status.worker)

    # --- for the bot: delivering ----------------------------------------------------------------

    async def list_undelivered(self, reader: str) -> list[tuple[Job, str]]:
        """Return a reader's jobs that are not delivered, also waiting ones, oldest first; each with
        its latest note, or an empty one."""
        pairs = await self.scripts.run("undelivered", reader)
        read = [(decode_job_or_none(body), note.decode()) for body, note in pairs]
        return [(job, note) for job, note in read if job is not None]

    async def note_delivery(self, job_id: str, note: str) -> None:
        """Store the reader's own note on what it has shown so far."""
        await self.scripts.run("note", job_id, note)

    async def mark_delivered(self, job_id: str, job: Job | None = None) -> None:
        """End the job's delivery. With `job`, the record of an answered question is shortened: its
        turn and its answer's record have the whole text."""
        body = b""
        if job is not None:
            body = encode(replace(job, prompt=job.prompt[:DELIVERED_PROMPT_CHARS], order=None))
        await self.scripts.run("delivered", job_id, body)


def decode_job_or_none(body: bytes) -> Job | None:
    """Decode a job; log an error and return None if it is damaged or of another version."""
    try:
        return decode_job(body)
    except DecodeError as error:
        log.error("a job cannot be read", extra={"error": str(error)})
        return None


def _decode_lease(attempt: int, fence: int, body: bytes, waited_ms: int) -> Lease | None:
    job = decode_job_or_none(body)
    return None if job is None else Lease(job, attempt, fence, waited_ms)


def _none_if_negative(estimate_ms: int) -> int | None:
    return None if estimate_ms < 0 else estimate_ms
