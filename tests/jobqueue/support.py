"""Helpers of the queue's tests."""

from itertools import count
from typing import Any

from jobqueue.queue import JobQueue, Lease, LeaseStatus
from jobqueue.schema import Finished, Job, Turn

_nonces = count()


class Clock:
    """A clock that the scripts use in place of the server's."""

    def __init__(self) -> None:
        self.now = 1_000_000_000_000

    def __call__(self) -> int:
        return self.now

    def advance(self, milliseconds: int) -> None:
        self.now += milliseconds


def make_job(name: str = "j1", **fields: object) -> Job:
    """Make a question; `fields` are those that matter to the test."""
    defaults: dict[str, object] = {
        "id": name,
        "channel": "general",
        "user": "ada",
        "user_name": str(fields.get("user", "ada")).title(),
        "server": "guild",
        "prompt": f"question {name}",
        "reader": "bot-0",
        "ttl_ms": 600_000,
    }
    return Job(**(defaults | fields))  # type: ignore[arg-type]


def make_turn(job: Job, answer: str = "yes", tokens: int = 10) -> Turn:
    return Turn(
        job=job.id,
        user=job.user,
        user_name=job.user_name,
        prompt=job.prompt,
        answer=answer,
        completion_tokens=tokens,
    )


async def claim(
    queue: JobQueue, slots: int = 1, *capabilities: str, worker: str = "worker-0"
) -> list[Lease]:
    return await queue.claim(worker, slots, capabilities or ("chat",), f"nonce-{next(_nonces)}")


async def claim_one(queue: JobQueue) -> Lease:
    [lease] = await claim(queue)
    return lease


async def finish(
    queue: JobQueue, lease: Lease, answer: str = "yes", tokens: int = 10
) -> LeaseStatus:
    event = Finished(text=answer, completion_tokens=tokens)
    return await queue.finish(lease, 0, event, make_turn(lease.job, answer, tokens))


async def read_events(queue: JobQueue, job_id: str) -> list[bytes]:
    """Read the job's stream from Redis."""
    entries: Any = await queue.scripts.redis.xrange(queue.scripts.key("events", job_id))
    return [fields[b"event"] for _, fields in entries]
