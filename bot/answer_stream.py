"""A job's way through the bot: submit it, follow its events, show the answer.

Nothing here knows Discord; an `AnswerReply` shows the answer.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from bot import notices
from bot.agent_trace import NOTHING, AgentTrace
from bot.notices import Notice
from bot.reply_protocol import AnswerOutcome, AnswerReply
from common import tracing
from jobqueue.errors import InvalidJob, QueueFull, QueueUnavailable, UnknownJob
from jobqueue.event_reader import Envelope, EventReader
from jobqueue.queue import JobQueue
from jobqueue.schema import (
    SOLVE,
    ArticleProgress,
    Check,
    Delta,
    Failed,
    FailureCode,
    Finished,
    FinishReason,
    Job,
    JobState,
    Started,
    best_phase,
    strip_model,
    with_traceparent,
)

QUIET_S = 2.0  # how long a question may wait before the person is told why
REFRESH_S = 3.0
OUTAGE_S = 1.0  # between attempts to reach Redis again
LONG_READING_S = 30.0  # a model that is silent for so long deserves a word too


async def submit_job(queue: JobQueue, job: Job) -> Notice | None:
    """Put the job into the queue. Return the reason if it was refused. Repeating is harmless."""
    with tracing.start_span("submit") as span:
        try:
            receipt = await queue.submit(with_traceparent(job))
        except QueueFull as error:
            span.set_attributes(tracing.attributes(refused=error.scope))
            return notices.queue_full(error)
        except QueueUnavailable:
            span.set_attributes(tracing.attributes(refused="unavailable"))
            return notices.UNAVAILABLE
        except InvalidJob:
            return notices.describe_failure(FailureCode.BAD_REQUEST)
        span.set_attributes(
            tracing.attributes(position=receipt.position, duplicate=receipt.duplicate)
        )
    return None


async def follow_answer(
    queue: JobQueue, live: EventReader, job: Job, reply: AnswerReply, *, left_s: float
) -> None:
    """Show the submitted job's answer until it ends, for `left_s` seconds at most."""
    draft = AnswerDraft()
    try:
        async with asyncio.timeout(left_s), asyncio.TaskGroup() as group:
            waiting = group.create_task(_explain_wait(queue, job, reply))
            async for envelope in _events(queue, live, job):
                draft.add(envelope)
                if draft.has_content and not draft.end:
                    waiting.cancel()
                    reply.update(draft.text, draft.work, draft.progress)
            waiting.cancel()
    except TimeoutError:
        with suppress(QueueUnavailable, UnknownJob):  # then its own deadline ends it
            await queue.cancel(job.id)
        draft.end = Failed(code=FailureCode.DEADLINE)
    await _show_end(job, draft, reply)


async def _show_end(job: Job, draft: "AnswerDraft", reply: AnswerReply) -> None:
    work = draft.work.as_ended()
    match draft.end:
        case Finished(text=text) as end if text.strip():
            await reply.finish(text, _create_outcome(job, end, work))
        case Finished(reason=FinishReason.CANCELLED):
            await reply.fail(notices.describe_failure(FailureCode.CANCELLED), work=work)
        case Finished(reason=FinishReason.REPETITION):
            await reply.fail(notices.REPEATED, work=work)
        case Finished():
            empty = notices.UNSOLVED if work.steps else notices.EMPTY_ANSWER
            await reply.fail(empty, work=work)
        case Failed(code=code):
            await reply.fail(notices.describe_failure(code), draft.text, work)
        case None:
            await reply.fail(notices.LOST, draft.text, work)


def _create_outcome(job: Job, end: Finished, work: AgentTrace) -> AnswerOutcome:
    """Return the outcome. A solution tells if it is unchecked; other answers need no check."""
    judged = strip_model(job.capability) == SOLVE or end.check is not Check.NONE
    return AnswerOutcome(
        end.reason,
        end.omitted_turns,
        end.check if judged else None,
        work.without_answer(end.text),
        end.summarised_turns,
        unseen_pictures=end.unseen_pictures,
        article=end.article,
    )


async def _events(queue: JobQueue, live: EventReader, job: Job) -> AsyncIterator[Envelope]:
    """Yield a job's events to the last one, over outages of Redis.

    A job that was accepted in the last second before Redis was killed may not be in its
    append-only file. It is submitted again, once. If anything of it is left, that changes nothing.
    """
    after, submitted_again = "0", False
    while True:
        try:
            async for envelope in live.follow(job.id, after):
                after = envelope.id
                yield envelope
            return
        except QueueUnavailable:
            await asyncio.sleep(OUTAGE_S)
        except UnknownJob:
            if submitted_again or await submit_job(queue, job):
                return
            after, submitted_again = "0", True


@dataclass
class AnswerDraft:
    """The answer of the newest attempt so far.

    Events are fenced where they are written, so all that follows a `Started` is of that attempt.
    """

    text: str = ""
    work: AgentTrace = NOTHING
    progress: ArticleProgress | None = None
    end: Finished | Failed | None = None

    @property
    def has_content(self) -> bool:
        return bool(self.text or self.work or self.progress)

    def add(self, envelope: Envelope) -> None:
        self.work = self.work.with_event(envelope.event, envelope.at_ms)
        match envelope.event:
            case Started():
                self.text, self.progress = "", None
            case ArticleProgress() as progress:
                self.progress = progress
            case Delta(text=text, anew=anew):
                self.text = text if anew else self.text + text
            case Finished() | Failed() as end:
                self.end = end


# --- why there is nothing to read yet -----------------------------------------------------------


async def _explain_wait(queue: JobQueue, job: Job, reply: AnswerReply) -> None:
    """Show why the answer has not begun, and each change of the reason, until cancelled."""
    shown = None
    waited = QUIET_S
    await asyncio.sleep(QUIET_S)
    while True:
        reason = await _find_wait_reason(queue, job)
        # Discord already shows "thinking", so RUNNING only replaces a card with another reason.
        if reason != shown and (reason != notices.RUNNING or shown or waited > LONG_READING_S):
            reply.show_status(reason)
            shown = reason
        await asyncio.sleep(REFRESH_S)
        waited += REFRESH_S


async def _find_wait_reason(queue: JobQueue, job: Job) -> Notice:
    try:
        status = await queue.get_status(job.id)
        if status.state is not JobState.QUEUED:
            return notices.RUNNING
        workers = await queue.list_workers()
    except (QueueUnavailable, UnknownJob):
        return notices.QUEUE_LOST
    able = [worker for worker in workers if job.capability in worker.capabilities]
    if not able and any(worker.is_serving for worker in workers):
        return notices.NO_ABLE_WORKER
    phase, progress = best_phase(able)
    if phase == "ready":
        return notices.in_line(status.position, status.estimate_ms)
    return notices.NO_WORKER if phase is None else notices.model_loading(progress)
