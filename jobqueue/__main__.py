"""Commands for the operator of the queue: REDIS_URL's, or this user's embedded one."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from redis.exceptions import RedisClusterException, RedisError
from rich.console import Console
from rich.live import Live

from common.redact import redact
from jobqueue.cli_tables import (
    render_dead_letters,
    render_job,
    render_queue_stats,
    render_timelines,
)
from jobqueue.dead_letters import DeadLetters
from jobqueue.embedded_redis import EmbeddedError, exec_server, resolve_redis_url
from jobqueue.errors import QueueError, UnknownJob
from jobqueue.queue import JobQueue
from jobqueue.queue_stats import load_job_detail, load_queue_stats, load_timelines
from jobqueue.redis_client import connect

console = Console()

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


async def _print_status(queue: JobQueue, _: argparse.Namespace) -> None:
    console.print(render_queue_stats(await load_queue_stats(queue)))


async def _watch_status(queue: JobQueue, _: argparse.Namespace) -> None:
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(render_queue_stats(await load_queue_stats(queue)), refresh=True)
            await asyncio.sleep(1.0)


async def _print_job(queue: JobQueue, args: argparse.Namespace) -> None:
    console.print(render_job(await load_job_detail(queue, args.job)))


async def _print_latest(queue: JobQueue, args: argparse.Namespace) -> None:
    console.print(render_timelines(await load_timelines(queue, args.reader, args.count)))


async def _print_dead_letters(queue: JobQueue, _: argparse.Namespace) -> None:
    console.print(render_dead_letters([letter async for letter in DeadLetters(queue)]))


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
