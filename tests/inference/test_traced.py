"""What a trace is told of an attempt."""

from common import tracing
from inference.attempt_span import trace_attempt
from inference.tools.base import Context
from inference.tools.registry import CONVERT
from jobqueue.article import ArticleStage
from jobqueue.queue import Lease
from jobqueue.schema import (
    ArticleProgress,
    Check,
    Delta,
    Failed,
    FailureCode,
    Finished,
    with_traceparent,
)
from tests.jobqueue.support import make_job
from tests.traces import attributes_of, record_spans, span_tree


async def test_stages_of_an_article_tools_and_how_it_ended() -> None:
    with record_spans() as kept:
        with tracing.start_question_span("j1", "general", "command"):
            job = with_traceparent(make_job(user_name="numbat", prompt="platypus"))
        with trace_attempt(Lease(job, 2, 7, waited_ms=1_500), "w0", "scripted") as attempt:
            attempt.record_events([ArticleProgress(stage=ArticleStage.PLANNING)])
            attempt.record_events(
                [
                    ArticleProgress(stage=ArticleStage.WRITING, heading="quokka"),
                    Delta(text="wombat"),
                ]
            )
            arguments = {"value": 1, "unit": "km", "to": "m"}
            await CONVERT.call(Context(), arguments)
            attempt.record_events(
                [ArticleProgress(stage=ArticleStage.ILLUSTRATING), Delta(text="wombat")]
            )
            attempt.record_events(
                [Finished(text="wombat", check=Check.VERIFIED, completion_tokens=9)]
            )
            attempt.end("stop")
    spans = kept.get_finished_spans()
    assert span_tree(spans) == {
        ("", "question"),
        ("question", "queue"),
        ("question", "attempt"),
        *(("attempt", name) for name in ("planning", "writing", "tool", "illustrating")),
    }
    by_name = {span.name: span for span in spans}
    wait = by_name["queue"]
    assert (wait.end_time or 0) - (wait.start_time or 0) == 1_500_000_000
    assert [event.name for event in by_name["attempt"].events] == ["first text"]
    ended = attributes_of(by_name["attempt"])
    assert (ended["commonroom.check"], ended["commonroom.outcome"]) == ("verified", "stop")
    assert attributes_of(by_name["tool"]) == {
        "gen_ai.tool.name": CONVERT.name,
        "commonroom.status": "ok",
    }
    written = "".join(span.to_json() for span in spans)
    assert not [word for word in ("platypus", "quokka", "wombat", "numbat") if word in written]


def test_a_failure_is_told_by_its_code() -> None:
    with (
        record_spans() as kept,
        trace_attempt(Lease(make_job(), 1, 1), "w0", "scripted") as attempt,
    ):
        attempt.record_events([Failed(code=FailureCode.ENGINE, detail="platypus")])
        attempt.end("failed")
    (span,) = kept.get_finished_spans()  # nobody waited for it in a trace
    assert attributes_of(span)["commonroom.failure"] == "engine"
    assert "platypus" not in span.to_json()
