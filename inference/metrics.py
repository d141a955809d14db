"""The worker's Prometheus metrics.

Named as its conventions want it: base units, a suffix for the unit, `_total` for what only grows.
Words as everywhere here: queue time ends with the claim; the time to the first text is counted from
submission, as the person waits; an inter-token time is one gap between two pieces of an answer.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

from inference.engines.base import Engine, Usage
from jobqueue.queue import Lease
from jobqueue.queue_stats import QueueStats
from jobqueue.schema import AnyEvent, Delta, ReasoningDelta, ToolResult, strip_model

PHASES = ("loading", "ready", "degraded", "draining")
WAITS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)  # s
GAPS = (0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 5)  # s


class WorkerMetrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)

        def histogram(name: str, told: str, buckets: Sequence[float], *labels: str) -> Histogram:
            name = f"commonroom_{name}"
            return Histogram(name, told, labels, buckets=buckets, registry=self.registry)

        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(f"commonroom_{name}", told, labels, registry=self.registry)

        def gauge(name: str, told: str, *labels: str) -> Gauge:
            return Gauge(f"commonroom_{name}", told, labels, registry=self.registry)

        self._queue_time = histogram(
            "job_queue_seconds", "From submission to the claim", WAITS, "capability"
        )
        self._first_text = histogram(
            "job_first_text_seconds", "From submission to the first text", WAITS, "capability"
        )
        self._service = histogram(
            "job_service_seconds", "From the claim to the end of the attempt", WAITS, "capability"
        )
        self._attempts = counter("attempts", "Attempts that ended", "capability", "outcome")
        self._running = gauge("jobs_running", "Jobs that this worker answers")
        self._programs = counter("programs", "Calls of tools that returned", "status")
        self._program_time = histogram("program_seconds", "How long they took", WAITS)

        self._first_token = histogram(
            "engine_first_token_seconds", "From asking the engine to its first piece", WAITS
        )
        self._gap = histogram("engine_inter_token_seconds", "Between two pieces of an answer", GAPS)
        self._batch = gauge("engine_requests_running", "Requests at the engine")
        self._slots = gauge("engine_slots", "Requests that may run at once")
        self._context = gauge("engine_context_tokens", "What a request may take")
        self._phase = gauge("engine_phase", "1 for the phase it is in", "phase")
        self._prompt = counter("prompt_tokens", "Read by the engine, or found in its cache")
        self._cached = counter("prompt_cached_tokens", "Of those, found in its cache")
        self._completion = counter("completion_tokens", "Written by the engine")
        self._requests = counter("engine_requests", "Requests that ended", "outcome")
        self._gpu = gauge("gpu_memory_bytes", "Of each GPU", "device", "kind")
        self._model = Info("commonroom_engine", "What is served", registry=self.registry)
        self._queued = gauge("queue_jobs", "In the whole queue", "capability", "state")
        self._dead = gauge("queue_dead_letters", "In the whole queue")

    # --- jobs -------------------------------------------------------------------------------------

    def begin(self, lease: Lease) -> "AttemptMetrics":
        capability = strip_model(lease.job.capability)
        waited_s = lease.waited_ms / 1000
        self._queue_time.labels(capability).observe(waited_s)
        self._running.inc()
        return AttemptMetrics(self, capability, waited_s)

    # --- the engine's requests --------------------------------------------------------------------

    @contextmanager
    def request(self) -> Iterator["RequestMetrics"]:
        requested, outcome = RequestMetrics(self), "aborted"
        self._batch.inc()
        try:
            yield requested
            outcome = "ended"
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            self._batch.dec()
            self._requests.labels(outcome).inc()
            requested.settle()

    # --- what is read when somebody looks ---------------------------------------------------------

    def read_engine(self, engine: Engine, *, draining: bool) -> None:
        phase = "draining" if draining else engine.health().phase
        for name in PHASES:
            self._phase.labels(name).set(name == phase)
        self._slots.set(engine.slots)
        self._context.set(engine.context_tokens)
        self._model.info({"engine": engine.name, "model": engine.model})
        for device, kind, size in _gpu_memory():
            self._gpu.labels(device, kind).set(size)

    def read_queue(self, seen: QueueStats) -> None:
        for capability in seen.capabilities:
            self._queued.labels(capability.name, "waiting").set(capability.waiting)
            self._queued.labels(capability.name, "running").set(capability.running)
        self._dead.set(seen.dead)


class AttemptMetrics:
    """One attempt at a job, from its claim on."""

    def __init__(self, metrics: WorkerMetrics, capability: str, waited_s: float) -> None:
        self._metrics = metrics
        self._capability = capability
        self._waited_s = waited_s
        self._started_at = time.monotonic()
        self._silent = True

    def record_events(self, events: Sequence[AnyEvent]) -> None:
        metrics = self._metrics
        for event in events:
            if self._silent and isinstance(event, Delta | ReasoningDelta):
                self._silent = False
                took_s = self._waited_s + time.monotonic() - self._started_at
                metrics._first_text.labels(self._capability).observe(took_s)
            if isinstance(event, ToolResult):
                metrics._programs.labels(event.status).inc()
                metrics._program_time.observe(event.duration_ms / 1000)

    def end(self, outcome: str) -> None:
        metrics = self._metrics
        metrics._service.labels(self._capability).observe(time.monotonic() - self._started_at)
        metrics._attempts.labels(self._capability, outcome).inc()
        metrics._running.dec()


class RequestMetrics:
    """One request to the engine."""

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics
        self._last = time.monotonic()
        self._tokens = 0
        self._usage: Usage | None = None

    @property
    def silent(self) -> bool:
        return not self._tokens

    def piece(self, tokens: int) -> float:
        """Seconds since the one before it, or since the engine was asked."""
        now = time.monotonic()
        kind = self._metrics._first_token if self.silent else self._metrics._gap
        kind.observe(gap_s := now - self._last)
        self._last = now
        self._tokens += tokens
        return gap_s

    def add_usage(self, usage: Usage) -> None:
        self._usage = usage

    def settle(self) -> None:
        """An aborted request has no bill: what it wrote is counted as it came."""
        metrics, usage = self._metrics, self._usage
        metrics._completion.inc(usage.completion_tokens if usage else self._tokens)
        if usage is not None:
            metrics._prompt.inc(usage.prompt_tokens)
            metrics._cached.inc(usage.cached_tokens)


def _gpu_memory() -> Iterator[tuple[str, str, int]]:
    """Yield each GPU's memory, if an engine has imported torch and there is a GPU."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        yield str(number), "total", total
        yield str(number), "free", free
        yield str(number), "allocated", torch.cuda.memory_allocated(number)
