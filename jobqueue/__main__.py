"""Commands for the operator of the queue: REDIS_URL's, or this user's embedded one."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from redis.exceptions import RedisClusterException, RedisError
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from common.redact import redact
from jobqueue.dead_letters import DeadLetter, DeadLetters
from jobqueue.embedded_redis import EmbeddedError, exec_server, resolve_redis_url
from jobqueue.errors import QueueError, UnknownJob
from jobqueue.queue import JobQueue
from jobqueue.queue_stats import (
    JobDetail,
    JobTimeline,
    QueueStats,
    load_job_detail,
    load_queue_stats,
    load_timelines,
)
from jobqueue.redis_client import connect
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

# The tables of the operator's commands. They show no text of people or models, only its length.

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


console = Console()
MIN_WIDTH = 240  # of tables, in characters: whole ids, also where the terminal is narrower

Command = Callable[[JobQueue, argparse.Namespace], Awaitable[None]]


def main() -> None:
    args = _create_parser().parse_args()
    try:
        with suppress(KeyboardInterrupt):
            args.run(args)
    except UnknownJob as error:
        _fail(f"nothing is known of {error.args[0]}")
    except (RedisError, RedisClusterException, OSError) as error:
        _fail(f"REDIS_URL: {error}")
    except (EmbeddedError, QueueError, ValueError) as error:
        _fail(str(error))


def _create_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jobqueue", description=__doc__)
    parser.add_argument("--shard", default="main")
    commands = parser.add_subparsers(required=True, metavar="command")

    command = commands.add_parser("serve", help="run the embedded server in the foreground")
    command.add_argument("--folder", type=Path, required=True, help="where its data is kept")
    command.set_defaults(run=lambda args: exec_server(args.folder))

    command = commands.add_parser("status", help="jobs, workers and servers at this moment")
    command.set_defaults(run=_run_on_queue(_print_status))

    command = commands.add_parser("watch", help="the same, once a second, until Ctrl-C")
    command.set_defaults(run=_run_on_queue(_watch_status))

    command = commands.add_parser("inspect", help="the record and events of a job")
    command.add_argument("job")
    command.set_defaults(run=_run_on_queue(_print_job))

    command = commands.add_parser("latest", help="a bot's latest questions, and their times")
    command.add_argument("--reader", default="bot-0", help="the bot's COMMONROOM_READER")
    command.add_argument("--count", type=int, default=20)
    command.set_defaults(run=_run_on_queue(_print_latest))

    command = commands.add_parser("dead", help="jobs whose every attempt died")
    command.set_defaults(run=_run_on_queue(_print_dead_letters))
    actions = command.add_subparsers(metavar="action")
    for name, act, purpose in (
        ("retry", _retry_letters, "submit it again, with a new deadline"),
        ("drop", _drop_letters, "forget it"),
    ):
        action = actions.add_parser(name, help=purpose)
        action.add_argument("letter", nargs="+", help="as `dead` lists them, or `all`")
        action.set_defaults(run=_run_on_queue(act))
    return parser


def _run_on_queue(command: Command) -> Callable[[argparse.Namespace], None]:
    async def run(args: argparse.Namespace) -> None:
        async with resolve_redis_url(os.environ) as url, connect(url) as redis:
            await command(JobQueue(redis, shard=args.shard), args)

    return lambda args: asyncio.run(run(args))


def _print(table: RenderableType) -> None:
    """Print without cutting anything: a narrow terminal wraps the lines, and ids can be copied."""
    console.print(table, width=max(console.width, MIN_WIDTH), crop=False, no_wrap=True)


async def _print_status(queue: JobQueue, _: argparse.Namespace) -> None:
    _print(render_queue_stats(await load_queue_stats(queue)))


async def _watch_status(queue: JobQueue, _: argparse.Namespace) -> None:
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(render_queue_stats(await load_queue_stats(queue)), refresh=True)
            await asyncio.sleep(1.0)


async def _print_job(queue: JobQueue, args: argparse.Namespace) -> None:
    _print(render_job(await load_job_detail(queue, args.job)))


async def _print_latest(queue: JobQueue, args: argparse.Namespace) -> None:
    _print(render_timelines(await load_timelines(queue, args.reader, args.count)))


async def _print_dead_letters(queue: JobQueue, _: argparse.Namespace) -> None:
    _print(render_dead_letters([letter async for letter in DeadLetters(queue)]))


async def _retry_letters(queue: JobQueue, args: argparse.Namespace) -> None:
    for letter in await _select_letters(queue, args.letter):
        receipt = await DeadLetters(queue).retry(letter)
        console.print(f"{letter}: {receipt.state}, {receipt.position} before it")


async def _drop_letters(queue: JobQueue, args: argparse.Namespace) -> None:
    for letter in await _select_letters(queue, args.letter):
        await DeadLetters(queue).drop(letter)
        console.print(f"{letter}: dropped")


async def _select_letters(queue: JobQueue, letters: list[str]) -> list[str]:
    if letters == ["all"]:
        return [letter.id async for letter in DeadLetters(queue)]
    return letters


def _fail(message: str) -> None:
    print(f"error: {redact(message)}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
