"""`python -m playground`: the whole system on one machine, in a browser.

`python -m playground script FILE.jsonl` plays it without one.
"""

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import sys
import time
import webbrowser
from collections.abc import Coroutine
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from common.installation import require_extra
from common.redact import redact

with require_extra("playground"):
    import psutil

    from common.installation import add_version_option
    from playground import script
    from playground.data_dir import DataDirInUseError, default_data_dir, lock_data_dir
    from playground.discord.server import LocalDiscord, PortInUseError
    from playground.ensure_model import NoModelError, ensure_model, fetch_better_model
    from playground.managed_process import ProcessState, ProcessStatus
    from playground.script_actions import ScriptError
    from playground.supervisor import StartError, Supervisor
    from playground.web_ui.routes import add_web_ui

DEFAULT_PORT = 8080
PAGE_LINK = "page.html"


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        return _run_until_interrupted(arguments.run(arguments))
    except (PortInUseError, DataDirInUseError, StartError, NoModelError, ScriptError) as error:
        print(f"error: {redact(str(error))}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m playground", description=__doc__)
    parser.set_defaults(run=serve)
    add_version_option(parser)
    _add_engine_arguments(parser)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes any free one")
    parser.add_argument("--no-open", action="store_true", help="do not open a browser")
    commands = parser.add_subparsers(metavar="script")
    player = commands.add_parser("script", help="play a file of actions and print what is seen")
    _add_engine_arguments(player)
    player.add_argument("file", type=Path, metavar="FILE.jsonl")
    player.add_argument("--json", action="store_true", help="print JSON lines")
    player.set_defaults(run=script.main)
    return parser


def _add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", help="llamacpp, transformers or scripted")
    parser.add_argument("--model", help="a known name, a folder or a .gguf file")
    parser.add_argument("--folder", type=Path, help="where the queue's data and the logs are kept")


def _run_until_interrupted(program: Coroutine[Any, Any, int]) -> int:
    """Run the program. Ctrl-C and SIGTERM cancel it, so that it ends in order."""

    async def run() -> int:
        task = asyncio.ensure_future(program)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            return await task
        return 0

    return asyncio.run(run())


async def serve(arguments: argparse.Namespace) -> int:
    folder = arguments.folder or default_data_dir(os.environ)
    token = secrets.token_urlsafe(16)
    with lock_data_dir(folder):
        discord = LocalDiscord(arguments.port)
        supervisor = Supervisor(folder, discord, environ=os.environ)
        add_web_ui(discord.app, discord, supervisor, token)
        async with discord:
            better_model = await ensure_model(arguments)
            supervisor.set_model(arguments.engine, arguments.model)
            url = f"{discord.url}/?token={token}"
            print(f"Playground: {url}\nCtrl-C ends everything. Logs: {folder / 'logs'}", flush=True)
            if not arguments.no_open and _has_screen():
                open_browser(folder / PAGE_LINK, url)
            async with supervisor, asyncio.TaskGroup() as tasks:
                if better_model is not None:
                    switch = partial(supervisor.switch_model, "llamacpp")
                    tasks.create_task(fetch_better_model(better_model, supervisor.is_idle, switch))
                await _print_status_changes(supervisor)
    return 0


def open_browser(link: Path, url: str) -> None:
    """Open the page by a file that only this user can read.

    All users of this machine see a browser's command line, and the address has the page's token.
    """
    link.unlink(missing_ok=True)
    with os.fdopen(os.open(link, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(url)}">\n')
    webbrowser.open(link.resolve().as_uri())


async def _print_status_changes(supervisor: Supervisor) -> None:
    """Print one line per change of a process's state or detail, without end."""
    started_at = psutil.Process().create_time()
    printed: dict[str, tuple[ProcessState, str]] = {}
    is_ready = False
    async for statuses in supervisor.changes():
        for status in statuses:
            if printed.get(status.name) != (status.state, status.detail):
                _print_status(time.time() - started_at, status)
                printed[status.name] = (status.state, status.detail)
        if not is_ready and all(s.state is ProcessState.READY for s in statuses):
            is_ready = True
            print(f"Ready after {time.time() - started_at:.1f} s.", flush=True)


def _print_status(seconds: float, status: ProcessStatus) -> None:
    percent = "" if status.progress is None else f" {status.progress:.0%}"
    detail = f": {status.detail}" if status.detail else ""
    print(f"{seconds:6.1f} s  {status.name:<6} {status.state}{percent}{detail}", flush=True)


def _has_screen() -> bool:
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


if __name__ == "__main__":
    sys.exit(main())
