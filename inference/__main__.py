"""`python -m inference serve | chat | models`."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence

from inference import chat, logs
from inference.config import OFFLINE, add_choices, chosen, worker_name
from inference.engines import create
from inference.engines.base import CannotLoad, Engine
from inference.models import ModelError
from inference.models import cli as models
from inference.worker import Worker
from jobqueue.connect import connect
from jobqueue.embedded import EmbeddedError, redis_url
from jobqueue.history import History
from jobqueue.queue import JobQueue


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except* (CannotLoad, ModelError, EmbeddedError) as group:
        for error in group.exceptions:
            print(f"error: {error}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="take jobs from the queue and answer them")
    add_choices(serve)
    serve.set_defaults(run=run_serve)
    chat.add_parser(commands)
    models.add_parser(commands)
    return parser


def run_serve(arguments: argparse.Namespace) -> int:
    settings = chosen(arguments)
    logs.configure(settings.log_level)
    os.environ.update(OFFLINE)
    # Nothing is held while the model loads, so Ctrl-C may end the process at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    engine = create(settings.engine, settings)

    async def serve() -> None:
        async with redis_url(os.environ) as url, connect(url) as redis:
            worker = Worker(
                JobQueue(redis),
                History(redis),
                engine,
                name=worker_name(settings.worker),
                system=settings.system_prompt,
                drain_s=settings.drain_s,
            )
            await worker.run(ready=lambda: _ready(engine, worker.stop))

    asyncio.run(serve())
    return 0


def _ready(engine: Engine, stop: Callable[[], None]) -> None:
    """From now on the first SIGTERM or Ctrl-C drains; the second one ends the process."""
    loop = asyncio.get_running_loop()

    def drain(number: int) -> None:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain, number)
    print(f"ready: {engine.name} {engine.model}, {engine.slots} slots", flush=True)


if __name__ == "__main__":
    sys.exit(main())
