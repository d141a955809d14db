"""The bot's Prometheus metrics, mostly of its requests to Discord.

discord.py shows each of its requests to an aiohttp trace, so that nothing is counted by hand.
"""

import re
import time
from types import SimpleNamespace
from typing import Any

import aiohttp
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from common import tracing

DISCORD_EPOCH_MS = 1_420_070_400_000
ACKNOWLEDGED = re.compile(r"/interactions/(\d+)/[^/]+/callback$")
KINDS = (  # of requests, by method and path
    ("acknowledge", "POST", ACKNOWLEDGED),
    ("edit", "PATCH", re.compile(r"/messages/[^/]+$")),
    ("send", "POST", re.compile(r"/messages$|/webhooks/\d+/[^/]+$")),
)
TRACED = ("acknowledge", "send")
# Discord waits three seconds for an acknowledgement.
ACKNOWLEDGE_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 5)
REQUEST_S = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)


class BotMetrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._acknowledged = Histogram(
            "commonroom_bot_acknowledge_seconds",
            "From an interaction's birth at Discord to its acknowledgement",
            buckets=ACKNOWLEDGE_S,
            registry=self.registry,
        )
        self._requests = Counter(
            "commonroom_bot_requests",
            "Asked of Discord, by what it answered (429: too much)",
            ("kind", "status"),
            registry=self.registry,
        )
        self._took = Histogram(
            "commonroom_bot_request_seconds",
            "How long Discord took to answer",
            ("kind",),
            buckets=REQUEST_S,
            registry=self.registry,
        )
        self.answers = self._gauge("answers", "That are being shown")
        self.servers = self._gauge("servers", "That the bot is in")
        self.gateway = self._gauge("gateway_latency_seconds", "Of the last heartbeat")

    def _gauge(self, name: str, description: str) -> Gauge:
        return Gauge(f"commonroom_bot_{name}", description, registry=self.registry)

    def trace(self) -> aiohttp.TraceConfig:
        """Return the tracing configuration for the client that calls Discord."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(_on_request_start)
        trace.on_request_end.append(self._on_request_end)
        trace.on_request_exception.append(self._on_request_exception)
        return trace

    async def _on_request_end(
        self, _: Any, context: Any, params: aiohttp.TraceRequestEndParams
    ) -> None:
        self._record_request(context, params.method, params.url.path, str(params.response.status))

    async def _on_request_exception(
        self, _: Any, context: Any, params: aiohttp.TraceRequestExceptionParams
    ) -> None:
        self._record_request(context, params.method, params.url.path, "none")

    def _record_request(self, context: Any, method: str, path: str, status: str) -> None:
        kind = next((k for k, m, where in KINDS if m == method and where.search(path)), "other")
        took_s = time.monotonic() - context.at
        self._requests.labels(kind, status).inc()
        self._took.labels(kind).observe(took_s)
        if kind in TRACED or not status.startswith("2"):  # an answer is edited every second
            tracing.record_span(kind, took_s, status=status)
        if kind == "acknowledge" and status in ("200", "204"):
            found = ACKNOWLEDGED.search(path)
            assert found is not None  # noqa: S101  (that made it this kind)
            self._acknowledged.observe(max(time.time() - _created_at(int(found[1])), 0.0))


async def _on_request_start(
    _: Any, context: SimpleNamespace, __: aiohttp.TraceRequestStartParams
) -> None:
    context.at = time.monotonic()


def _created_at(snowflake: int) -> float:
    """Return when Discord created an id, in seconds since 1970."""
    return ((snowflake >> 22) + DISCORD_EPOCH_MS) / 1000
