"""The job queue: what may happen to a job, as one script per transition.

    submit ──► queued ──claim──► running ──finish──► done | failed
                 ▲  │               │ │
                 │  └─cancel, deadline│──► failed
                 └──release, lease expired (reap)──┘

A channel's jobs run one at a time and in order; servers share the workers by the tokens they
use. Every claim raises the job's fence, and what is written under an older fence is refused.
All calls raise `QueueUnavailable` when Redis stays away longer than the policy's patience; every
one may then be repeated without harm.
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
    Event,
    Failed,
    Finished,
    Job,
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
    duplicate: bool  # this id was submitted before; the first submission counts
    position: int  # jobs likely to be taken before it; 0 is running or next
    estimate_ms: int | None  # until it starts, by the measured pace; None: nothing measured yet


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to answer `job` until the lease runs out; each emit renews it."""

    job: Job
    attempt: int  # from 1; goes up when a lease has expired
    fence: int  # goes up with every claim
    waited_ms: int = field(default=0, compare=False)  # from submission to this claim


class LeaseStatus(Enum):
    """What a worker should do about its attempt, most urgent last."""

    CONTINUE = "continue"
    DEADLINE = "deadline"  # nobody can receive more: finish with what there is
    CANCEL = "cancel"  # the person pressed Stop: finish with what there is
    LOST = "lost"  # the attempt is somebody else's now: drop it, write nothing


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
    """One shard of the queue. Safe to share between tasks; the connection stays the caller's."""

    def __init__(
        self,
        redis: Redis,
        *,
        policy: Policy | None = None,
        shard: str = "main",
        clock: Clock | None = None,
    ) -> None:
        """`clock` is for tests; without it only the Redis server's clock counts."""
        self.policy = policy or Policy()
        self.scripts = Scripts(redis, shard, self.policy, clock)

    # --- asking ---------------------------------------------------------------------------------

    async def submit(self, job: Job) -> Receipt:
        """Accept a job once, however often it is submitted.

        Raises:
            QueueFull: a limit is reached, or Redis is out of memory.
        """
        return await self.resubmit(job, "")

    async def resubmit(self, job: Job, dead_letter: str) -> Receipt:
        """`submit`, in place of the dead letter with this id, in one step."""
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
            return await self._receipt_without_memory(job.id, error)
        if outcome == b"full":
            scope, waiting, limit = rest
            raise QueueFull(scope.decode(), waiting, limit)
        state, duplicate, position, estimate = rest
        return Receipt(
            JobState(state.decode()), bool(duplicate), position, _none_if_negative(estimate)
        )

    async def _receipt_without_memory(self, job_id: str, error: OutOfMemoryError) -> Receipt:
        """The first submission may have been accepted before memory ran out."""
        try:
            known = await self.get_status(job_id)
        except UnknownJob:
            raise QueueFull("memory", 0, 0) from error
        return Receipt(known.state, True, known.position, known.estimate_ms)

    async def get_status(self, job_id: str) -> JobStatus:
        """Raises `UnknownJob` when there is no such job or its record has expired."""
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
        """As it was submitted. Raises `UnknownJob` when its record has expired."""
        record = self.scripts.key("job", job_id)
        body: bytes | None = await self.scripts.call("HGET", record, "body")
        job = None if body is None else decode_job_or_none(body)
        if job is None:
            raise UnknownJob(job_id)
        return job

    async def cancel(self, job_id: str) -> JobState:
        """Stop a job. A waiting one fails at once; a running one's worker hears of it at its next
        emit, and this returns RUNNING.

        Raises:
            UnknownJob: no such job, or its record has expired.
        """
        state = await self.scripts.run("cancel", job_id)
        if state is None:
            raise UnknownJob(job_id)
        return JobState(state.decode())

    # --- answering ------------------------------------------------------------------------------

    async def claim(
        self, worker: str, slots: int, capabilities: Collection[str], nonce: str
    ) -> list[Lease]:
        """Take at most `slots` jobs. The same `nonce` again gives the same leases again, so use a
        new one for every claim that is meant as a new one.

        A job that this version cannot read is left out: its lease lapses, so that another version
        may take it, or the attempts run out, while everything else goes on.
        """
        if slots < 1 or not capabilities:
            return []
        replies = await self.scripts.run("claim", worker, nonce, slots, *sorted(capabilities))
        return [lease for reply in replies if (lease := _decode_lease(*reply))]

    async def wait_for_work(self, capabilities: Collection[str], timeout_s: float) -> None:
        """Return when a claim may find something, at the latest after `timeout_s` or 2 s: a
        wake-up may be lost with the worker that got it."""
        marks = [self.scripts.key("mark", capability) for capability in sorted(capabilities)]
        timeout = min(max(timeout_s, 0.01), BLOCK_MS / 1000)
        try:
            await await_cancellable(self.scripts.redis.bzpopmin(marks, timeout=timeout))
        except (*TRANSIENT_ERRORS, ResponseError):
            await pause_after_outage(min(timeout, 0.5))

    async def emit(self, lease: Lease, seq: int, events: Sequence[Event]) -> LeaseStatus:
        """Write an attempt's events, renew its lease and learn how it stands.

        The first event of an attempt is `Started`. `seq` numbers the first of `events`, from 0 in
        each attempt; what was written already is skipped. No events: a renewal alone.
        """
        verdict = await self.scripts.run(
            "emit", lease.job.id, lease.fence, seq, *(encode(event) for event in events)
        )
        return LeaseStatus(verdict.decode())

    async def finish(
        self, lease: Lease, seq: int, event: Finished | Failed, turn: Turn | None
    ) -> LeaseStatus:
        """End the attempt: its last event, the channel's turn and the channel's next job in one
        step. LOST means that nothing was written; otherwise CONTINUE."""
        done = isinstance(event, Finished)
        tokens = event.prompt_tokens + event.completion_tokens if isinstance(event, Finished) else 0
        verdict = await self.scripts.run(
            "finish",
            lease.job.id,
            lease.fence,
            seq,
            JobState.DONE if done else JobState.FAILED,
            encode(event),
            encode(replace(turn, parent=None)) if turn is not None else "",
            HEAD if turn is None or turn.parent is None else turn.parent,
            max(tokens, 1),
        )
        return LeaseStatus(verdict.decode())

    async def release(self, lease: Lease) -> None:
        """Give the job back to the front of its channel; the attempt does not count."""
        await self.scripts.run("release", lease.job.id, lease.fence)

    async def give_up(self, lease: Lease) -> None:
        """End an attempt that failed through no fault of its job: it counts, and the next `reap`
        offers the job again or buries it."""
        await self.scripts.run("give_up", lease.job.id, lease.fence)

    async def reap(self) -> ReapCounts:
        """Requeue what dead workers held, bury what failed too often, end what is past its
        deadline. Any worker calls it every second or so."""
        return ReapCounts(*await self.scripts.run("reap"))

    async def announce(self, status: WorkerStatus) -> None:
        await self.scripts.run("announce", status.worker, encode(status))

    async def list_workers(self) -> list[WorkerStatus]:
        """Workers that announced themselves lately, by name."""
        found = []
        for status in await self.scripts.run("workers"):
            try:
                found.append(decode_worker(status))
            except DecodeError as error:  # damaged, or of another version
                log.warning("a worker's status cannot be read", extra={"error": str(error)})
        return sorted(found, key=lambda status: status.worker)

    # --- delivering -----------------------------------------------------------------------------

    async def list_undelivered(self, reader: str) -> list[tuple[Job, str]]:
        """A reader's jobs, waiting ones included, that were not `delivered`, oldest first; with
        each the note last recorded, or an empty one."""
        pairs = await self.scripts.run("undelivered", reader)
        read = [(decode_job_or_none(body), note.decode()) for body, note in pairs]
        return [(job, note) for job, note in read if job is not None]

    async def note_delivery(self, job_id: str, note: str) -> None:
        """Keep the reader's own words on what it has shown so far."""
        await self.scripts.run("note", job_id, note)

    async def mark_delivered(self, job_id: str, job: Job | None = None) -> None:
        """End the job's delivery. Given the job itself, of a question that is done only the
        beginning is kept: its turn and its answer's record hold all of it."""
        await self.scripts.run("delivered", job_id, encode(_short(job)) if job else "")


def decode_job_or_none(body: bytes) -> Job | None:
    """None where it is damaged or of another version: the others go on without it."""
    try:
        return decode_job(body)
    except DecodeError as error:
        log.error("a job cannot be read", extra={"error": str(error)})
        return None


def _short(job: Job) -> Job:
    return replace(job, prompt=job.prompt[:DELIVERED_PROMPT_CHARS], order=None)


def _decode_lease(attempt: int, fence: int, body: bytes, waited_ms: int) -> Lease | None:
    job = decode_job_or_none(body)
    return None if job is None else Lease(job, attempt, fence, waited_ms)


def _none_if_negative(estimate_ms: int) -> int | None:
    return None if estimate_ms < 0 else estimate_ms
