"""The worker's HTTP pages: metrics, health and readiness."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from common.metrics_server import CannotListen, serve_metrics
from inference.config import WorkerSettings
from inference.engines.base import Engine
from inference.metrics import WorkerMetrics
from inference.worker import Worker
from jobqueue.errors import QueueUnavailable
from jobqueue.queue import JobQueue
from jobqueue.queue_stats import load_queue_stats

__all__ = ["CannotListen", "serve_worker_metrics"]


@asynccontextmanager
async def serve_worker_metrics(
    settings: WorkerSettings,
    metrics: WorkerMetrics,
    worker: Worker,
    engine: Engine,
    queue: JobQueue,
) -> AsyncIterator[None]:
    """Serve the metrics if a port is chosen. Raises CannotListen."""

    async def refresh() -> None:
        metrics.read_engine(engine, draining=worker.draining)
        with suppress(QueueUnavailable):  # the last that is known stands
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
