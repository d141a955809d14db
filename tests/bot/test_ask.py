"""The flow from a job to a reply, against a real queue."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot import answer_stream, notices
from bot.agent_trace import NOTHING, AgentTrace
from bot.answer_store import Version
from bot.answer_stream import follow_answer, submit_job
from bot.notices import Notice
from bot.reply_protocol import AnswerOutcome
from jobqueue.event_reader import EventReader
from jobqueue.queue import JobQueue, Lease
from jobqueue.schema import (
    ArticleProgress,
    Check,
    Delta,
    Failed,
    FailureCode,
    Finished,
    FinishReason,
    Job,
    JobEvent,
    ReasoningDelta,
    Started,
    WorkerStatus,
)

READER = "bot-test"


def job(number: int = 1, **changes: object) -> Job:
    fields: dict[str, object] = {
        "id": str(number),
        "channel": "c1",
        "user": "u1",
        "user_name": "Ada",
        "server": "s1",
        "prompt": "hello",
        "reader": READER,
    }
    return Job(**(fields | changes))  # type: ignore[arg-type]


@dataclass
class ReplyTranscript:
    """An `AnswerReply` that records its calls."""

    statuses: list[Notice] = field(default_factory=list)
    updates: list[str] = field(default_factory=list)
    works: list[AgentTrace] = field(default_factory=list)
    progress: list[ArticleProgress] = field(default_factory=list)
    answer: str | None = None
    outcome: AnswerOutcome | None = None
    failure: Notice | None = None

    def show_status(self, notice: Notice) -> None:
        self.statuses.append(notice)

    def update(
        self, text: str, work: AgentTrace = NOTHING, progress: ArticleProgress | None = None
    ) -> None:
        self.updates.append(text)
        self.works.append(work)
        self.progress += [progress] if progress else []

    async def finish(self, text: str, outcome: AnswerOutcome) -> None:
        self.answer, self.outcome = text, outcome

    async def fail(self, notice: Notice, text: str = "", work: AgentTrace = NOTHING) -> None:
        self.failure, self.answer = notice, text or None
        self.works.append(work)


@dataclass
class Desk:
    """The bot's side, and a worker that says what it is told to."""

    queue: JobQueue
    live: EventReader
    seq: int = 0
    reply: ReplyTranscript = field(default_factory=ReplyTranscript)

    async def shown(self, asked: Job, left_s: float = 20.0) -> ReplyTranscript:
        await follow_answer(self.queue, self.live, asked, self.reply, left_s=left_s)
        return self.reply

    async def claim(self, nonce: str = "n1") -> Lease:
        (lease,) = await self.queue.claim("w1", 1, {"chat"}, nonce)
        return lease

    async def claimed(self) -> Lease:
        """The first job that comes."""
        async with asyncio.timeout(30):
            for number in count():
                if leases := await self.queue.claim("w1", 1, {"chat"}, f"first-{number}"):
                    return leases[0]
                await self.queue.wait_for_work({"chat"}, 1.0)
        raise AssertionError

    async def say(self, lease: Lease, *events: JobEvent) -> None:
        await self.queue.emit(lease, self.seq, events)
        self.seq += len(events)

    async def end(self, lease: Lease, event: Finished | Failed) -> None:
        await self.queue.finish(lease, self.seq, event, None)


@pytest_asyncio.fixture
async def desk(queue: JobQueue) -> AsyncIterator[Desk]:
    async with EventReader(queue, READER) as live:
        yield Desk(queue, live)


