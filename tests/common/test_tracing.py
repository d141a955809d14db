"""Spans and traces; without a receiver, nothing is recorded."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import INVALID_SPAN

from common import tracing
from jobqueue.schema import decode_job, encode, with_traceparent
from tests.jobqueue.support import make_job
from tests.traces import attributes_of, ids_of, record_spans, trace_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# OpenTelemetry's API is light and always imported; its SDK and exporter are not.
OFF = """
import sys, bot.__main__, inference.__main__
from common import tracing
with tracing.export_traces("test", {}), tracing.start_question_span("1", "2", "command"):
    heavy = {"opentelemetry.sdk.trace", "opentelemetry.exporter"}
    print(sorted(heavy & set(sys.modules)))
"""


def test_off_nothing_is_imported_and_a_job_carries_nothing() -> None:
    said = subprocess.run([sys.executable, "-c", OFF], capture_output=True, check=True, text=True)
    assert said.stdout.strip() == "[]"
    job = make_job()
    assert with_traceparent(job) is job
    with tracing.start_span("submit") as span:
        assert tracing.current_span() is span is INVALID_SPAN
    assert b"trace" not in encode(job)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_who_wants_no_traces_gets_none(environ: dict[str, str]) -> None:
    started = tracing.start_question_span("1", "2", "command")
    with tracing.export_traces("test", environ), started as span:
        assert span is INVALID_SPAN


def test_a_way_that_is_not_spoken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    }
    with pytest.raises(SystemExit, match="2"), tracing.export_traces("test", environ):
        pass
    assert "OTEL_EXPORTER_OTLP_PROTOCOL" in capsys.readouterr().err


def test_a_job_carries_its_trace_to_another_process() -> None:
    with record_spans() as kept:
        with tracing.start_question_span("1", "2", "command"):
            wire = encode(with_traceparent(make_job()))
        with tracing.start_span("attempt", parent=decode_job(wire).trace):
            pass
    question, attempt = kept.get_finished_spans()
    assert attempt.parent is not None
    assert attempt.parent.span_id == ids_of(question).span_id
    assert trace_of(attempt) == trace_of(question)


@pytest.mark.parametrize(
    "forged",
    ["", "x", "00-0-0-01", PARENT[:-3], PARENT.upper(), f"ff{PARENT[2:]}", "0" * 100_000, "\n\0é"],
)
def test_what_is_no_parent_harms_nothing(forged: str) -> None:
    job = decode_job(encode(make_job(trace=forged)))
    with record_spans() as kept:
        tracing.record_span("queue", 1.0, job.trace)
        with tracing.start_span("attempt", parent=job.trace, links=[forged]):
            pass
    (attempt,) = kept.get_finished_spans()
    assert attempt.parent is None
    assert not attempt.links


def test_what_belongs_to_no_question_begins_no_trace() -> None:
    with record_spans() as kept:
        with (
            tracing.start_span("context"),
            tracing.start_span("generate", is_current=False) as span,
        ):
            tracing.record_span("prefill", 0.1, span)
        tracing.current_span().add_event("first visible")
    assert not kept.get_finished_spans()


def test_an_error_is_told_by_its_kind_alone() -> None:
    fault = pytest.raises(ValueError, match="platypus")
    with record_spans() as kept, fault, tracing.start_question_span("1", "2", "command"):
        raise ValueError("platypus")
    (span,) = kept.get_finished_spans()
    assert attributes_of(span)["error.type"] == "ValueError"
    assert "platypus" not in span.to_json()


async def test_a_generator_may_be_left_in_another_task(caplog: pytest.LogCaptureFixture) -> None:
    async def numbers() -> AsyncGenerator[int, None]:
        with tracing.start_span("generate", is_current=False):
            yield 1

    with record_spans() as kept:
        with tracing.start_question_span("1", "2", "command"):
            left = numbers()
            assert await asyncio.create_task(anext(left)) == 1
        await asyncio.create_task(left.aclose())
    assert _names(kept) == ["question", "generate"]
    assert not caplog.records


def test_sampling_holds_for_all_of_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with record_spans() as kept, tracing.start_question_span("1", "2", "command"):
        trace = with_traceparent(make_job()).trace
    assert not int(trace[-2:], 16) & 1  # the flag of a trace that is kept
    monkeypatch.delenv("OTEL_TRACES_SAMPLER")  # the worker's, which goes by what was decided
    with record_spans() as kept, tracing.start_span("attempt", parent=trace):
        pass
    assert not kept.get_finished_spans()


def test_a_process_has_its_own_name_unless_another_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, wanted in (("", "test"), ("mine", "mine")):
        monkeypatch.setenv("OTEL_SERVICE_NAME", name)
        with record_spans() as kept, tracing.start_question_span("1", "2", "command"):
            pass
        assert kept.get_finished_spans()[0].resource.attributes["service.name"] == wanted


def test_logs_name_the_trace(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("test")
    with record_spans() as kept, tracing.start_question_span("1", "2", "command"):
        log.warning("answer continued job=%s", "100%")
    log.warning("later")
    (span,) = kept.get_finished_spans()
    named = f"answer continued job=100% trace={trace_of(span):032x}"
    assert caplog.messages == [named, "later"]


def _names(kept: InMemorySpanExporter) -> list[str]:
    return [span.name for span in kept.get_finished_spans()]
