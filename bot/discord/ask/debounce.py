"""Between hearing a question and having it in the queue.

A person's quick successive messages become one question, and files are read, before the job is
submitted. Until then it is held in Redis, so that a process that is killed loses none.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from typing import TypeVar

import aiohttp
import discord
import msgspec
from redis.exceptions import RedisError

from bot import notices
from bot.discord import threads
from bot.discord.ask import references
from bot.discord.ask.admission import Admission
from bot.discord.delivery import reply_target
from bot.discord.delivery.answer_manager import AnswerManager
from bot.discord.delivery.reply_target import Footnote
from bot.files.attach import Attaching, Sight
from bot.files.file_reader import FileReader
from bot.notices import Notice, Refused
from bot.pending_questions import Question
from bot.services import Services
from common import tracing
from jobqueue.errors import QueueUnavailable, UnknownJob
from jobqueue.schema import Job, with_traceparent

QUIET_S = 0.8  # without another message, a question is complete
LONGEST_S = 3.0
REMEMBERED = 1_000  # ids of messages
HOLD_S = 1.0  # for Redis to hold a question; it is asked all the same

log = logging.getLogger(__name__)

T = TypeVar("T")
Who = tuple[str, str]  # user and channel


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
        self._held = services.held
        self._attaching = Attaching(FileReader(), services.blobs, self._fetch)
        self._group = asyncio.TaskGroup()
        self._open: dict[Who, asyncio.Queue[Question]] = {}
        self._heard: OrderedDict[str, None] = OrderedDict()

    async def run(self) -> None:
        """Ask what an earlier process held, then take questions until cancelled."""
        async with self._group:
            await self._adopt()
            await asyncio.Event().wait()

    async def _adopt(self) -> None:
        while True:
            try:
                left = await self._held.all()
                break
            except QueueUnavailable:
                await asyncio.sleep(1)
        for question in left:  # catching up may bring their messages again
            self.remember_id(question.job.id)
        for _, questions in groupby(sorted(left, key=_who), key=_who):
            self._start(list(questions))

    # --- hearing --------------------------------------------------------------------------------

    def remember_id(self, message_id: str) -> bool:
        """Whether this message came before: a resumed session may bring it twice."""
        known = message_id in self._heard
        self._heard[message_id] = None
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        return known

    def add_message(self, question: Question) -> None:
        """Ask it once its person has said nothing more for a moment."""
        said = self._open.get(_who(question))
        if said is None:
            said = self._open[_who(question)] = asyncio.Queue()
            self._group.create_task(self._listen(_who(question), said))
        said.put_nowait(_carrying(question))

    async def persist(self, question: Question) -> None:
        """Let the next process ask it if this one is killed before `take` has."""
        try:
            async with asyncio.timeout(HOLD_S):
                await self._held.put(question if question.job.trace else _carrying(question))
        except (TimeoutError, QueueUnavailable, RedisError):
            log.warning("question not held job=%s", question.job.id)

    def start(self, question: Question) -> None:
        """Ask it, which is held, as soon as its thread is open and its files are read."""
        self._group.create_task(self._ask([question]))

    async def _listen(self, who: Who, said: asyncio.Queue[Question]) -> None:
        heard: list[Question] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                while True:
                    async with asyncio.timeout(QUIET_S):
                        question = await said.get()
                    heard.append(question)
                    await self.persist(question)
        del self._open[who]
        while not said.empty():
            heard.append(said.get_nowait())
        await self._ask_all(heard)

    # --- asking ---------------------------------------------------------------------------------

    def _start(self, questions: list[Question]) -> None:
        self._group.create_task(self._ask_unless_asked(questions))

    async def _ask_unless_asked(self, questions: list[Question]) -> None:
        for group in self._grouped(questions):
            try:
                await self._services.queue.get_status(group[0].job.id)
            except UnknownJob:
                await self._ask(group)
            except QueueUnavailable:
                log.warning("held question waits for the next start job=%s", group[0].job.id)
            else:
                await self._forget(group)

    async def _ask_all(self, questions: list[Question]) -> None:
        for group in self._grouped(questions):
            await self._ask(group)

    def _grouped(self, questions: list[Question]) -> Iterator[list[Question]]:
        limit = self._services.settings.commonroom_max_prompt_chars
        return group_questions(
            sorted(questions, key=_number), limit
        )  # each was heard by its own task

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
            await self._asked(question)
        await self._forget(questions)

    async def _asked(self, question: Question) -> None:
        answers = self._answers
        try:
            question, unread = await references.resolve_references(
                self._client, self._services.history, question
            )
            admitted = await self._admission.admit(question.asked_by, question.job, question.files)
            question = msgspec.structs.replace(question, job=admitted.job)
            if question.thread:
                question = await threads.open_thread(self._client, question)
            job = await self._with_material(question, unread)
            answers.start_delivery(job, await answers.submit(admitted.with_job(job)))
        except Refused as refused:
            answers.start_refusal(question.job, refused.notice)
        except Exception:  # the question's edge: it must not end the group of all questions
            log.exception("question broke job=%s", question.job.id)
            answers.start_refusal(question.job, notices.internal(question.job.id))

    async def _forget(self, questions: list[Question]) -> None:
        with suppress(QueueUnavailable, RedisError):  # then the next start sees that it was asked
            await self._held.drop(*(question.job.id for question in questions))

    async def _with_material(self, question: Question, unread: list[Notice]) -> Job:
        """The job with the messages that it points at, and with the files."""
        if not (question.files or question.quotes):
            return msgspec.structs.replace(question.job, prompt=question.words)
        job, notes = await self._attaching.attach(question, await self._sight())
        return msgspec.structs.replace(job, reply=_with_footnotes(job.reply, [*unread, *notes]))

    async def _sight(self) -> Sight:
        try:
            workers = await self._services.queue.list_workers()
        except QueueUnavailable:
            return Sight(vision=False)
        return Sight.of(workers)

    async def _fetch(self, url: str) -> bytes:
        try:
            return await self._client.http.get_from_cdn(url)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            raise OSError(str(error)) from error


def group_questions(questions: list[Question], limit: int) -> Iterator[list[Question]]:
    """As few groups as `limit` characters of prompt allow in each, in order."""
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
    """One question of all, below the last message.

    Its id is the first one's, so that merging again after a restart gives the same job.
    """
    first, *more = questions
    if not more:
        return first
    asked = [question for question in questions if question.asked] or [first]
    prompt = "\n".join(question.words for question in asked)
    return msgspec.structs.replace(
        first,
        job=msgspec.structs.replace(first.job, prompt=prompt, reply=more[-1].job.reply),
        files=tuple(file for question in questions for file in question.files),
        quotes=_each_once(quote for question in questions for quote in question.quotes),
        references=_each_once(each for question in questions for each in question.references),
        asked=any(question.asked for question in questions),
        own_words=prompt,
    )


def _each_once(things: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(things))


def _carrying(question: Question) -> Question:
    """To be gone on with in its trace, perhaps by the next process."""
    return msgspec.structs.replace(question, job=with_traceparent(question.job))


def _number(question: Question) -> int:
    return int(question.job.id)


def _who(question: Question) -> Who:
    return question.job.user, question.job.channel


def _with_footnotes(reply: str, notes: list[Notice]) -> str:
    below = reply_target.decode(reply)
    more = tuple(Footnote(note.key, dict(note.arguments)) for note in notes)
    below = msgspec.structs.replace(below, footnotes=(*below.footnotes, *more), read_along=True)
    return reply_target.encode(below).decode()
