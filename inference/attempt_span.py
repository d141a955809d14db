"""The trace span of an attempt, made from its events and without their texts."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from common import tracing
from jobqueue.article import ArticleStage
from jobqueue.queue import Lease
from jobqueue.schema import AnyEvent, ArticleProgress, Delta, Failed, Finished, ReasoningDelta


@contextmanager
def trace_attempt(lease: Lease, worker: str, model: str) -> Iterator["AttemptSpan"]:
    """The attempt, and how long its job waited to be claimed: parts of what submitted it."""
    job, number = lease.job, lease.attempt
    tracing.record_span("queue", lease.waited_ms / 1000, job.trace, job=job.id, attempt=number)
    with tracing.start_span(
        "attempt",
        parent=job.trace,
        job=job.id,
        attempt=number,
        channel=job.channel,
        server=job.server,
        capability=job.capability,
        fence=lease.fence,
        worker=worker,
        model=model,
    ) as span:
        yield AttemptSpan(span)


class AttemptSpan:
    def __init__(self, span: tracing.Span) -> None:
        self._span = span
        self._silent = True
        self._stage: ArticleStage | None = None
        self._since = 0.0  # when that began, on the monotonic clock

    def record_events(self, events: Sequence[AnyEvent]) -> None:
        for event in events:
            match event:
                case Delta() | ReasoningDelta() if self._silent:
                    self._silent = False
                    self._span.add_event("first text")
                case ArticleProgress(stage=stage):
                    self._come_to(stage)
                case Finished():
                    self._record_finished(event)
                case Failed(code=code):
                    self._span.set_attributes(tracing.attributes(failure=code))

    def end(self, outcome: str) -> None:
        self._come_to(None)
        self._span.set_attributes(tracing.attributes(outcome=outcome))

    def _come_to(self, stage: ArticleStage | None) -> None:
        if stage is self._stage:
            return
        now = time.monotonic()
        if self._stage is not None:
            tracing.record_span(self._stage, now - self._since, self._span)
        self._stage, self._since = stage, now

    def _record_finished(self, event: Finished) -> None:
        counts = tracing.attributes(
            finish_reason=event.reason,
            check=event.check,
            prompt_tokens=event.prompt_tokens,
            completion_tokens=event.completion_tokens,
            omitted_turns=event.omitted_turns or None,
            summarised_turns=event.summarised_turns or None,
            unseen_pictures=event.unseen_pictures or None,
        )
        self._span.set_attributes(counts)
