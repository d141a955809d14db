"""Statistics for operators: of a shard, of one job, and of a bot's latest questions."""

import asyncio
from dataclasses import dataclass
from typing import Any

from msgspec import DecodeError

from jobqueue.errors import UnknownJob
from jobqueue.queue import JobQueue
from jobqueue.schema import (
    TERMINAL_EVENTS,
    AnyEvent,
    Failed,
    Finished,
    Job,
    JobState,
    Started,
    WorkerStatus,
    decode_event,
    decode_job,
)


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
    servers: tuple[tuple[str, int], ...]  # with their number of jobs, most first
    workers: tuple[WorkerStatus, ...]
    dead: int
    memory: int  # bytes
    memory_limit: int  # bytes; 0: none


@dataclass(frozen=True, slots=True)
class JobDetail:
    job: Job
    record: dict[str, str]  # the rest of the job's hash
    events: tuple[tuple[str, int, int, AnyEvent], ...]  # id, attempt, seq


@dataclass(frozen=True, slots=True)
class JobTimeline:
    """The times of one question's stages, by the server's clock in ms since 1970."""

    job: Job
    state: JobState
    attempts: int
    submitted_ms: int
    claimed_ms: int | None  # by the latest worker
    first_output_ms: int | None  # in that attempt
    ended_ms: int | None
    tokens: int  # of the answer
    failure: str  # its code, or empty


async def load_queue_stats(queue: JobQueue) -> QueueStats:
    scripts = queue.scripts
    workers = await queue.list_workers()
    held, dead, memory = await asyncio.gather(
        scripts.call("HGETALL", scripts.key("held")),
        scripts.call("XLEN", scripts.key("dead")),
        scripts.retry(lambda: scripts.redis.info("memory")),
    )
    counts = {name.decode(): int(count) for name, count in held.items()}
    waiting, running = _select_prefix(counts, "queued:"), _select_prefix(counts, "running:")
    servers = _select_prefix(counts, "server:")
    names = waiting.keys() | running.keys()
    names |= {capability for worker in workers for capability in worker.capabilities}
    paces = await asyncio.gather(
        *(scripts.call("HGETALL", scripts.key("pace", name)) for name in sorted(names))
    )
    return QueueStats(
        jobs=sum(servers.values()),
        capabilities=tuple(
            CapabilityStats(
                name,
                waiting.get(name, 0),
                running.get(name, 0),
                service_ms=float(pace[b"service"]) if b"service" in pace else None,
                tokens=float(pace[b"tokens"]) if b"tokens" in pace else None,
            )
            for name, pace in zip(sorted(names), paces, strict=True)
        ),
        servers=tuple(sorted(servers.items(), key=lambda item: (-item[1], item[0]))),
        workers=tuple(workers),
        dead=dead,
        memory=memory["used_memory"],
        memory_limit=memory["maxmemory"],
    )


def _select_prefix(counts: dict[str, int], prefix: str) -> dict[str, int]:
    return {k.removeprefix(prefix): n for k, n in counts.items() if k.startswith(prefix)}


async def load_job_detail(queue: JobQueue, job_id: str) -> JobDetail:
    """Load a job's record and events.

    Raises:
        UnknownJob: there is no such job, or its record has expired.
    """
    scripts = queue.scripts
    raw, entries = await asyncio.gather(
        scripts.call("HGETALL", scripts.key("job", job_id)),
        scripts.call("XRANGE", scripts.key("events", job_id), "-", "+"),
    )
    if not raw:
        raise UnknownJob(job_id)
    record = {name.decode(): value.decode() for name, value in raw.items()}
    return JobDetail(
        job=decode_job(record.pop("body")),
        record=record,
        events=tuple(_decode_entry(entry_id, fields) for entry_id, fields in entries),
    )


def _decode_entry(entry_id: bytes, fields: dict[bytes, Any]) -> tuple[str, int, int, AnyEvent]:
    attempt, seq = int(fields[b"attempt"]), int(fields[b"seq"])
    return entry_id.decode(), attempt, seq, decode_event(fields[b"event"])


async def load_timelines(queue: JobQueue, reader: str, count: int = 10) -> list[JobTimeline]:
    """Load a bot process's latest questions, newest first.

    They are those that wait or run, and delivered ones while their events are kept.
    """
    scripts = queue.scripts
    waiting, delivered = await asyncio.gather(
        *(
            scripts.call("ZREVRANGE", scripts.key(kind, reader), 0, count - 1)
            for kind in ("undelivered", "delivered")
        )
    )
    timelines = []
    for job_id in {*waiting, *delivered}:
        try:
            timelines.append(_build_timeline(await load_job_detail(queue, job_id.decode())))
        except (UnknownJob, DecodeError):  # expired, or of another version
            continue
    return sorted(timelines, key=lambda timeline: timeline.submitted_ms, reverse=True)[:count]


def _build_timeline(detail: JobDetail) -> JobTimeline:
    record = detail.record
    events = _select_last_run(detail)
    shown = (at for at, event in events if not isinstance(event, Started | Failed))
    ended_ms, last = events[-1] if events else (None, None)
    has_ended = isinstance(last, TERMINAL_EVENTS)
    return JobTimeline(
        job=detail.job,
        state=JobState(record["state"]),
        attempts=int(record["attempt"]),
        submitted_ms=int(record["submitted"]),
        claimed_ms=int(record["claimed"]) if "claimed" in record else None,
        first_output_ms=next(shown, None),
        ended_ms=ended_ms if has_ended else None,
        tokens=last.completion_tokens if isinstance(last, Finished) else 0,
        failure=last.code if isinstance(last, Failed) else "",
    )


def _select_last_run(detail: JobDetail) -> list[tuple[int, AnyEvent]]:
    """Return the last run's events with their times in ms.

    Every run numbers its events from 0, and `seq` in the record is the next number. Times cannot
    tell the runs apart: one may end and the next begin within the same millisecond.
    """
    if not JobState(detail.record["state"]).is_terminal and int(detail.record["seq"]) == 0:
        return []
    numbers = [seq for _, _, seq, _ in detail.events]
    begin = max((n for n, seq in enumerate(numbers) if seq == 0), default=0)
    return [(int(id_.partition("-")[0]), event) for id_, _, _, event in detail.events[begin:]]
