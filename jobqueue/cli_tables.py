"""The operator's tables. Of what people and models wrote only the length is shown."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from jobqueue.dead_letters import DeadLetter
from jobqueue.queue_stats import JobDetail, JobTimeline, QueueStats
from jobqueue.schema import (
    AnyEvent,
    ApprovalRequest,
    Delta,
    Failed,
    Finished,
    Progress,
    ReasoningDelta,
    Started,
    ToolCallDelta,
    ToolResult,
)

_TEXTS = {"result"}  # fields of a record that hold what somebody wrote
_TIMES = {"submitted", "deadline", "claimed"}
_TOP_SERVERS = 10


def render_queue_stats(now: QueueStats) -> RenderableType:
    limit = f" of {_mib(now.memory_limit)}" if now.memory_limit else ""
    summary = f"{now.jobs} jobs, {now.dead} dead letters, {_mib(now.memory)}{limit} of memory"
    return Group(Text(summary, style="bold"), _capabilities(now), _workers(now), _servers(now))


def render_job(detail: JobDetail) -> RenderableType:
    job = detail.job
    facts = _table("", job.id, show_header=False)
    for name in ("channel", "user", "server", "reader", "capability", "locale"):
        facts.add_row(name, Text(getattr(job, name)))
    facts.add_row("prompt", f"{len(job.prompt)} characters, {len(job.attachments)} attachments")
    for name, value in sorted(detail.record.items()):
        if not hasattr(job, name):
            facts.add_row(name, Text(_format_field(name, value)))
    events = _table("id", "attempt", "seq", "event")
    for entry_id, attempt, seq, event in detail.events:
        events.add_row(entry_id, str(attempt), str(seq), Text(_describe_event(event)))
    return Group(facts, events)


def render_dead_letters(letters: Iterable[DeadLetter]) -> RenderableType:
    table = _table("letter", "job", "server", "channel", "died", "attempts", "reason")
    for letter in letters:
        job = letter.job
        died, attempts = _time(letter.at_ms), str(letter.attempts)
        table.add_row(
            letter.id, job.id, job.server, job.channel, died, attempts, Text(letter.reason)
        )
    return table


def render_timelines(courses: Iterable[JobTimeline]) -> RenderableType:
    columns = ("asked", "job", "capability", "state", "waited", "first", "written", "tokens", "")
    table = _table(*columns)
    for it in courses:
        table.add_row(
            _time(it.submitted_ms),
            Text(it.job.id),
            it.job.capability,
            it.failure or it.state,
            _seconds(it.submitted_ms, it.claimed_ms),
            _seconds(it.claimed_ms, it.first_output_ms),
            _seconds(it.first_output_ms, it.ended_ms),
            str(it.tokens or "–"),
            f"attempt {it.attempts}" if it.attempts > 1 else "",
        )
    return table


def _capabilities(now: QueueStats) -> Table:
    table = _table("capability", "waiting", "running", "s/job", "tokens/job")
    for it in now.capabilities:
        seconds = None if it.service_ms is None else it.service_ms / 1000
        table.add_row(
            it.name, str(it.waiting), str(it.running), _number(seconds), _number(it.tokens)
        )
    return table


def _workers(now: QueueStats) -> Table:
    table = _table("worker", "phase", "engine", "model", "running", "detail")
    for it in now.workers:
        progress = "" if it.progress is None else f" {it.progress:.0%}"
        table.add_row(
            Text(it.worker),
            it.phase + progress,
            it.engine,
            Text(it.model),
            f"{it.running} of {it.slots}",
            Text(it.detail),
        )
    return table


def _servers(now: QueueStats) -> Table:
    table = _table("server", "jobs")
    for name, jobs in now.servers[:_TOP_SERVERS]:
        table.add_row(Text(name), str(jobs))
    return table


def _table(*columns: str, show_header: bool = True) -> Table:
    return Table(*columns, box=None, show_header=show_header, header_style="dim", pad_edge=False)


def _describe_event(event: AnyEvent) -> str:
    match event:
        case ToolCallDelta() | ApprovalRequest() | ToolResult():
            return f"step {event.step}: {_describe_step(event)}"
        case Started():
            return f"started on {event.worker} with {event.model}"
        case Delta() | ReasoningDelta():
            of = " of reasoning" if isinstance(event, ReasoningDelta) else ""
            return f"{len(event.text)} characters{of}"
        case Progress():
            so_far = f" {event.done} of {event.total}" if event.total else ""
            return f"{event.stage}{so_far}, {event.placed} pictures placed"
        case Finished():
            tokens = f"{event.prompt_tokens}+{event.completion_tokens} tokens"
            return f"finished: {event.reason}, {len(event.text)} characters, {tokens}"
        case Failed():
            return f"failed: {event.code} {event.detail}".rstrip()


def _describe_step(event: ToolCallDelta | ApprovalRequest | ToolResult) -> str:
    match event:
        case ToolCallDelta():
            return f"{len(event.text)} characters for {event.tool}"
        case ApprovalRequest():
            return "waits for a person to allow it"
        case ToolResult():
            figures = f", {len(event.figures)} figures" if event.figures else ""
            return f"{event.status} after {event.duration_ms} ms{figures}"


def _format_field(name: str, value: str) -> str:
    if name in _TEXTS:
        return f"{len(value)} characters"
    return _time(int(value)) if name in _TIMES else value


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def _seconds(since: int | None, until: int | None) -> str:
    return "–" if since is None or until is None else f"{(until - since) / 1000:.2f} s"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
