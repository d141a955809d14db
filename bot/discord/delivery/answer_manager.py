"""Every answer this process is giving, from the question to the last edit.

What was asked is in the queue and what was shown is in its delivery ledger, so a process that is
killed leaves nothing behind that its successor could not finish.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from weakref import WeakValueDictionary

import discord
import msgspec

from bot import notices
from bot.answer_formatter import Dressing
from bot.answer_store import Shown
from bot.answer_stream import follow_answer, submit
from bot.discord.ask.admission import Admitted
from bot.discord.delivery import reply_target
from bot.discord.delivery.answer_registry import AnswerRegistry, button_state
from bot.discord.delivery.discord_reply import (
    AnswerChrome,
    DiscordReply,
    Save,
    Undeliverable,
    showing,
)
from bot.discord.delivery.message_transport import ORIGINAL, TransportError, create_transport
from bot.discord.delivery.question_header import build_header
from bot.discord.delivery.reply_target import DeliveryNote
from bot.discord.delivery.request_pacer import RequestPacer
from bot.i18n import words
from bot.notices import Notice, Refused
from bot.services import Services
from common import tracing
from jobqueue.article import Article
from jobqueue.errors import QueueUnavailable, UnknownJob
from jobqueue.event_reader import EventReader
from jobqueue.schema import Job

ACKNOWLEDGE_S = 1.0  # of Discord's three; a queue that is slower than this must not cost the ack
DEADLINE_SLACK_S = 10.0  # the queue's own deadline comes first

Submission = asyncio.Task[Notice | None]

log = logging.getLogger(__name__)


class AnswerManager:
    def __init__(
        self,
        client: discord.Client,
        services: Services,
        album: AnswerRegistry,
        *,
        dressing: Dressing,
        pace: RequestPacer,
    ) -> None:
        self._client = client
        self._queue = services.queue
        self._reader = services.settings.reader
        self._album = album
        self._pace = pace
        self._dressing = dressing
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._live: asyncio.Future[EventReader] = asyncio.get_running_loop().create_future()
        self._group = asyncio.TaskGroup()
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._jobs

    @property
    def count(self) -> int:
        return len(self._jobs)

    def list_jobs(self, user: str, channel: str) -> Iterator[Job]:
        """The answers that a person is being given in a channel."""
        return (job for job in self._jobs.values() if (job.user, job.channel) == (user, channel))

    @asynccontextmanager
    async def lock_channel(self, channel: str) -> AsyncIterator[None]:
        """Do something that nothing else may be done beside in this conversation.

        Raises:
            Refused: something is being done or answered there.
        """
        lock = self._locks.setdefault(channel, asyncio.Lock())
        try:
            async with asyncio.timeout(ACKNOWLEDGE_S):
                await lock.acquire()
        except TimeoutError:
            raise Refused(notices.BUSY) from None
        try:
            if any(job.channel == channel for job in self._jobs.values()):
                raise Refused(notices.BUSY)
            yield
        finally:
            lock.release()

    def find_renewal(self, answer: str) -> Job | None:
        """What is to become a new version of this answer, or of a part of it."""
        jobs = self._jobs.values()
        return next((job for job in jobs if reply_target.decode(job.reply).answer == answer), None)

    async def wait_until_over(self, job_id: str) -> bool:
        """Returns once the answer is there, or will not come; False where the next process goes
        on with it."""
        if task := self._tasks.get(job_id):
            await asyncio.wait({task})
            return not task.cancelled()
        return True

    async def wait_until_recorded(self, job_id: str) -> None:
        """An answer whose last edit was just seen may still be put on record, even one of an
        earlier process."""
        await asyncio.wait({self._live}, timeout=ACKNOWLEDGE_S)
        if task := self._tasks.get(job_id):
            await asyncio.wait({task}, timeout=ACKNOWLEDGE_S)

    async def wait_until_channel_recorded(self, channel: str) -> None:
        """The same of any answer of a conversation."""
        jobs = [job.id for job in self._jobs.values() if job.channel == channel]
        if tasks := {self._tasks[job_id] for job_id in jobs if job_id in self._tasks}:
            await asyncio.wait(tasks, timeout=ACKNOWLEDGE_S)

    async def run(self) -> None:
        """Continue what an earlier process left, then give answers until cancelled."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._dressing)
            live = await self._connected(stack)
            await stack.enter_async_context(self._group)
            for job, note in await self._undelivered():
                log.info("answer continued job=%s channel=%s", job.id, job.channel)
                self._spawn(job, resumed=reply_target.decode_note(note) if note else DeliveryNote())
            self._live.set_result(live)
            await asyncio.Event().wait()

    async def _connected(self, stack: AsyncExitStack) -> EventReader:
        while True:
            try:
                return await stack.enter_async_context(EventReader(self._queue, self._reader))
            except QueueUnavailable as error:
                log.warning("the queue cannot be reached, trying again: %s", error)
                await asyncio.sleep(1)

    async def _undelivered(self) -> list[tuple[Job, str]]:
        while True:
            try:
                return await self._queue.list_undelivered(self._reader)
            except QueueUnavailable:
                await asyncio.sleep(1)

    # --- one question ---------------------------------------------------------------------------

    async def submit(self, admitted: Admitted) -> Submission:
        """Put the question into the queue.

        Returns before it is accepted when the queue takes so long that the person must be
        acknowledged first; a refusal is then shown in place of the answer.

        Raises:
            Refused: the job was not accepted.
        """
        await asyncio.wait({self._live}, timeout=ACKNOWLEDGE_S)  # just started?
        if not self._live.done():
            raise Refused(notices.UNAVAILABLE)
        job = admitted.job
        submission = self._group.create_task(self._submit(job), name=f"submit {job.id}")
        done, _ = await asyncio.wait({submission}, timeout=ACKNOWLEDGE_S)
        if done and (refusal := submission.result()):
            raise Refused(refusal)
        return submission

    async def _submit(self, job: Job) -> Notice | None:
        try:
            return await submit(self._queue, job)
        except Exception:  # the job's edge: it must not end the group of all answers
            log.exception("submission broke job=%s channel=%s", job.id, job.channel)
            return notices.internal(job.id)

    def start_delivery(self, job: Job, submission: Submission) -> None:
        """Show a submitted job's answer from now on."""
        self._spawn(job, submission=submission)

    def start_refusal(self, job: Job, refusal: Notice) -> None:
        """Show why a job is not submitted, in place of its answer."""

        async def refused() -> Notice:
            return refusal

        self._spawn(job, submission=self._group.create_task(refused()))

    def _spawn(
        self, job: Job, *, submission: Submission | None = None, resumed: DeliveryNote | None = None
    ) -> None:
        if job.id in self._jobs:
            return  # it is being shown: an event came twice, or was also read up
        self._jobs[job.id] = job
        giving = self._give(job, submission, resumed)
        task = self._group.create_task(giving, name=f"give {job.id}")
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._over(job.id))

    def _over(self, job_id: str) -> None:
        del self._jobs[job_id], self._tasks[job_id]

    async def _give(
        self, job: Job, submission: Submission | None, resumed: DeliveryNote | None
    ) -> None:
        again = resumed is not None
        with tracing.start_span("answer", parent=job.trace, job=job.id, resumed=again):
            await self._given(job, submission, resumed)

    async def _given(
        self, job: Job, submission: Submission | None, resumed: DeliveryNote | None
    ) -> None:
        try:
            await self._pace.wait_until_idle()
            await self._show(job, submission, resumed)
            await self._queue.mark_delivered(job.id, job)
            log.info("answer delivered job=%s channel=%s", job.id, job.channel)
        except* Undeliverable as errors:
            log.warning("answer undeliverable job=%s channel=%s: %r", job.id, job.channel, errors)
            await self._abandon(job)
        except* QueueUnavailable:
            # It stays in the ledger; the next start shows the same text in the same messages.
            log.warning("delivery not recorded job=%s", job.id)
        except* Exception:  # the job's edge: one answer that breaks leaves the others alone
            log.exception("answer broke job=%s channel=%s", job.id, job.channel)

    async def _show(
        self, job: Job, submission: Submission | None, resumed: DeliveryNote | None
    ) -> None:
        below = reply_target.decode(job.reply)
        frame = await self._album.build_chrome(job, below.answer)
        note = resumed or DeliveryNote(below.messages)
        save, again = partial(self._note, job), resumed is not None
        async with self._showing(job, save, note=note, resumed=again, frame=frame) as reply:
            if submission and (refusal := await submission):
                await reply.fail(refusal)
                return
            try:
                if frame.article:  # at once, with the Stop button
                    reply.show_status(notices.RUNNING)
                elif frame.old_text:
                    reply.update(frame.old_text)
                live = await self._live
                await follow_answer(self._queue, live, job, reply, left_s=_left_s(job))
            except Exception:  # the job's edge: the person is told
                log.exception("answer broke job=%s channel=%s", job.id, job.channel)
                await self._abandon(job)
                await reply.fail(notices.internal(job.id))
        if reply.outcome:
            await self._pace.wait_until_idle()
            await self._album.record_answer(job, below.answer, reply.messages, reply.outcome)
        elif reply.in_vain:
            await self._album.record_work(job, reply.in_vain)

    def _showing(
        self,
        job: Job,
        save: Save,
        *,
        note: DeliveryNote,
        resumed: bool = False,
        frame: AnswerChrome,
    ) -> AbstractAsyncContextManager[DiscordReply]:
        language = words(job.locale)
        below = reply_target.decode(job.reply)
        place = create_transport(self._client, below, job.id, language)
        footnotes = [footnote.notice for footnote in below.footnotes]
        return showing(
            place,
            job.id,
            language,
            save,
            self._dressing.dress,
            pace=self._pace,
            note=note,
            resumed=resumed,
            asked=build_header(job),
            footnotes=footnotes,
            frame=frame,
        )

    async def show_version(self, shown: Shown, text: str, article: Article | None = None) -> None:
        """Put another version of an answer into its messages; of an article, this state."""

        async def forget(_: DeliveryNote) -> bool:
            return True  # what a killed process leaves half done is chosen again

        row = button_state(shown, article=article)
        frame, note = (
            AnswerChrome(lambda _: row, laid_out=article is not None),
            DeliveryNote(shown.messages),
        )
        await self._album.update(shown)  # before its buttons can be pressed
        async with self._showing(shown.job, forget, note=note, frame=frame) as reply:
            work = await self._album.find_work(shown.version)
            await reply.finish(text, replace(shown.version.outcome(work), article=article))
        if reply.messages != shown.messages:
            await self._album.update(msgspec.structs.replace(shown, messages=reply.messages))

    async def delete_unreachable_messages(self, shown: Shown, kept: tuple[str, ...]) -> None:
        """Delete the messages of a private answer that its new version cannot be shown in.

        The token that sent them may be over. Then they stay.
        """
        if ORIGINAL not in kept:
            return
        place = create_transport(
            self._client,
            reply_target.decode(shown.job.reply),
            shown.job.id,
            words(shown.job.locale),
        )
        for message in shown.messages[:-1]:  # the last one has the buttons
            with suppress(TransportError):
                await place.delete(message)

    async def _note(self, job: Job, note: DeliveryNote) -> bool:
        try:
            await self._queue.note_delivery(job.id, reply_target.encode(note).decode())
        except QueueUnavailable:
            return False
        return True

    async def _abandon(self, job: Job) -> None:
        """Nobody will see the answer: stop the work for it, and do not try again later."""
        with suppress(UnknownJob, QueueUnavailable):
            await self._queue.cancel(job.id)
            await self._queue.mark_delivered(job.id)


def _left_s(job: Job) -> float:
    """Ids of Discord carry the time of the question."""
    asked = discord.utils.snowflake_time(int(job.id)).timestamp()
    left = asked + job.ttl_ms / 1000 + DEADLINE_SLACK_S - time.time()
    return max(left, DEADLINE_SLACK_S)
