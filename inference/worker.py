"""The worker: claim → generate → emit → finish, for as many jobs at once as the engine has slots.

It survives its surroundings. While Redis is away, answers go on and are emitted afterwards; what
was lost to another worker meanwhile is dropped at the first word of it. When the engine breaks,
its jobs are offered again and counted. SIGTERM drains: running answers get a bounded time, and
what is left goes back to the queue uncounted.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from uuid import uuid4

from common import tracing
from common.redact import redact
from inference.agent.tool_runtime import ToolRuntime
from inference.article.article_service import ArticleService
from inference.attempt_span import trace_attempt
from inference.chat_attempt import (
    Attempt,
    ChatAttempt,
    HistorySource,
    NoAnswer,
    NoPrograms,
    compose,
)
from inference.emitter import Emitter, batches, merge_events, retry_transient
from inference.engines.base import (
    BadRequest,
    Engine,
    EngineFailed,
    PromptTooLong,
    UnsupportedRequest,
)
from inference.image_text import NoText, OcrAttempt, can_read, wants_reading
from inference.metrics import WorkerMetrics
from inference.summarizer import Summarizer
from jobqueue.blobs import BlobReader
from jobqueue.errors import QueueUnavailable
from jobqueue.queue import JobQueue, Lease, LeaseStatus
from jobqueue.schema import (
    ARTICLE,
    READ,
    SOLVE,
    VISION,
    AnyEvent,
    Failed,
    FailureCode,
    Finished,
    FinishReason,
    Job,
    Started,
    WorkerStatus,
    add_model,
    strip_model,
)

log = logging.getLogger(__name__)

COALESCE_S = 0.05
# Of all streams together: what one shard of the queue carries for ten workers and more. People see
# an edit a second, so that gathering longer where many stream at once shows nobody less.
EMITS_PER_S = 1_280
SILENCE_S = (
    0.5  # between renewals while nothing comes, as in a long prefill: how soon Stop is heard
)
ANNOUNCE_S = 2.0
REAP_S = 1.0
REFUSE_AFTER_S = 10.0  # of nobody who can solve: another worker may be about to be ready
WAIT_S = 1.0  # for work; also how late a drain is noticed
NOT_READY_S = 0.5

_CUT = {
    LeaseStatus.CANCEL: (FinishReason.CANCELLED, FailureCode.CANCELLED),
    LeaseStatus.DEADLINE: (FinishReason.DEADLINE, FailureCode.DEADLINE),
}

_REFUSALS: Mapping[type[BadRequest], FailureCode] = {
    PromptTooLong: FailureCode.TOO_LONG,
    UnsupportedRequest: FailureCode.UNSUPPORTED,
    NoAnswer: FailureCode.NO_ANSWER,
    NoPrograms: FailureCode.NO_PROGRAMS,
    NoText: FailureCode.NO_TEXT,
}


class Worker:
    def __init__(
        self,
        queue: JobQueue,
        past: HistorySource,
        engine: Engine,
        *,
        name: str,
        system: str,
        tool_runtime: ToolRuntime | None = None,
        article_service: ArticleService | None = None,
        summarizer: Summarizer | None = None,
        blobs: BlobReader | None = None,
        metrics: WorkerMetrics | None = None,
        drain_s: float = 20.0,
    ) -> None:
        self._queue = queue
        self._past = past
        self._engine = engine
        self._name = name
        self._system = system
        self._tool_runtime = tool_runtime  # for /solve, and for chats with tools
        self._article_service = article_service  # for /article
        self._summarizer = summarizer  # None: older turns are left out without a summary
        self._blobs = blobs  # pictures; None: they are not looked for
        self._metrics = metrics or WorkerMetrics()
        self._drain_s = drain_s
        self._reached = True  # whether Redis answered the last chore
        self._refuses = False  # problems, since nobody can solve them
        self._unsolvable_since: float | None = None
        self._careful = False  # a job in its last attempt runs, or is about to
        self._nonce = uuid4().hex
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    @property
    def _capabilities(self) -> frozenset[str]:
        """The engine's capabilities, for everyone and for those who want just this model."""
        every = self._engine.capabilities
        if self._tool_runtime is not None:
            every |= self._tool_runtime.capabilities
        if self._article_service is not None:
            every |= self._article_service.capabilities
        return every | {add_model(each, self._engine.model) for each in every}

    @property
    def _claimable_capabilities(self) -> frozenset[str]:
        """Return the capabilities to claim jobs for. They include jobs that are claimed only to be
        refused, because no other worker can run them.
        """
        if not self._refuses:
            return self._capabilities
        return self._capabilities | {SOLVE, add_model(SOLVE, self._engine.model)}

    @property
    def _can_read(self) -> bool:
        """Return whether the worker can read the text in pictures."""
        return can_read(self._engine, self._blobs)

    @property
    def _advertised_capabilities(self) -> frozenset[str]:
        """The capabilities that the bot sees. They include solving while the sandbox still starts,
        and reading pictures, which is no job of its own.
        """
        opening = self._tool_runtime is not None and not self._tool_runtime.shut
        solve = {SOLVE, add_model(SOLVE, self._engine.model)} if opening else set()
        return self._capabilities | solve | ({READ} if self._can_read else set())

    @property
    def draining(self) -> bool:
        return self._stopping.is_set()

    @property
    def not_ready_reason(self) -> str:
        """Why the worker takes no jobs; empty when it does."""
        health = self._engine.health()
        if self.draining:
            return "draining"
        if health.phase != "ready":
            return f"{health.phase} {health.detail}".strip()
        return "" if self._reached else "redis cannot be reached"

    def stop(self) -> None:
        """Begin to drain; `run` returns when it is done. Fit for a signal handler."""
        self._stopping.set()

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Load the engine, serve until `stop`, drain. `ready` is called once jobs are taken."""
        async with asyncio.TaskGroup() as duties:
            chores = [duties.create_task(self._repeat(self._announce, ANNOUNCE_S))]
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self._engine)
                if self._tool_runtime is not None:
                    await stack.enter_async_context(self._tool_runtime)
                chores.append(duties.create_task(self._repeat(self._reap, REAP_S)))
                look = self._repeat(self._look_for_solvers, ANNOUNCE_S)
                chores.append(duties.create_task(look))
                if self._summarizer is not None:
                    chores.append(duties.create_task(self._summarizer.run()))
                ready()
                await self._serve()
            for chore in chores:
                chore.cancel()

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as jobs:
            while not self._stopping.is_set():
                for lease in await self._claim():
                    work = self._run_with_outcome(lease)
                    task = jobs.create_task(work, name=f"job-{lease.job.id}")
                    self._running.add(task)
                    task.add_done_callback(self._forget_task)
                    self._tell_summarizer()
            log.info("draining", extra={"worker": self._name, "running": len(self._running)})
            if self._running:
                await asyncio.wait(self._running, timeout=self._drain_s)
            for task in self._running:
                task.cancel()

    def _forget_task(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._tell_summarizer()

    def _tell_summarizer(self) -> None:
        if self._summarizer is not None:
            self._summarizer.answering(len(self._running))

    async def _claim(self) -> list[Lease]:
        """Jobs to begin now; none after a pause when there is nothing to take, or no room."""
        free = self._engine.slots - len(self._running)
        if self._careful:
            free = 0 if self._running else 1
        if free < 1:
            await self._slot_or_stop()
            return []
        if self._engine.health().phase != "ready":
            await asyncio.sleep(NOT_READY_S)
            return []
        leases = await self._isolate_last_attempt(await self._take(free))
        if not leases and not self._careful:
            await self._queue.wait_for_work(self._claimable_capabilities, WAIT_S)
        return leases

    async def _isolate_last_attempt(self, leases: list[Lease]) -> list[Lease]:
        """Return those that may begin beside what runs. A job in its last attempt runs alone: it
        may be what ended the earlier ones, and nothing else should end with it again."""
        last = [each for each in leases if each.attempt >= self._queue.policy.max_attempts]
        self._careful = bool(last)
        if not last or (len(leases) == 1 and not self._running):
            return leases
        for lease in last:
            with suppress(QueueUnavailable):  # then the lease lapses
                await self._queue.release(lease)
        return [each for each in leases if each not in last]

    async def _take(self, free: int) -> list[Lease]:
        """A claim whose reply was lost is repeated under its nonce, so no lease is forgotten."""
        try:
            leases = await self._queue.claim(
                self._name, free, self._claimable_capabilities, self._nonce
            )
        except QueueUnavailable:
            log.warning("redis cannot be reached", extra={"worker": self._name})
            return []
        self._nonce = uuid4().hex
        return leases

    async def _slot_or_stop(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({*self._running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()

    # --- one job ------------------------------------------------------------------------------

    async def _run_with_outcome(self, lease: Lease) -> None:
        """Run one job; whatever happens inside, it gets a defined outcome."""
        ids = {"job": lease.job.id, "channel": lease.job.channel, "attempt": lease.attempt}
        with trace_attempt(lease, self._name, self._engine.model) as span:
            log.info("attempt begins", extra=ids)
            metrics, outcome = self._metrics.begin(lease), "failed"
            try:
                emitter = Emitter(self._queue, lease, metrics.record_events, span.record_events)
                outcome = await self._run_attempt(lease, emitter)
            except asyncio.CancelledError:
                outcome = "released"
                with suppress(QueueUnavailable):  # then the lease lapses
                    await self._queue.release(lease)
                log.info("attempt released", extra=ids)
                raise
            except Exception:
                # Offered again, and buried with its reason when it keeps failing.
                log.exception("attempt failed", extra=ids)
                await retry_transient(lambda: self._queue.give_up(lease))
            else:
                log.info("attempt ends", extra={**ids, "outcome": outcome})
                if self._summarizer is not None:
                    self._summarizer.note_answer(lease.job.channel, lease.job.id)
            finally:
                metrics.end(outcome)
                span.end(outcome)

    async def _run_attempt(self, lease: Lease, emitter: Emitter) -> str:
        """Create the attempt, stream its events, finish the job. Return the outcome, for the log.

        EngineFailed and unexpected errors are raised.
        """
        started = Started(attempt=lease.attempt, worker=self._name, model=self._engine.model)
        try:
            status, finished = await emitter.emit([started]), None
            attempt = await self._create_attempt(lease)
            if status is LeaseStatus.CONTINUE:
                status, finished = await self._stream(attempt.events(), emitter)
            if finished is None:
                if status is LeaseStatus.LOST:
                    return "lost"
                reason, failure = _CUT[status]
                if not attempt.text:
                    await emitter.finish(Failed(code=failure))
                    return failure
                finished = await attempt.cut_short(reason)
            status = await emitter.finish(finished, attempt.turn(finished))
            return "lost" if status is LeaseStatus.LOST else finished.reason
        except BadRequest as error:
            code = _REFUSALS.get(type(error), FailureCode.BAD_REQUEST)
            await emitter.finish(Failed(code=code, detail=redact(str(error))))
            return code

    async def _create_attempt(self, lease: Lease) -> Attempt:
        """Create the job's attempt. It reads the pictures first where the model cannot see them."""
        job, number, blobs = lease.job, lease.attempt, self._blobs
        if blobs is None or not self._can_read or not wants_reading(job, self._engine):
            return await self._create_attempt_of_kind(job, number)
        return OcrAttempt(
            job,
            number,
            self._engine,
            blobs,
            lambda read, steps: self._create_attempt_of_kind(read, number, steps),
        )

    async def _create_attempt_of_kind(self, job: Job, number: int, steps: int = 0) -> Attempt:
        """Create the attempt that the job's capability asks for, after `steps` earlier steps."""
        tool_runtime, wanted = self._tool_runtime, strip_model(job.capability)
        with tracing.start_span("context"):
            if wanted == SOLVE:
                if tool_runtime is None:
                    raise NoPrograms("this worker runs none")
                return await tool_runtime.create_solve_attempt(job, number, steps)
            if wanted == ARTICLE and self._article_service is not None:
                return await self._article_service.create_attempt(job, number)
            if (
                wanted != VISION
                and tool_runtime is not None
                and (tools := tool_runtime.tools_for(job))
            ):
                return await tool_runtime.create_tool_chat_attempt(job, number, tools, steps)
            prompt = await compose(
                job, self._past, self._engine, system=self._system, blobs=self._blobs
            )
            return ChatAttempt(job, number, prompt, self._engine)

    async def _stream(
        self, events: AsyncGenerator[AnyEvent, None], emitter: Emitter
    ) -> tuple[LeaseStatus, Finished | None]:
        """Emit events until the answer is complete or the queue wants it ended.

        Leaving early aborts the answer.
        """

        def gather_s() -> float:
            return max(COALESCE_S, len(self._running) / EMITS_PER_S)

        async with aclosing(batches(events, every_s=gather_s, idle_s=SILENCE_S)) as gathered:
            async for batch in gathered:
                finished = next((e for e in batch if isinstance(e, Finished)), None)
                # `finish` writes the last event, with the turn.
                status = await emitter.emit(merge_events([e for e in batch if e is not finished]))
                if finished is not None and status is not LeaseStatus.LOST:
                    return LeaseStatus.CONTINUE, finished
                if status is not LeaseStatus.CONTINUE:
                    return status, None
        raise EngineFailed("the answer ended without a last chunk")

    # --- chores -------------------------------------------------------------------------------

    async def _repeat(self, chore: Callable[[], Awaitable[object]], every_s: float) -> None:
        while True:
            try:
                await chore()
                self._reached = True
            except QueueUnavailable:
                self._reached = False
                log.warning("redis cannot be reached", extra={"worker": self._name})
            await asyncio.sleep(every_s)

    async def _reap(self) -> None:
        reaped = await self._queue.reap()
        if reaped.requeued or reaped.dead or reaped.expired:
            log.warning("reaped", extra={"requeued": reaped.requeued, "dead": reaped.dead})

    async def _look_for_solvers(self) -> None:
        """A problem that nobody can solve is refused in words rather than left until it expires."""
        shut = self._tool_runtime is None or self._tool_runtime.shut
        if not shut or any(SOLVE in each.capabilities for each in await self._queue.list_workers()):
            self._refuses, self._unsolvable_since = False, None
            return
        now = asyncio.get_running_loop().time()
        if self._unsolvable_since is None:
            self._unsolvable_since = now
        self._refuses = now - self._unsolvable_since >= REFUSE_AFTER_S

    async def _announce(self) -> None:
        health = self._engine.health()
        await self._queue.announce(
            WorkerStatus(
                worker=self._name,
                phase="draining" if self.draining else health.phase,
                engine=self._engine.name,
                model=self._engine.model,
                capabilities=tuple(sorted(self._advertised_capabilities)),
                tools=tuple(tool.name for tool in self._tool_runtime.tools)
                if self._tool_runtime
                else (),
                slots=self._engine.slots,
                running=len(self._running),
                progress=health.progress,
                detail=redact(health.detail),
                context_tokens=self._engine.context_tokens,
            )
        )
