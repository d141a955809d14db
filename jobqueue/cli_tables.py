"""The tables of the operator's commands. They show no text of people or models, only its length."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from jobqueue.dead_letters import DeadLetter
from jobqueue.queue_stats import JobDetail, JobTimeline, QueueStats
from jobqueue.schema import (
    AnyEvent,
    ApprovalRequest,
    ArticleProgress,
    Delta,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    ToolCallDelta,
    ToolResult,
)

_TEXT_FIELDS = {"result"}  # of a record; people or models wrote them
_TIME_FIELDS = {"submitted", "deadline", "claimed"}
_MAX_SERVERS = 10


def render_queue_stats(stats: QueueStats) -> RenderableType:
    limit = f" of {_format_mib(stats.memory_limit)}" if stats.memory_limit else ""
    memory = f"{_format_mib(stats.memory)}{limit} of memory"
    summary = f"{stats.jobs} jobs, {stats.dead} dead letters, {memory}"
    capabilities = [
        (
            it.name,
            str(it.waiting),
            str(it.running),
            "–" if it.service_ms is None else f"{it.service_ms / 1000:.1f}",
            "–" if it.tokens is None else f"{it.tokens:.1f}",
        )
        for it in stats.capabilities
    ]
    workers = [
        (
            it.worker,
            it.phase if it.progress is None else f"{it.phase} {it.progress:.0%}",
            it.engine,
            it.model,
            f"{it.running} of {it.slots}",
            it.detail,
        )
        for it in stats.workers
    ]
    servers = [(name, str(jobs)) for name, jobs in stats.servers[:_MAX_SERVERS]]
    return Group(
        Text(summary, style="bold"),
        _build_table(("capability", "waiting", "running", "s/job", "tokens/job"), capabilities),
        _build_table(("worker", "phase", "engine", "model", "running", "detail"), workers),
        _build_table(("server", "jobs"), servers),
    )


def render_job(detail: JobDetail) -> RenderableType:
    job = detail.job
    names = ("channel", "user", "server", "reader", "capability", "locale")
    facts = [(name, getattr(job, name)) for name in names]
    facts.append(("prompt", f"{len(job.prompt)} characters, {len(job.attachments)} attachments"))
    for name, value in sorted(detail.record.items()):
        if not hasattr(job, name):
            facts.append((name, _format_field(name, value)))
    events = [
        (entry_id, str(attempt), str(seq), _describe_event(event))
        for entry_id, attempt, seq, event in detail.events
    ]
    return Group(
        _build_table(("", job.id), facts, show_header=False),
        _build_table(("id", "attempt", "seq", "event"), events),
    )


def render_dead_letters(letters: Iterable[DeadLetter]) -> RenderableType:
    columns = ("letter", "job", "server", "channel", "died", "attempts", "reason")
    rows = [
        (
            letter.id,
            letter.job.id,
            letter.job.server,
            letter.job.channel,
            _format_time(letter.at_ms),
            str(letter.attempts),
            letter.reason,
        )
        for letter in letters
    ]
    return _build_table(columns, rows)


def render_timelines(timelines: Iterable[JobTimeline]) -> RenderableType:
    columns = ("asked", "job", "capability", "state", "waited", "first", "written", "tokens", "")
    rows = [
        (
            _format_time(it.submitted_ms),
            it.job.id,
            it.job.capability,
            it.failure or it.state,
            _format_seconds(it.submitted_ms, it.claimed_ms),
            _format_seconds(it.claimed_ms, it.first_output_ms),
            _format_seconds(it.first_output_ms, it.ended_ms),
            str(it.tokens or "–"),
            f"attempt {it.attempts}" if it.attempts > 1 else "",
        )
        for it in timelines
    ]
    return _build_table(columns, rows)


def _build_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, show_header: bool = True
) -> Table:
    table = Table(*columns, box=None, show_header=show_header, header_style="dim", pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))  # as text, since square brackets are rich's own language
    return table


def _describe_event(event: AnyEvent) -> str:  # noqa: PLR0911 — one for each kind
    match event:
        case Started():
            return f"started on {event.worker} with {event.model}"
        case Delta():
            return f"{len(event.text)} characters"
        case ReasoningDelta():
            return f"{len(event.text)} characters of reasoning"
        case ToolCallDelta():
            return f"step {event.step}: {len(event.text)} characters for {event.tool}"
        case ApprovalRequest():
            return f"step {event.step}: waits for a person to allow it"
        case ToolResult():
            figures = f", {len(event.figures)} figures" if event.figures else ""
            return f"step {event.step}: {event.status} after {event.duration_ms} ms{figures}"
        case ArticleProgress():
            done = f" {event.done} of {event.total}" if event.total else ""
            return f"{event.stage}{done}, {event.placed} pictures placed"
        case Finished():
            tokens = f"{event.prompt_tokens}+{event.completion_tokens} tokens"
            return f"finished: {event.reason}, {len(event.text)} characters, {tokens}"
        case Failed():
            return f"failed: {event.code} {event.detail}".rstrip()


def _format_field(name: str, value: str) -> str:
    if name in _TEXT_FIELDS:
        return f"{len(value)} characters"
    return _format_time(int(value)) if name in _TIME_FIELDS else value


def _format_time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def _format_seconds(since: int | None, until: int | None) -> str:
    return "–" if since is None or until is None else f"{(until - since) / 1000:.2f} s"


def _format_mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
