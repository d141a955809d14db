"""All answers that this process delivers, each from its submission to its last edit.

The queue holds what was asked, and its delivery ledger what was shown. So the next process can
finish whatever a killed one leaves.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

import discord
import msgspec

from bot import notices
from bot.answer_formatter import AnswerFormatter
from bot.answer_store import ShownAnswer
from bot.answer_stream import follow_answer, submit_job
from bot.discord.ask.admission import Admitted
from bot.discord.delivery import reply_target
from bot.discord.delivery.answer_registry import AnswerRegistry, build_version_chrome
from bot.discord.delivery.discord_reply import (
    AnswerChrome,
    Delivery,
    DiscordReply,
    SaveNote,
    Undeliverable,
)
from bot.discord.delivery.message_transport import (
    ORIGINAL,
    Transport,
    TransportError,
    create_transport,
)
from bot.discord.delivery.reply_target import DeliveryNote
from bot.discord.delivery.request_pacer import RequestPacer
from bot.i18n import words
from bot.notices import Notice, QuestionRefused
from bot.services import Services
from common import tracing
from jobqueue.article import Article
from jobqueue.errors import QueueUnavailable, UnknownJob
from jobqueue.event_reader import EventReader
from jobqueue.schema import Job

ACKNOWLEDGE_S = 1.0  # of Discord's three; a queue that is slower than this must not cost the ack
DEADLINE_SLACK_S = 10.0  # the queue's own deadline comes first

T = TypeVar("T")
Submission = asyncio.Task[Notice | None]
Locks = WeakValueDictionary[str, asyncio.Lock]

log = logging.getLogger(__name__)


class AnswerManager:
    def __init__(
        self,
        client: discord.Client,
        services: Services,
        registry: AnswerRegistry,
        formatter: AnswerFormatter,
        pacer: RequestPacer,
    ) -> None:
        self._client = client
        self._queue = services.queue
        self._reader = services.settings.reader
        self._registry = registry
        self._formatter = formatter
        self._pacer = pacer
        self._locks = Locks()
        self._events: asyncio.Future[EventReader] = asyncio.get_running_loop().create_future()
        self._group = asyncio.TaskGroup()
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._jobs

    @property
    def count(self) -> int:
        return len(self._jobs)

    def list_jobs(self, user: str, channel: str) -> Iterator[Job]:
        """Yield the jobs whose answers a person is being given in a channel."""
        return (job for job in self._jobs.values() if (job.user, job.channel) == (user, channel))

    @asynccontextmanager
    async def lock_channel(self, channel: str) -> AsyncIterator[None]:
        """Let nothing else change or answer this conversation during the block.

        Raises:
            QuestionRefused: something is being done or answered there.
        """
        async with hold_lock(self._locks, channel):
            if any(job.channel == channel for job in self._jobs.values()):
                raise QuestionRefused(notices.BUSY)
            yield

    def find_renewal(self, answer: str) -> Job | None:
        """Return the job that will be a new version of this answer, or of a part of it."""
        jobs = self._jobs.values()
        return next((job for job in jobs if reply_target.decode(job.reply).answer == answer), None)

    async def wait_until_over(self, job_id: str) -> bool:
        """Wait for the end of a delivery. Return False if the next process continues it."""
        if task := self._tasks.get(job_id):
            await asyncio.wait({task})
            return not task.cancelled()
        return True

    async def wait_until_recorded(self, job_id: str) -> None:
        """Wait a moment for an answer's record, which is written after its last edit.

        The answer may also be one that an earlier process began.
        """
        await asyncio.wait({self._events}, timeout=ACKNOWLEDGE_S)
        if task := self._tasks.get(job_id):
            await asyncio.wait({task}, timeout=ACKNOWLEDGE_S)

    async def wait_until_channel_recorded(self, channel: str) -> None:
        """Wait a moment for the records of a conversation's answers."""
        jobs = [job.id for job in self._jobs.values() if job.channel == channel]
        if tasks := {self._tasks[job_id] for job_id in jobs if job_id in self._tasks}:
            await asyncio.wait(tasks, timeout=ACKNOWLEDGE_S)

    async def run(self) -> None:
        """Continue what an earlier process left, then deliver answers until cancelled."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._formatter.aclose)
            events = await _retry(
                lambda: stack.enter_async_context(EventReader(self._queue, self._reader))
            )
            await stack.enter_async_context(self._group)
            for job, note in await _retry(lambda: self._queue.list_undelivered(self._reader)):
                log.info("answer continued job=%s channel=%s", job.id, job.channel)
                shown = reply_target.decode_note(note) if note else DeliveryNote()
                self.start_delivery(job, resumed_from=shown)
            self._events.set_result(events)
            await asyncio.Event().wait()

    # --- one question ---------------------------------------------------------------------------

    async def submit(self, admitted: Admitted) -> Submission:
        """Put the question into the queue.

        A slow queue must not cost the person's acknowledgement. So this may return before the
        queue has accepted the job; a refusal is then shown in place of the answer.

        Raises:
            QuestionRefused: the job was not accepted.
        """
        await asyncio.wait({self._events}, timeout=ACKNOWLEDGE_S)  # just started?
        if not self._events.done():
            raise QuestionRefused(notices.UNAVAILABLE)
        job = admitted.job
        submission = self._group.create_task(self._submit(job), name=f"submit {job.id}")
        done, _ = await asyncio.wait({submission}, timeout=ACKNOWLEDGE_S)
        if done and (refusal := submission.result()):
            raise QuestionRefused(refusal)
        return submission

    async def _submit(self, job: Job) -> Notice | None:
        try:
            return await submit_job(self._queue, job)
        except Exception:  # the job's edge: it must not end the group of all answers
            log.exception("submission broke job=%s channel=%s", job.id, job.channel)
            return notices.internal_error(job.id)

    def start_refusal(self, job: Job, refusal: Notice) -> None:
        """Show why a job is not submitted, in place of its answer."""

        async def refuse() -> Notice:
            return refusal

        self.start_delivery(job, self._group.create_task(refuse()))

    def start_delivery(
        self,
        job: Job,
        submission: Submission | None = None,
        resumed_from: DeliveryNote | None = None,
    ) -> None:
        """Show a job's answer from now on: a submitted one, or one of an earlier process."""
        if job.id in self._jobs:
            return  # it is being delivered: an event came twice, or was also read up
        self._jobs[job.id] = job
        task = self._group.create_task(
            self._deliver(job, submission, resumed_from), name=f"deliver {job.id}"
        )
        self._tasks[job.id] = task

        def forget(_: object) -> None:
            del self._jobs[job.id], self._tasks[job.id]

        task.add_done_callback(forget)

    async def _deliver(
        self, job: Job, submission: Submission | None, resumed_from: DeliveryNote | None
    ) -> None:
        """Show a job's answer to its end, put it on record, and take it off the ledger."""
        resumed = resumed_from is not None
        with tracing.start_span("answer", parent=job.trace, job=job.id, resumed=resumed):
            try:
                await self._pacer.wait_until_idle()
                reply = await self._show_answer(job, submission, resumed_from)
                await self._record(job, reply)
                await self._queue.mark_delivered(job.id, job)
                log.info("answer delivered job=%s channel=%s", job.id, job.channel)
            except* Undeliverable as errors:
                log.warning(
                    "answer undeliverable job=%s channel=%s: %r", job.id, job.channel, errors
                )
                await self._abandon(job)
            except* QueueUnavailable:
                # The ledger keeps it: the next process shows the same text in the same messages.
                log.warning("delivery not recorded job=%s", job.id)
            except* Exception:  # the job's edge: one answer that breaks leaves the others alone
                log.exception("answer broke job=%s channel=%s", job.id, job.channel)

    async def _show_answer(
        self, job: Job, submission: Submission | None, resumed_from: DeliveryNote | None
    ) -> DiscordReply:
        """Show the job's answer while it grows, or why there is none."""
        target = reply_target.decode(job.reply)
        chrome = await self._registry.build_chrome(job, target.answer)
        note = resumed_from or DeliveryNote(target.messages)
        delivery = self._create_delivery(
            job, chrome, note, partial(self._save_note, job), resumed=resumed_from is not None
        )
        async with DiscordReply.open(delivery) as reply:
            if submission and (refusal := await submission):
                await reply.fail(refusal)
                return reply
            try:
                if chrome.article:  # at once, with the Stop button
                    reply.show_status(notices.RUNNING)
                elif chrome.old_text:
                    reply.update(chrome.old_text)
                events = await self._events
                await follow_answer(self._queue, events, job, reply, left_s=_seconds_left(job))
            except Exception:  # the job's edge: the person is told
                log.exception("answer broke job=%s channel=%s", job.id, job.channel)
                await self._abandon(job)
                await reply.fail(notices.internal_error(job.id))
        return reply

    async def _record(self, job: Job, reply: DiscordReply) -> None:
        if reply.outcome:
            await self._pacer.wait_until_idle()
            answer = reply_target.decode(job.reply).answer
            await self._registry.record_answer(job, answer, reply.messages, reply.outcome)
        elif reply.work_without_answer:
            await self._registry.record_work(job, reply.work_without_answer)

    def _create_delivery(
        self,
        job: Job,
        chrome: AnswerChrome,
        note: DeliveryNote,
        save_note: SaveNote,
        *,
        resumed: bool = False,
    ) -> Delivery:
        return Delivery(
            job.id,
            words(job.locale),
            self._create_transport(job),
            chrome,
            note,
            save_note,
            self._formatter.format_answer,
            self._pacer,
            resumed,
        )

    def _create_transport(self, job: Job) -> Transport:
        target = reply_target.decode(job.reply)
        return create_transport(self._client, target, job.id, words(job.locale))

    async def _save_note(self, job: Job, note: DeliveryNote) -> bool:
        try:
            await self._queue.note_delivery(job.id, reply_target.encode(note).decode())
        except QueueUnavailable:
            return False
        return True

    async def _abandon(self, job: Job) -> None:
        """Stop the work on an answer that nobody will see, and do not deliver it later."""
        with suppress(UnknownJob, QueueUnavailable):
            await self._queue.cancel(job.id)
            await self._queue.mark_delivered(job.id)

    # --- versions of a shown answer -------------------------------------------------------------

    async def show_version(
        self, shown: ShownAnswer, text: str, article: Article | None = None
    ) -> None:
        """Put another version of an answer into its messages; of an article, this state."""

        async def ignore_note(_: DeliveryNote) -> bool:
            return True  # if the process is killed, the person selects it again

        chrome = build_version_chrome(shown, article)
        delivery = self._create_delivery(
            shown.job, chrome, DeliveryNote(shown.messages), ignore_note
        )
        await self._registry.update(shown)  # before its buttons can be pressed
        async with DiscordReply.open(delivery) as reply:
            work = await self._registry.find_work(shown.version)
            await reply.finish(text, replace(shown.version.outcome(work), article=article))
        if reply.messages != shown.messages:
            await self._registry.update(msgspec.structs.replace(shown, messages=reply.messages))

    async def delete_unreachable_messages(self, shown: ShownAnswer, kept: tuple[str, ...]) -> None:
        """Delete the messages of a private answer that its new version cannot be shown in.

        The token that sent them may be over. Then they stay.
        """
        if ORIGINAL not in kept:
            return
        transport = self._create_transport(shown.job)
        for message in shown.messages[:-1]:  # the last one has the buttons
            with suppress(TransportError):
                await transport.delete(message)


@asynccontextmanager
async def hold_lock(locks: Locks, key: str) -> AsyncIterator[None]:
    """Hold a lock during the block. Raises `QuestionRefused` if it is not free in a moment."""
    lock = locks.setdefault(key, asyncio.Lock())
    try:
        async with asyncio.timeout(ACKNOWLEDGE_S):
            await lock.acquire()
    except TimeoutError:
        raise QuestionRefused(notices.BUSY) from None
    try:
        yield
    finally:
        lock.release()


async def _retry(call: Callable[[], Awaitable[T]]) -> T:
    """Call until the queue can be reached. Only the first failure is a warning."""
    level = logging.WARNING
    while True:
        try:
            return await call()
        except QueueUnavailable as error:
            log.log(level, "the queue cannot be reached, trying again: %s", error)
            level = logging.DEBUG
            await asyncio.sleep(1)


def _seconds_left(job: Job) -> float:
    """Return the time until the person must have an answer. Discord's ids carry when they asked."""
    asked_at = discord.utils.snowflake_time(int(job.id)).timestamp()
    deadline = asked_at + job.ttl_ms / 1000 + DEADLINE_SLACK_S
    return max(deadline - time.time(), DEADLINE_SLACK_S)
