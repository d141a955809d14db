"""Traces of questions, by OpenTelemetry: one trace each, from the interaction to the last edit.

    with start_span("submit") as span:
        receipt = await ...
        span.set_attributes(attributes(position=receipt.position))

Spans are OpenTelemetry's own. They go nowhere until `export_traces` finds a receiver in the
standard variables; its SDK is imported only then. Attributes are ids, names of models and tools,
counts and outcomes: never what people or models wrote, nor the name of a person or a file.

No provider is registered for the process, since libraries that trace by themselves (transformers,
redis-py) might record more.
"""

import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Timer
from typing import TYPE_CHECKING, Any

from opentelemetry import context, trace
from opentelemetry.trace import INVALID_SPAN, NoOpTracer, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from common.installation import get_version, require_extra

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

Span = trace.Span
Value = str | int | float | bool

RECEIVER, TRACES_RECEIVER = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOL, TRACES_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
FLUSH_S = 3.0  # at the end; a receiver that is away keeps no process from ending
NS = 1_000_000_000

KINDS = {
    "question": SpanKind.SERVER,
    "submit": SpanKind.PRODUCER,
    "attempt": SpanKind.CONSUMER,
    "generate": SpanKind.CLIENT,
}
# https://opentelemetry.io/docs/specs/semconv/gen-ai/ has names for these.
STANDARD_NAMES = {
    "model": "gen_ai.request.model",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "tool": "gen_ai.tool.name",
    "error": "error.type",
}
PROPAGATOR = TraceContextTextMapPropagator()

_tracer: trace.Tracer = NoOpTracer()

current_span = trace.get_current_span


@contextmanager
def start_span(
    name: str,
    *,
    parent: str | None = None,
    links: Sequence[str] = (),
    is_current: bool = True,
    **values: Value | None,
) -> Iterator[Span]:
    """Record the block as a span with `values` as attributes.

    Spans nest. At top level, the traceparent `parent` is continued, or a new trace begins if it is
    invalid; without `parent`, nothing is recorded. `links` are traceparents of other traces.

    With `is_current=False` later spans do not nest in this one: a generator needs that, since it
    may leave the block in another task than it entered it in.
    """
    within = context.get_current()
    if not current_span(within).get_span_context().is_valid:
        if parent is None:
            yield INVALID_SPAN
            return
        within = _parse_traceparent(parent)
    linked = [current_span(_parse_traceparent(each)).get_span_context() for each in links]
    span = _tracer.start_span(
        name,
        within,
        KINDS.get(name, SpanKind.INTERNAL),
        attributes(**values),
        [trace.Link(each) for each in linked if each.is_valid],
    )
    token = context.attach(trace.set_span_in_context(span, within)) if is_current else None
    try:
        yield span
    except Exception as error:
        # Its type alone: the message may hold what somebody wrote.
        span.set_status(Status(StatusCode.ERROR))
        span.set_attributes(attributes(error=type(error).__name__))
        raise
    except BaseException:
        span.set_attributes(attributes(cancelled=True))
        raise
    finally:
        span.end()
        if token is not None:
            context.detach(token)


def start_question_span(job: str, channel: str, way: str) -> AbstractContextManager[Span]:
    """Begin the trace of a question that came by `way`."""
    return start_span("question", parent="", job=job, channel=channel, way=way)


def record_span(
    name: str, seconds: float, within: Span | str | None = None, **values: Value | None
) -> None:
    """Record a span that ends now and began `seconds` ago.

    It belongs to the span or traceparent `within`, else to the current span. If that is invalid,
    nothing is recorded.
    """
    if isinstance(within, str):
        outer = _parse_traceparent(within)
    else:
        outer = context.get_current() if within is None else trace.set_span_in_context(within)
    if current_span(outer).get_span_context().is_valid:
        end = time.time_ns()
        begin = end - int(seconds * NS)
        _tracer.start_span(name, outer, attributes=attributes(**values), start_time=begin).end(end)


def attributes(**values: Value | None) -> dict[str, Value]:
    """Give attributes their standard name, or one of ours; leave out what is None."""
    return {
        STANDARD_NAMES.get(name) or f"commonroom.{name}": value
        for name, value in values.items()
        if value is not None
    }


def current_traceparent() -> str:
    """Return the current span's W3C `traceparent`; empty if there is none."""
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier)
    return carrier.get("traceparent", "")


def _parse_traceparent(traceparent: str) -> context.Context:
    """Return a context with that span; an empty one for an invalid traceparent."""
    return PROPAGATOR.extract({"traceparent": traceparent}, context.Context())


# --- sending ------------------------------------------------------------------------------------


@contextmanager
def export_traces(service: str, environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Send traces by OTLP if `environ` names a receiver: OTEL_EXPORTER_OTLP_ENDPOINT.

    OpenTelemetry's other variables hold as well: OTEL_SERVICE_NAME (else it is `service`),
    OTEL_TRACES_SAMPLER, OTEL_SDK_DISABLED, … Ends the process with exit code 2 if they cannot be
    sent.
    """
    if not _is_exporting(environ):
        yield
        return
    protocol = environ.get(TRACES_PROTOCOL) or environ.get(PROTOCOL) or "http/protobuf"
    if protocol != "http/protobuf":
        print(f"error: {PROTOCOL}: traces are sent by http/protobuf", file=sys.stderr)
        raise SystemExit(2)
    with require_extra("tracing"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    exporter = OTLPSpanExporter()
    with process_spans(service, BatchSpanProcessor(exporter)):
        try:
            yield
        finally:
            patience = Timer(FLUSH_S, exporter.shutdown)
            patience.daemon = True
            patience.start()
    patience.cancel()


def _is_exporting(environ: Mapping[str, str]) -> bool:
    receiver = environ.get(TRACES_RECEIVER) or environ.get(RECEIVER)
    disabled = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return bool(receiver) and not disabled and environ.get("OTEL_TRACES_EXPORTER", "otlp") == "otlp"


@contextmanager
def process_spans(service: str, processor: "SpanProcessor") -> Iterator[None]:
    """Give spans to `processor`, sampled as the standard variables say.

    Logs that are written in a span name its trace.
    """
    from opentelemetry.sdk.resources import (  # noqa: PLC0415 — the SDK is imported only to export
        SERVICE_NAME,
        OTELResourceDetector,
        Resource,
    )
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    global _tracer  # noqa: PLW0603 — a process has one, as it has one log
    resource = Resource.create({SERVICE_NAME: service}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    make_record = logging.getLogRecordFactory()

    def make_traced_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        found = current_span().get_span_context()
        if found.is_valid:
            record.msg = f"{record.msg} trace={found.trace_id:032x}"
        return record

    logging.setLogRecordFactory(make_traced_record)
    _tracer = provider.get_tracer("commonroom", get_version())
    try:
        yield
    finally:
        _tracer = NoOpTracer()
        logging.setLogRecordFactory(make_record)
        provider.shutdown()
