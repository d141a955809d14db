"""The system at this moment, and where the time of its latest questions went: for the page."""

from msgspec import to_builtins
from msgspec.structs import asdict

from jobqueue.job_timeline import JobTimeline, load_timelines
from jobqueue.queue import JobQueue
from jobqueue.queue_stats import load_queue_stats
from playground.discord.json_types import Json

MAX_QUESTIONS = 8
MAX_PROMPT = 80  # characters of a question that are shown


async def read_queue_view(queue: JobQueue, reader: str) -> Json:
    """`questions` newest first, and the fields of `Overview`. Raises `QueueError`."""
    seen = await load_queue_stats(queue)
    now: Json = to_builtins(seen)
    now["workers"] = [asdict(worker) for worker in seen.workers]  # defaults, too
    now["questions"] = [
        _build_question(course) for course in await load_timelines(queue, reader, MAX_QUESTIONS)
    ]
    return now


def _build_question(course: JobTimeline) -> Json:
    """Durations in ms; None where it has not come so far."""
    told: Json = to_builtins(course)
    del told["job"]
    job = course.job
    words = " ".join(job.prompt.split())
    return told | {
        "id": job.id,
        "who": job.user_name,
        "prompt": words if len(words) <= MAX_PROMPT else f"{words[:MAX_PROMPT]}…",
        "capability": job.capability,
    }
