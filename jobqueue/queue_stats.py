"""What an operator wants to know of a shard at a glance, and of one job in detail."""

from dataclasses import dataclass
from typing import Any

from jobqueue.errors import UnknownJob
from jobqueue.queue import JobQueue
from jobqueue.schema import AnyEvent, Job, WorkerStatus, decode_event, decode_job


@dataclass(frozen=True, slots=True)
class CapabilityStats:
    name: str
    waiting: int
    running: int
    service_ms: float | None  # measured average of a job, from claim to finish
    tokens: float | None  # measured average of a job


@dataclass(frozen=True, slots=True)
class QueueStats:
    jobs: int  # waiting or running
    capabilities: tuple[CapabilityStats, ...]
    servers: tuple[tuple[str, int], ...]  # and their jobs, most first
    workers: tuple[WorkerStatus, ...]
    dead: int
    memory: int  # bytes
    memory_limit: int  # bytes; 0 is none


@dataclass(frozen=True, slots=True)
class JobDetail:
    job: Job
    record: dict[str, str]  # the rest of the job's hash
    events: tuple[tuple[str, int, int, AnyEvent], ...]  # id, attempt, seq


async def load_queue_stats(queue: JobQueue) -> QueueStats:
    scripts = queue.scripts
    workers = await queue.list_workers()
    held = await scripts.retry(lambda: scripts.redis.hgetall(scripts.key("held")))
    counts = {name.decode(): int(count) for name, count in held.items()}
    waiting, running = _with_prefix(counts, "queued:"), _with_prefix(counts, "running:")
    names = waiting.keys() | running.keys()
    names |= {capability for worker in workers for capability in worker.capabilities}
    servers = _with_prefix(counts, "server:")
    memory = await scripts.retry(lambda: scripts.redis.info("memory"))
    return QueueStats(
        jobs=sum(servers.values()),
        capabilities=tuple(
            [
                await _capability(queue, name, waiting.get(name, 0), running.get(name, 0))
                for name in sorted(names)
            ]
        ),
        servers=tuple(sorted(servers.items(), key=lambda item: (-item[1], item[0]))),
        workers=tuple(workers),
        dead=await scripts.retry(lambda: scripts.redis.xlen(scripts.key("dead"))),
        memory=memory["used_memory"],
        memory_limit=memory["maxmemory"],
    )


async def load_job_detail(queue: JobQueue, job_id: str) -> JobDetail:
    """Raises `UnknownJob` when there is no such job or its record has expired."""
    scripts = queue.scripts

    async def read() -> tuple[dict[bytes, bytes], list[tuple[bytes, dict[bytes, bytes]]]]:
        async with scripts.redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(scripts.key("job", job_id))
            pipe.xrange(scripts.key("events", job_id))
            record, entries = await pipe.execute()
            return record, entries

    raw, entries = await scripts.retry(read)
    if not raw:
        raise UnknownJob(job_id)
    record = {name.decode(): value.decode() for name, value in raw.items()}
    return JobDetail(
        job=decode_job(record.pop("body")),
        record=record,
        events=tuple(_event(entry_id, fields) for entry_id, fields in entries),
    )


async def _capability(queue: JobQueue, name: str, waiting: int, running: int) -> CapabilityStats:
    scripts = queue.scripts
    raw: dict[bytes, bytes] = await scripts.retry(
        lambda: scripts.redis.hgetall(scripts.key("pace", name))
    )
    pace = {field.decode(): float(value) for field, value in raw.items()}
    return CapabilityStats(
        name=name,
        waiting=waiting,
        running=running,
        service_ms=pace.get("service"),
        tokens=pace.get("tokens"),
    )


def _with_prefix(counts: dict[str, int], prefix: str) -> dict[str, int]:
    return {k.removeprefix(prefix): n for k, n in counts.items() if k.startswith(prefix)}


def _event(entry_id: bytes, fields: dict[bytes, Any]) -> tuple[str, int, int, AnyEvent]:
    return (
        entry_id.decode(),
        int(fields[b"attempt"]),
        int(fields[b"seq"]),
        decode_event(fields[b"event"]),
    )