async def test_an_answer_grows_and_ends(desk: Desk) -> None:
    asked = job()
    assert await submit_job(desk.queue, asked) is None
    lease = await desk.claim()
    await desk.say(lease, Started(attempt=1), Delta(text="Hel"), Delta(text="lo"))
    await desk.end(lease, Finished(text="Hello", omitted_turns=2, summarised_turns=5))
    reply = await desk.shown(asked)
    assert reply.updates == ["Hel", "Hello"]
    assert reply.answer == "Hello"
    assert reply.outcome == AnswerOutcome(FinishReason.STOP, omitted_turns=2, summarised_turns=5)
    notes = {note.key: note.arguments for note in reply.outcome.footnotes()}
    assert notes == {"note-omitted": {"turns": 2}, "note-summarised": {"turns": 5}}
    assert Version.of(asked, reply.outcome).outcome(NOTHING) == reply.outcome


async def test_a_new_attempt_starts_over(desk: Desk) -> None:
    asked = job()
    await submit_job(desk.queue, asked)
    lease = await desk.claim()
    await desk.say(lease, Started(attempt=1), Delta(text="Once"))
    await desk.queue.release(lease)
    again, desk.seq = await desk.claim("n2"), 0
    await desk.say(again, Started(attempt=again.attempt), Delta(text="Twice"))
    await desk.end(again, Finished(text="Twice"))
    reply = await desk.shown(asked)
    assert reply.updates[-1] == "Twice"
    assert reply.answer == "Twice"


async def test_what_turned_out_to_be_reasoning_is_not_shown_as_the_answer(desk: Desk) -> None:
    asked = job()
    await submit_job(desk.queue, asked)
    lease = await desk.claim()
    await desk.say(lease, Started(attempt=1), Delta(text="They greet me. "))
    await desk.say(lease, ReasoningDelta(text="They greet me."), Delta(text="Hel", anew=True))
    await desk.say(lease, Delta(text="lo"))
    await desk.end(lease, Failed(code=FailureCode.ENGINE))
    reply = await desk.shown(asked)
    assert reply.updates[-1] == reply.answer == "Hello"


async def test_a_failure_keeps_what_was_written(desk: Desk) -> None:
    asked = job()
    await submit_job(desk.queue, asked)
    lease = await desk.claim()
    await desk.say(lease, Started(attempt=1), Delta(text="Half"))
    await desk.end(lease, Failed(code=FailureCode.ENGINE))
    reply = await desk.shown(asked)
    assert (reply.failure, reply.answer) == (notices.describe_failure(FailureCode.ENGINE), "Half")


async def test_an_empty_answer_says_so(desk: Desk) -> None:
    asked = job()
    await submit_job(desk.queue, asked)
    await desk.end(await desk.claim(), Finished(text=" \n"))
    assert (await desk.shown(asked)).failure == notices.EMPTY_ANSWER


async def test_a_question_cancelled_in_line_says_so(desk: Desk) -> None:
    asked = job()
    await submit_job(desk.queue, asked)
    await desk.queue.cancel(asked.id)
    assert (await desk.shown(asked)).failure == notices.describe_failure(FailureCode.CANCELLED)


async def test_a_full_queue_refuses_with_its_limit(desk: Desk) -> None:
    limit = desk.queue.policy.limits.per_user
    for number in range(limit):
        assert await submit_job(desk.queue, job(number)) is None
    refusal = await submit_job(desk.queue, job(limit))
    assert refusal is not None
    assert refusal.key == "full-user"
    assert refusal.arguments == {"waiting": limit, "limit": limit}


