"""`python -m inference init | doctor | serve | chat | article | models | pictures`."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from common.installation import require_extra

with require_extra("inference"):
    from redis.asyncio import Redis
    from redis.exceptions import RedisClusterException

    from common import env_template, tracing
    from common.installation import add_version_option
    from common.metrics_server import CannotListen, serve_metrics
    from common.redact import redact
    from common.watchdog import watch_loop
    from inference import doctor, logs, terminal_chat
    from inference.agent.tool_runtime import ToolRuntime
    from inference.article import cli as article
    from inference.article.article_service import ArticleService
    from inference.article.section_images import ArticleTools
    from inference.config import (
        ALSO,
        OFFLINE,
        WorkerSettings,
        add_choices,
        from_arguments,
        worker_name,
    )
    from inference.engines import create_engine
    from inference.engines.base import CannotLoad, Engine
    from inference.library import cli as pictures
    from inference.library import create_selector
    from inference.metrics import WorkerMetrics
    from inference.models import ModelError
    from inference.models import cli as models
    from inference.sandbox.client import Sandbox
    from inference.sandbox.config import SandboxConfig
    from inference.summarizer import Summarizer
    from inference.worker import Worker
    from jobqueue.approvals import Approvals
    from jobqueue.blobs import Blobs
    from jobqueue.embedded_redis import EmbeddedError, resolve_redis_url
    from jobqueue.errors import QueueUnavailable
    from jobqueue.history import History
    from jobqueue.queue import JobQueue
    from jobqueue.queue_stats import load_queue_stats
    from jobqueue.redis_client import RedisAccessDenied, check_redis, connect


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except* (
        *(CannotLoad, CannotListen, ModelError, EmbeddedError),
        *(RedisAccessDenied, RedisClusterException),
    ) as group:
        for error in group.exceptions:
            print(f"error: {redact(str(error))}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference", description=__doc__)
    add_version_option(parser)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="take jobs from the queue and answer them")
    add_choices(serve)
    serve.set_defaults(run=run_serve)
    env_template.add_init_command(commands, "inference", WorkerSettings, ALSO)
    doctor.add_parser(commands)
    terminal_chat.add_parser(commands)
    article.add_parser(commands)
    models.add_parser(commands)
    pictures.add_parser(commands)
    return parser


def run_serve(arguments: argparse.Namespace) -> int:
    settings = from_arguments(arguments)
    logs.configure(settings.log_level)
    os.environ.update(OFFLINE)
    # Nothing is held while the model loads, so Ctrl-C may end the process at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    metrics = WorkerMetrics()
    engine = create_engine(settings.engine, settings, metrics)

    async def serve() -> None:
        async with (
            watch_loop(settings.stall_s),
            resolve_redis_url(os.environ) as url,
            connect(url) as redis,
        ):
            await check_redis(redis, url)
            queue, history = JobQueue(redis), History(redis)
            tool_runtime = _tool_runtime(settings, engine, redis)
            worker = Worker(
                queue,
                history,
                engine,
                name=worker_name(settings.worker),
                system=settings.system_prompt,
                tool_runtime=tool_runtime,
                article_service=_article_service(settings, engine, redis, tool_runtime),
                summarizer=Summarizer(history, engine) if settings.summaries else None,
                blobs=Blobs(redis),
                metrics=metrics,
                drain_s=settings.drain_s,
            )
            async with serve_worker_metrics(settings, metrics, worker, engine, queue):
                await worker.run(ready=lambda: _ready(engine, worker.stop))

    with tracing.export_traces("commonroom-inference"):
        asyncio.run(serve())
    return 0


def _tool_runtime(settings: WorkerSettings, engine: Engine, redis: Redis) -> ToolRuntime | None:
    if not settings.programs:
        return None
    socket = Path(settings.sandbox_socket) if settings.sandbox_socket else None
    return ToolRuntime(
        engine,
        History(redis),
        Blobs(redis),
        system=settings.system_prompt,
        sandbox=SandboxConfig(socket=socket, concurrency=settings.sandbox_slots),
        approvals=Approvals(redis),
        arxiv=settings.arxiv,
        search=settings.web_search,
        tool_parser=settings.dialect,
    )


def _article_service(
    settings: WorkerSettings, engine: Engine, redis: Redis, tool_runtime: ToolRuntime | None
) -> ArticleService:
    def sandbox() -> Sandbox | None:
        return tool_runtime.sandbox if tool_runtime else None

    blobs = Blobs(redis)
    tools = ArticleTools(engine, blobs, create_selector(settings, blobs, engine), sandbox=sandbox)
    return ArticleService(History(redis), tools)


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


@asynccontextmanager
async def serve_worker_metrics(
    settings: WorkerSettings,
    metrics: WorkerMetrics,
    worker: Worker,
    engine: Engine,
    queue: JobQueue,
) -> AsyncIterator[None]:
    """Serve the worker's pages, metrics, health and readiness, if a port is chosen.

    Raises:
        CannotListen: the port is in use.
    """

    async def refresh() -> None:
        metrics.read_engine(engine, draining=worker.draining)
        with suppress(QueueUnavailable):  # the last figures stand
            metrics.read_queue(await load_queue_stats(queue))

    if not settings.metrics_port:
        yield
        return
    async with serve_metrics(
        metrics.registry,
        host=settings.metrics_host,
        port=settings.metrics_port,
        not_ready_reason=lambda: worker.not_ready_reason,
        refresh=refresh,
    ):
        yield


if __name__ == "__main__":
    sys.exit(main())
