"""Traces in tests: recorded in this process, or received from others."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext

from common import tracing


@contextmanager
def record_spans() -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    with tracing.process_spans("test", SimpleSpanProcessor(kept)):
        yield kept


def ids_of(span: ReadableSpan) -> SpanContext:
    ids = span.get_span_context()
    assert ids is not None
    return ids


def trace_of(span: ReadableSpan) -> int:
    return ids_of(span).trace_id


def attributes_of(span: ReadableSpan) -> dict[str, object]:
    """Return the span's attributes."""
    return dict(span.attributes or {})


def span_tree(spans: Iterable[ReadableSpan]) -> set[tuple[str, str]]:
    """Return pairs of each span's parent's name, or "", and its own."""
    every = list(spans)
    names = {ids_of(span).span_id: span.name for span in every}
    return {(names[span.parent.span_id] if span.parent else "", span.name) for span in every}


@dataclass
class TraceReceiver:
    url: str
    raw: bytes = b""  # as it came
    spans: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))  # by service

    async def take(self, request: web.Request) -> web.Response:
        self.raw += (body := await request.read())
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            (name,) = (
                each.value.string_value
                for each in resource.resource.attributes
                if each.key == "service.name"
            )
            self.spans[name] += (span for scope in resource.scope_spans for span in scope.spans)
        return web.Response()


@asynccontextmanager
async def receive_traces() -> AsyncIterator[TraceReceiver]:
    """Run a receiver of OTLP over HTTP."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    received = TraceReceiver("")
    app.router.add_post("/v1/traces", received.take)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        received.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield received
    finally:
        await runner.cleanup()