async def test_time_that_runs_out_is_told(desk: Desk) -> None:
    asked = job()
    await submit_job(desk.queue, asked)
    reply = await desk.shown(asked, left_s=0.2)
    assert reply.failure == notices.describe_failure(FailureCode.DEADLINE)
    assert (await desk.queue.get_status(asked.id)).state.is_terminal


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hears nothing of a job looks for itself: at once, for nobody here has to be spared."""
    monkeypatch.setattr("jobqueue.event_reader._QUIET_S", 0.2)


@pytest.mark.usefixtures("soon")
async def test_a_question_that_redis_forgot_is_asked_once_more(desk: Desk, redis: Redis) -> None:
    asked = job()
    await submit_job(desk.queue, asked)
    await redis.flushdb()  # as when the end of the append-only file is lost
    async with asyncio.TaskGroup() as group:
        shown = group.create_task(desk.shown(asked))
        lease = await desk.claimed()
        await desk.say(lease, Started(attempt=1), Delta(text="yes"))
        await desk.end(lease, Finished(text="yes"))
        assert (await shown).answer == "yes"


@pytest.mark.usefixtures("soon")
async def test_a_question_that_redis_forgets_again_is_told(desk: Desk, redis: Redis) -> None:
    async with asyncio.TaskGroup() as group:
        shown = group.create_task(desk.shown(job()))
        await desk.claimed()
        await redis.flushdb()
        assert (await shown).failure == notices.LOST


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_stream, "QUIET_S", 0.02)
    monkeypatch.setattr(answer_stream, "REFRESH_S", 0.02)


@pytest.mark.usefixtures("impatient")
async def test_waiting_is_explained_as_it_changes(desk: Desk) -> None:
    first, asked = job(1), job(2)
    await submit_job(desk.queue, first)
    await submit_job(desk.queue, asked)
    async with asyncio.TaskGroup() as group:
        shown = group.create_task(desk.shown(asked))
        await _told(desk, notices.NO_WORKER)
        await desk.queue.announce(_worker("loading", 0.4))
        await _told(desk, notices.model_loading(0.4))
        await desk.queue.announce(_worker("ready"))
        await _told(desk, notices.in_line(1, None))
        await desk.end(await desk.claim(), Finished(text="first"))
        lease = await desk.claim("n2")
        await desk.say(lease, Started(attempt=1))
        await _told(desk, notices.RUNNING)
        await desk.end(lease, Finished(text="second"))
        assert (await shown).answer == "second"


def _worker(phase: str, progress: float | None = None) -> WorkerStatus:
    return WorkerStatus(
        worker="w1",
        phase=phase,  # type: ignore[arg-type]
        engine="scripted",
        model="scripted",
        capabilities=("chat",),
        slots=1,
        progress=progress,
    )


@pytest.mark.usefixtures("impatient")
async def test_a_problem_that_no_model_can_solve_any_more_waits_for_one_that_can(
    desk: Desk,
) -> None:
    asked = job(capability="solve")
    await submit_job(desk.queue, asked)
    async with asyncio.TaskGroup() as group:
        shown = group.create_task(desk.shown(asked))
        await _told(desk, notices.NO_WORKER)
        await desk.queue.announce(_worker("ready"))
        await _told(desk, notices.NO_ABLE_WORKER)
        (lease,) = await desk.queue.claim("w1", 1, {"solve"}, "n1")
        await desk.end(lease, Finished(text="4"))
        assert (await shown).outcome == AnswerOutcome(check=Check.NONE)


async def _told(desk: Desk, notice: notices.Notice) -> None:
    async with asyncio.timeout(30):
        while notice not in desk.reply.statuses[-1:]:  # noqa: ASYNC110 — a reply has no event
            await asyncio.sleep(0.01)


async def test_an_answer_that_repeated_itself_is_replaced_and_says_so(desk: Desk) -> None:
    asked = job()
    await submit_job(desk.queue, asked)
    lease = await desk.claim()
    await desk.say(lease, Started(attempt=1), Delta(text="They won. They won. They won."))
    await desk.say(lease, Delta(text="They won.", anew=True))
    await desk.end(lease, Finished(text="They won.", reason=FinishReason.REPETITION))
    reply = await desk.shown(asked)
    assert reply.answer == reply.updates[-1] == "They won."
    assert reply.outcome is not None
    assert [note.key for note in reply.outcome.footnotes()] == ["note-repetition"]


async def test_reasoning_that_only_repeated_itself_says_so(desk: Desk) -> None:
    asked = job()
    await submit_job(desk.queue, asked)
    await desk.end(await desk.claim(), Finished(text="", reason=FinishReason.REPETITION))
    assert (await desk.shown(asked)).failure == notices.REPEATED
