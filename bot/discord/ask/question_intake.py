"""Questions between a person's first message and the queue.

A person's quick successive messages become one question. What it points at is fetched, its thread
opened and its files read before the job is submitted. Until then it is held in Redis, so that a
process that is killed loses none.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from typing import TypeVar, cast

import aiohttp
import discord
from msgspec.structs import replace
from redis.exceptions import RedisError

from bot import notices
from bot.discord.ask import references
from bot.discord.ask.admission import Admission
from bot.discord.delivery import reply_target
from bot.discord.delivery.answer_manager import AnswerManager
from bot.discord.delivery.reply_target import Footnote, InteractionTarget, MessageTarget
from bot.files.attach import FileAttacher, FileCapabilities
from bot.files.file_reader import FileReader
from bot.notices import Notice, QuestionRefused
from bot.pending_questions import Question
from bot.services import Services
from common import tracing
from jobqueue.errors import QueueUnavailable, UnknownJob
from jobqueue.schema import Job, with_traceparent

QUIET_S = 0.8  # without another message, a question is complete
LONGEST_S = 3.0
REMEMBERED = 1_000  # ids of messages
PERSIST_S = 1.0  # for Redis to hold a question; it is asked all the same
TITLE_CHARS = 80  # of a thread; Discord takes 100
ALREADY_OPEN = 160004  # Discord's code for a message that has a thread

log = logging.getLogger(__name__)

T = TypeVar("T")
Conversation = tuple[str, str]  # user and channel


class QuestionIntake:
    def __init__(
        self,
        client: discord.Client,
        services: Services,
        admission: Admission,
        answers: AnswerManager,
    ) -> None:
        self._client = client
        self._services = services
        self._admission = admission
        self._answers = answers
        self._attacher = FileAttacher(FileReader(), services.blobs, self._fetch_file)
        self._group = asyncio.TaskGroup()
        self._open: dict[Conversation, asyncio.Queue[Question]] = {}
        self._known_ids: OrderedDict[str, None] = OrderedDict()

    async def run(self) -> None:
        """Ask what an earlier process held, then take questions until cancelled."""
        async with self._group:
            await self._resume()
            await asyncio.Event().wait()

    async def _resume(self) -> None:
        while True:
            try:
                left = await self._services.pending.list_all()
                break
            except QueueUnavailable:
                await asyncio.sleep(1)
        for question in left:  # catching up may bring their messages again
            self.remember_id(question.job.id)
        for _, questions in groupby(sorted(left, key=_conversation_of), key=_conversation_of):
            self._group.create_task(self._ask_unless_submitted(list(questions)))

    # --- collecting -----------------------------------------------------------------------------

    def remember_id(self, message_id: str) -> bool:
        """Remember a message. Return whether it was known: a resumed session may repeat it."""
        known = message_id in self._known_ids
        self._known_ids[message_id] = None
        if len(self._known_ids) > REMEMBERED:
            self._known_ids.popitem(last=False)
        return known

    def add_message(self, question: Question) -> None:
        """Ask a question once its person has written nothing more for a moment."""
        conversation = _conversation_of(question)
        messages = self._open.get(conversation)
        if messages is None:
            messages = self._open[conversation] = asyncio.Queue()
            self._group.create_task(self._collect(conversation, messages))
        messages.put_nowait(_with_trace(question))

    async def persist(self, question: Question) -> None:
        """Let the next process ask the question if this one is killed before `start` has."""
        try:
            async with asyncio.timeout(PERSIST_S):
                await self._services.pending.save(
                    question if question.job.trace else _with_trace(question)
                )
        except (TimeoutError, QueueUnavailable, RedisError):
            log.warning("question not held job=%s", question.job.id)

    def start(self, question: Question) -> None:
        """Ask a persisted question as soon as its thread is open and its files are read."""
        self._group.create_task(self._ask([question]))

    async def _collect(self, conversation: Conversation, messages: asyncio.Queue[Question]) -> None:
        collected: list[Question] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                while True:
                    async with asyncio.timeout(QUIET_S):
                        question = await messages.get()
                    collected.append(question)
                    await self.persist(question)
        del self._open[conversation]
        while not messages.empty():
            collected.append(messages.get_nowait())
        for group in self._group_fitting(collected):
            await self._ask(group)

    # --- asking ---------------------------------------------------------------------------------

    async def _ask_unless_submitted(self, questions: list[Question]) -> None:
        for group in self._group_fitting(questions):
            try:
                await self._services.queue.get_status(group[0].job.id)
            except UnknownJob:
                await self._ask(group)
            except QueueUnavailable:
                log.warning("held question waits for the next start job=%s", group[0].job.id)
            else:
                await self._delete_pending(group)

    def _group_fitting(self, questions: list[Question]) -> Iterator[list[Question]]:
        limit = self._services.settings.commonroom_max_prompt_chars
        # Separate tasks received them, so their order follows from their ids.
        return group_questions(sorted(questions, key=lambda each: int(each.job.id)), limit)

    async def _ask(self, questions: list[Question]) -> None:
        question = merge_questions(questions)
        more = [each.job.trace for each in questions[1:]]
        with tracing.start_span(
            "intake",
            parent=question.job.trace,
            links=more,
            job=question.job.id,
            files=len(question.files),
            messages=len(questions),
        ):
            await self._complete_and_submit(question)
        await self._delete_pending(questions)

    async def _complete_and_submit(self, question: Question) -> None:
        """Complete a question, submit its job and start to deliver its answer."""
        answers = self._answers
        try:
            question, unread = await references.resolve_references(
                self._client, self._services.history, question
            )
            admitted = await self._admission.admit(question.asked_by, question.job, question.files)
            question = replace(question, job=admitted.job)
            if question.thread:
                question = await open_thread(self._client, question)
            job = await self._attach_material(question, unread)
            answers.start_delivery(job, await answers.submit(admitted.with_job(job)))
        except QuestionRefused as refused:
            answers.start_refusal(question.job, refused.notice)
        except Exception:  # the question's edge: it must not end the group of all questions
            log.exception("question broke job=%s", question.job.id)
            answers.start_refusal(question.job, notices.internal_error(question.job.id))

    async def _delete_pending(self, questions: list[Question]) -> None:
        with suppress(QueueUnavailable, RedisError):  # then the next start sees that it was asked
            await self._services.pending.delete(*(question.job.id for question in questions))

    async def _attach_material(self, question: Question, unread: list[Notice]) -> Job:
        """Return the job with the files, and with the messages that the question points at."""
        if not (question.files or question.quotes):
            return replace(question.job, prompt=question.words)
        try:
            capabilities = FileCapabilities.from_workers(await self._services.queue.list_workers())
        except QueueUnavailable:
            capabilities = FileCapabilities(vision=False)
        job, notes = await self._attacher.attach(question, capabilities)
        target = reply_target.decode(job.reply)
        more = tuple(Footnote(note.key, dict(note.arguments)) for note in (*unread, *notes))
        target = replace(target, footnotes=(*target.footnotes, *more), read_along=True)
        return replace(job, reply=reply_target.encode(target).decode())

    async def _fetch_file(self, url: str) -> bytes:
        try:
            return await self._client.http.get_from_cdn(url)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            raise OSError(str(error)) from error


def group_questions(questions: list[Question], limit: int) -> Iterator[list[Question]]:
    """Yield as few groups as `limit` characters of prompt allow in each, in order."""
    group: list[Question] = []
    for question in questions:
        together = sum(len(each.words) + 1 for each in (*group, question))
        if group and together > limit:
            yield group
            group = []
        group.append(question)
    if group:
        yield group


def merge_questions(questions: list[Question]) -> Question:
    """Merge messages into one question, below the last of them.

    Its id is the first one's, so that merging again after a restart gives the same job.
    """
    first, *more = questions
    if not more:
        return first
    asked = [question for question in questions if question.asked] or [first]
    prompt = "\n".join(question.words for question in asked)
    return replace(
        first,
        job=replace(first.job, prompt=prompt, reply=more[-1].job.reply),
        files=tuple(file for question in questions for file in question.files),
        quotes=_without_repeats(quote for question in questions for quote in question.quotes),
        references=_without_repeats(
            reference for question in questions for reference in question.references
        ),
        asked=any(question.asked for question in questions),
        own_words=prompt,
    )


def _without_repeats(things: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(things))


def _with_trace(question: Question) -> Question:
    """Return the question with its trace, which perhaps the next process continues."""
    return replace(question, job=with_traceparent(question.job))


def _conversation_of(question: Question) -> Conversation:
    return question.job.user, question.job.channel


# --- threads below questions --------------------------------------------------------------------


async def open_thread(client: discord.Client, question: Question) -> Question:
    """Open a thread below the response that shows a question, and return the question to be
    answered there.

    An earlier process may have opened it. Without a thread the answer goes below the question.

    Raises:
        QuestionRefused: the response is not there any more, or never was.
    """
    job, target = question.job, reply_target.decode(question.job.reply)
    if not isinstance(target, InteractionTarget):
        return question
    response = await _fetch_response_id(client, target)
    channel = client.get_partial_messageable(int(target.channel), guild_id=int(job.server))
    to = MessageTarget(channel=str(response), message="")
    try:
        await channel.get_partial_message(response).create_thread(name=_thread_title(job.prompt))
    except (discord.HTTPException, aiohttp.ClientError) as error:
        if getattr(error, "code", 0) != ALREADY_OPEN:
            log.warning("no thread job=%s: %r", job.id, error)
            to = MessageTarget(channel=target.channel, message=str(response))
    job = replace(job, channel=to.channel, reply=reply_target.encode(to).decode())
    return replace(question, job=job)


async def _fetch_response_id(client: discord.Client, target: InteractionTarget) -> int:
    """Return the id of an interaction's response. A thread below a message has the same id."""
    webhook = discord.Webhook.partial(int(target.application), target.token, client=client)
    try:
        # discord.py's type asks for a number, but Discord also takes this name.
        return (await webhook.fetch_message(cast("int", "@original"))).id
    except discord.HTTPException as error:
        if error.status not in (401, 403, 404):
            raise
        raise QuestionRefused(notices.LOST) from error


def _thread_title(prompt: str) -> str:
    first = " ".join(prompt.split())
    return first if len(first) <= TITLE_CHARS else f"{first[: TITLE_CHARS - 1].rstrip()}…"
