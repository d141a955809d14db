"""Where a question's time goes: one trace of it, from the interaction to the last edit.

    with tracing.span("submit") as span:
        receipt = await ...
        span.set(position=receipt.position)

It is OpenTelemetry's, switched on by its own variables (`started`); else all of this does nothing
and imports nothing. What is told are ids, names of models and tools, counts and verdicts: never
what people or models wrote, nor the name of anybody or of a file.

A span belongs to the one around it. Where there is none, a span that names its `parent` goes on
with that one, or begins a trace if that is no parent; any other is nothing.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from common.require_extra import require_extra

if TYPE_CHECKING:
    from common.otel import Tracer

Value = str | int | float | bool | None  # None is not told

RECEIVER, TRACES_RECEIVER = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOL, TRACES_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"


class Span:
    """One stretch of time. This one is nothing, and takes whatever is told of it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object = None, *_: object) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *raised: Any) -> None:
        self.__exit__(*raised)

    def set(self, **attributes: Value) -> None:
        """Tell something about it."""

    def event(self, name: str, **attributes: Value) -> None:
        """Something happens in it now."""

    def past(self, name: str, seconds: float, **attributes: Value) -> None:
        """A span of its own within this one, that ends now and began so long ago."""


NOTHING = Span()
_tracer: "Tracer | None" = None


def question(job: str, channel: str, way: str) -> Span:
    """Somebody asks: their question's trace begins, by the way that it came."""
    return span("question", parent="", job=job, channel=channel, way=way)


def span(
    name: str, *, parent: str | None = None, links: Sequence[str] = (), **attributes: Value
) -> Span:
    """What is done in the block `with` it. `links` are other traces' spans that lead here."""
    return NOTHING if _tracer is None else _tracer.span(name, parent, links, attributes)


def aside(name: str, **attributes: Value) -> Span:
    """A span that nothing else is a part of: for a generator's block, which it may leave in another
    task than it entered it in."""
    return NOTHING if _tracer is None else _tracer.aside(name, attributes)


def past(name: str, seconds: float, parent: str, **attributes: Value) -> None:
    """A part of `parent`, that ends now and began so long ago."""
    if _tracer is not None:
        _tracer.past(name, seconds, parent, attributes)


def here() -> Span:
    """The span that this is done in."""
    return NOTHING if _tracer is None else _tracer.here()


def traceparent() -> str:
    """The W3C `traceparent` of the current span; empty without tracing."""
    return "" if _tracer is None else _tracer.traceparent()


@contextmanager
def started(service: str, environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Traces from now on, if `environ` names who receives them: OTEL_EXPORTER_OTLP_ENDPOINT.

    What else OpenTelemetry defines holds as well: OTEL_SERVICE_NAME (else it is `service`),
    OTEL_TRACES_SAMPLER, OTEL_SDK_DISABLED, … Ends the process with exit code 2 where they cannot be
    sent.
    """
    if not _wanted(environ):
        yield
        return
    protocol = environ.get(TRACES_PROTOCOL) or environ.get(PROTOCOL) or "http/protobuf"
    if protocol != "http/protobuf":
        print(f"error: {PROTOCOL}: traces are sent by http/protobuf", file=sys.stderr)
        raise SystemExit(2)
    with require_extra("tracing"):
        from common.otel import exporting  # noqa: PLC0415  (OpenTelemetry, only where wanted)
    with exporting(service) as tracer, using(tracer):
        yield


def _wanted(environ: Mapping[str, str]) -> bool:
    named = environ.get(TRACES_RECEIVER) or environ.get(RECEIVER)
    refused = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return bool(named) and not refused and environ.get("OTEL_TRACES_EXPORTER", "otlp") == "otlp"


@contextmanager
def using(tracer: "Tracer") -> Iterator[None]:
    global _tracer  # noqa: PLW0603  (a process has one, as it has one log)
    _tracer = tracer
    try:
        yield
    finally:
        _tracer = None
