"""Traces as OpenTelemetry has them; the only file that imports it. `common.tracing` is the door.

No provider is registered for the process: libraries that trace by themselves might tell more.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Timer
from typing import Any, Self

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from common.tracing import NOTHING, Span, Value
from common.version import get_version

FLUSH_S = 3.0  # at the end; a receiver that is away keeps no process from ending
NS = 1_000_000_000

KINDS = {
    "question": SpanKind.SERVER,
    "submit": SpanKind.PRODUCER,
    "attempt": SpanKind.CONSUMER,
    "generate": SpanKind.CLIENT,
}
# https://opentelemetry.io/docs/specs/semconv/gen-ai/ has names for these.
STANDARD = {
    "model": "gen_ai.request.model",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "tool": "gen_ai.tool.name",
    "error": "error.type",
}
PROPAGATOR = TraceContextTextMapPropagator()

Attributes = Mapping[str, Value]


class Tracer:
    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("commonroom", get_version())

    def span(
        self, name: str, parent: str | None, links: Sequence[str], attributes: Attributes
    ) -> Span:
        within = _around() or (None if parent is None else _context(parent))
        if within is None:
            return NOTHING
        linked = [trace.Link(each) for each in map(_told, links) if each.is_valid]
        return self._open(name, within, attributes, links=linked, current=True)

    def aside(self, name: str, attributes: Attributes) -> Span:
        within = _around()
        return NOTHING if within is None else self._open(name, within, attributes)

    def past(self, name: str, seconds: float, parent: str, attributes: Attributes) -> None:
        if _told(parent).is_valid:
            self._past(name, seconds, _context(parent), attributes)

    def here(self) -> Span:
        within = _around()
        return NOTHING if within is None else _Span(self, trace.get_current_span(within))

    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        PROPAGATOR.inject(carrier)
        return carrier.get("traceparent", "")

    def _open(
        self,
        name: str,
        within: Context,
        attributes: Attributes,
        *,
        links: Sequence[trace.Link] = (),
        current: bool = False,
    ) -> Span:
        opened = self._tracer.start_span(
            name,
            within,
            KINDS.get(name, SpanKind.INTERNAL),
            _named(attributes),
            links,
            # What an exception says may be what somebody wrote.
            record_exception=False,
            set_status_on_exception=False,
        )
        return _Span(self, opened, current=current)

    def _past(self, name: str, seconds: float, within: Context, attributes: Attributes) -> None:
        end = time.time_ns()
        began, told = end - int(seconds * NS), _named(attributes)
        self._tracer.start_span(name, within, attributes=told, start_time=began).end(end)


class _Span(Span):
    def __init__(self, tracer: Tracer, raw: trace.Span, *, current: bool = False) -> None:
        self._tracer = tracer
        self._raw = raw
        self._current = current
        self._token: Any = None

    def __enter__(self) -> Self:
        if self._current:
            self._token = context.attach(self._within)
        return self

    def __exit__(self, kind: object = None, *_: object) -> None:
        if isinstance(kind, type) and issubclass(kind, Exception):
            self._raw.set_status(Status(StatusCode.ERROR))
            self.set(error=kind.__name__)
        elif kind is not None:
            self.set(cancelled=True)
        self._raw.end()
        if self._token is not None:
            context.detach(self._token)

    @property
    def _within(self) -> Context:
        return trace.set_span_in_context(self._raw)

    def set(self, **attributes: Value) -> None:
        if self._raw.is_recording():
            self._raw.set_attributes(_named(attributes))

    def event(self, name: str, **attributes: Value) -> None:
        if self._raw.is_recording():
            self._raw.add_event(name, _named(attributes))

    def past(self, name: str, seconds: float, **attributes: Value) -> None:
        self._tracer._past(name, seconds, self._within, attributes)


def _around() -> Context | None:
    """Where this is done, if that is in a span."""
    within = context.get_current()
    known = trace.get_current_span(within).get_span_context()
    return within if known.is_valid else None


def _context(traceparent: str) -> Context:
    """An empty one, where that is none."""
    return PROPAGATOR.extract({"traceparent": traceparent}, Context())


def _told(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(_context(traceparent)).get_span_context()


def _named(attributes: Attributes) -> dict[str, str | int | float | bool]:
    return {
        STANDARD.get(name) or f"commonroom.{name}": value
        for name, value in attributes.items()
        if value is not None
    }


# --- the process's ------------------------------------------------------------------------------


@contextmanager
def exporting(service: str) -> Iterator[Tracer]:
    """Sends them by OTLP over HTTP, gathered, as the standard variables say."""
    exporter = OTLPSpanExporter()
    with provided(service, BatchSpanProcessor(exporter)) as tracer:
        try:
            yield tracer
        finally:
            patience = Timer(FLUSH_S, exporter.shutdown)
            patience.daemon = True
            patience.start()
    patience.cancel()


@contextmanager
def provided(service: str, processor: SpanProcessor) -> Iterator[Tracer]:
    """Sampled as the standard variables say; logs that are written in a span name its trace."""
    named = Resource.create({SERVICE_NAME: service}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    plain = logging.getLogRecordFactory()

    def told(*arguments: Any, **more: Any) -> logging.LogRecord:
        record = plain(*arguments, **more)
        known = trace.get_current_span().get_span_context()
        if known.is_valid:
            record.msg = f"{record.msg} trace={known.trace_id:032x}"
        return record

    logging.setLogRecordFactory(told)
    try:
        yield Tracer(provider)
    finally:
        logging.setLogRecordFactory(plain)
        provider.shutdown()
