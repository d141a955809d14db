"""The latest questions of one bot process, and where the time of each went."""

from dataclasses import dataclass

from msgspec import DecodeError

from jobqueue.errors import UnknownJob
from jobqueue.queue import JobQueue
from jobqueue.queue_stats import JobDetail, load_job_detail
from jobqueue.schema import TERMINAL_EVENTS, AnyEvent, Failed, Finished, Job, JobState, Started


@dataclass(frozen=True, slots=True)
class JobTimeline:
    """Of one question. Times are the server's, in ms since 1970."""

    job: Job
    state: JobState
    attempts: int
    asked: int
    begun: int | None  # by the worker that has it now, or had it last
    first: int | None  # anything to see, in that attempt
    ended: int | None
    tokens: int  # that were written
    failure: str  # its code, or empty


async def load_timelines(queue: JobQueue, reader: str, count: int = 10) -> list[JobTimeline]:
    """Newest first: what waits or runs, and what was delivered while its events are kept."""
    found = []
    for job_id in await _job_ids(queue, reader, count):
        try:
            found.append(_build_timeline(await load_job_detail(queue, job_id)))
        except (UnknownJob, DecodeError):  # expired, or of another version
            continue
    return sorted(found, key=lambda course: course.asked, reverse=True)[:count]


async def _job_ids(queue: JobQueue, reader: str, count: int) -> set[str]:
    scripts = queue.scripts

    async def read() -> tuple[list[bytes], list[bytes]]:
        async with scripts.redis.pipeline(transaction=False) as pipe:
            pipe.zrevrange(scripts.key("undelivered", reader), 0, count - 1)
            pipe.zrevrange(scripts.key("delivered", reader), 0, count - 1)
            waiting, delivered = await pipe.execute()
            return waiting, delivered

    waiting, delivered = await scripts.retry(read)
    return {name.decode() for name in (*waiting, *delivered)}


def _build_timeline(detail: JobDetail) -> JobTimeline:
    record = detail.record
    events = _events_of_last_run(detail)
    begun = int(record["claimed"]) if "claimed" in record else None
    first = next((at for at, event in events if not isinstance(event, Started | Failed)), None)
    last = events[-1] if events and isinstance(events[-1][1], TERMINAL_EVENTS) else None
    return JobTimeline(
        job=detail.job,
        state=JobState(record["state"]),
        attempts=int(record["attempt"]),
        asked=int(record["submitted"]),
        begun=begun,
        first=first,
        ended=last[0] if last else None,
        tokens=_tokens(last[1]) if last else 0,
        failure=last[1].code if last and isinstance(last[1], Failed) else "",
    )


def _events_of_last_run(detail: JobDetail) -> list[tuple[int, AnyEvent]]:
    """Return the last run's events with their times in ms.

    Every run numbers its events from 0, and `seq` in the record is the next number. Times cannot
    tell the runs apart: one may end and the next begin within the same millisecond.
    """
    if not JobState(detail.record["state"]).is_terminal and int(detail.record["seq"]) == 0:
        return []
    numbers = [seq for _, _, seq, _ in detail.events]
    begin = max((n for n, seq in enumerate(numbers) if seq == 0), default=0)
    return [(int(id_.partition("-")[0]), event) for id_, _, _, event in detail.events[begin:]]


def _tokens(event: AnyEvent) -> int:
    return event.completion_tokens if isinstance(event, Finished) else 0
