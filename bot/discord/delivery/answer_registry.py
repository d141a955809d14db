"""The record of answers in messages: what is around each, and what its messages still hold."""

import logging
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import aiohttp
import discord
import msgspec
from redis.exceptions import RedisError

from bot import problem_numbers
from bot.agent_trace import NOTHING, AgentTrace
from bot.answer_formatter import AnswerFormatter, figure_name
from bot.answer_store import ShownAnswer, Version, add_version
from bot.article import edits
from bot.article.message_layout import ArticleView
from bot.discord.ask.message_text import iterate_components
from bot.discord.delivery import reply_target
from bot.discord.delivery.discord_reply import AnswerChrome
from bot.discord.delivery.reply_target import InteractionTarget
from bot.discord.views import answer_buttons
from bot.i18n import words
from bot.notices import Notice
from bot.render.message_view import ButtonState, quote_question
from bot.reply_protocol import AnswerOutcome
from bot.services import Services
from jobqueue.article import Article
from jobqueue.blobs import Blobs
from jobqueue.errors import QueueError, QueueUnavailable
from jobqueue.schema import SOLVE, FinishReason, Job, strip_model

log = logging.getLogger(__name__)


class AnswerRegistry:
    """Records of shown answers.

    An answer is never lost to a record that cannot be read or written. It then has no buttons, or
    ones that say that they are forgotten.
    """

    def __init__(
        self, client: discord.Client, services: Services, formatter: AnswerFormatter
    ) -> None:
        self._client = client
        self._formatter = formatter
        self._shown = services.answers
        self._works = services.traces
        self._articles = services.articles
        self._blobs = services.blobs
        self._history = services.history
        self._feedback = services.feedback

    async def build_chrome(self, job: Job, answer: str) -> AnswerChrome:
        """Return what is around a job's answer, which is a new version of `answer` if that is
        named."""
        earlier, text = None, ""
        with suppress(QueueUnavailable):
            earlier = await self._shown.find(answer) if answer else None
            if earlier:
                turn = await self._history.get_turn(job.channel, earlier.job.id)
                text = turn.answer if turn else ""

        article = await self.find_article(earlier) if earlier else None

        def build_buttons(outcome: AnswerOutcome) -> ButtonState:
            shown = earlier if earlier and is_rework(job) else None
            shown = shown or add_version(earlier, Version.of(job, outcome), ())
            return button_state(shown, article=outcome.article)

        return AnswerChrome(
            build_header(job),
            _footnotes(job),
            build_buttons,
            old_text=text,
            old_header=build_header(earlier.job) if earlier else "",
            old_buttons=button_state(earlier, article=article) if earlier else None,
            laid_out=job.order is not None,
            article=await self.prepare_article(earlier, article) if earlier and article else None,
            is_rework=is_rework(job),
        )

    async def prepare_article(self, shown: ShownAnswer, article: Article) -> ArticleView:
        """Make an article ready to be shown, with the pictures that its messages still have."""
        await restore_images(self._client, self._blobs, shown, article)
        return await self._formatter.format_article(article)

    async def find_article(self, shown: ShownAnswer) -> Article | None:
        """Return the article's present state, if the answer is one and its record is known."""
        record = None
        with suppress(QueueUnavailable):
            record = await self._articles.find(shown.id) if shown.job.order else None
        return record.article if record else None

    async def record_answer(
        self, job: Job, answer: str, messages: tuple[str, ...], outcome: AnswerOutcome
    ) -> None:
        """Record a job's answer as the latest of its channel."""
        try:
            earlier = await self._shown.find(answer) if answer else None
            before = await self._shown.find_latest(job.channel)
            if earlier and is_rework(job):
                shown = msgspec.structs.replace(earlier, messages=messages)
            else:
                shown = add_version(earlier, Version.of(job, outcome), messages)
            if outcome.work:
                await self._works.keep(job.id, job.user, outcome.work)
            if outcome.article:
                await self._articles.add(shown.id, job.user, outcome.article)
            await self._shown.store(shown, latest=not is_rework(job))
        except (QueueUnavailable, RedisError) as error:
            log.warning("answer not on record job=%s: %r", job.id, error)
            return
        if before and before.id != shown.id:
            await self.redraw_buttons(before, latest=False)

    async def record_work(self, job: Job, work: AgentTrace) -> None:
        """Record the steps of a job that came to nothing, for whoever opens them."""
        with suppress(QueueUnavailable, RedisError):
            await self._works.keep(job.id, job.user, work)

    async def find_work(self, version: Version) -> AgentTrace:
        """Return a version's steps, or `NOTHING` where they cannot be read."""
        with suppress(QueueUnavailable):
            if version.work and (work := await self._works.find(version.job.id)):
                return work
        return NOTHING

    async def update(self, shown: ShownAnswer) -> None:
        """Record a change of an answer. An article may be changed when it is not the latest."""
        await self._shown.store(shown, latest=shown.job.order is None)

    async def redraw_buttons(self, shown: ShownAnswer, *, latest: bool) -> None:
        """Give an answer's last message its present buttons, where it can be reached.

        An article keeps its buttons, since they are a part of its layout.
        """
        if shown.job.order:
            return
        target = reply_target.decode(shown.job.reply)
        if isinstance(target, InteractionTarget) and not target.may_write:
            return  # only a token reaches it, and that is probably over
        channel = self._client.get_partial_messageable(int(target.channel))
        message = channel.get_partial_message(int(shown.messages[-1].rpartition("/")[2]))
        with suppress(discord.HTTPException, aiohttp.ClientError, OSError, QueueUnavailable):
            votes = await self._feedback.counts(shown.job.id)
            buttons = button_state(shown, latest=latest)
            await message.edit(
                view=answer_buttons.buttons_view(buttons, words(shown.job.locale), votes)
            )


def is_rework(job: Job) -> bool:
    """Return whether a job changes a part of an article, and is no version of the answer."""
    return job.order is not None and job.order.change is not None


def build_version_chrome(shown: ShownAnswer, article: Article | None) -> AnswerChrome:
    """Return what is around the version of an answer that is to be shown."""
    buttons = button_state(shown, article=article)
    return AnswerChrome(
        build_header(shown.job),
        _footnotes(shown.job),
        lambda _: buttons,
        laid_out=article is not None,
    )


def button_state(
    shown: ShownAnswer, *, latest: bool = True, article: Article | None = None
) -> ButtonState:
    question, _ = problem_numbers.split_prompt(shown.job.prompt)
    is_problem = strip_model(shown.job.capability) == SOLVE
    return ButtonState(
        job=shown.job.id,
        is_latest=latest,
        can_continue=shown.version.reason is FinishReason.LENGTH,
        current=shown.current,
        version_count=len(shown.versions),
        work=shown.version.work,
        has_numbers=is_problem and bool(problem_numbers.find_numbers(question)),
        has_formulas=shown.version.formulas,
        is_article=article is not None,
        has_empty_slots=article is not None and bool(edits.list_empty_slots(article)),
    )


def _footnotes(job: Job) -> list[Notice]:
    return [footnote.notice for footnote in reply_target.decode(job.reply).footnotes]


def build_header(job: Job) -> str:
    """Return the lines above an answer: what was asked, where Discord does not show it.

    These are the question, the pictures that came with a command, and the message it is about.
    """
    target = reply_target.decode(job.reply)
    question, material = problem_numbers.split_prompt(job.prompt)
    command = target if isinstance(target, InteractionTarget) else None
    message = target.about if command or target.quoted else ""  # else Discord shows it
    if material and not (target.footnotes or target.about or target.read_along):
        question = job.prompt  # no material was read: the person wrote similar text
    lines = [quote_question(question)] if target.quoted and question else []
    if (command or message) and not job.order:
        about = message or ", ".join(f"`{name}`" for name in _pictures(job))
        lines += [f"> {'↪' if message else '🖼️'} {about}"] if about else []
    return "\n".join(lines)


def _pictures(job: Job) -> list[str]:
    files = (file for file in job.attachments if file.media_type.startswith("image/"))
    return list(dict.fromkeys(file.name for file in files))


# --- pictures of an article ---------------------------------------------------------------------


async def restore_images(
    client: discord.Client, blobs: Blobs, shown: ShownAnswer, article: Article
) -> None:
    """Put an article's pictures back into the queue's memory, as far as Discord has them.

    Bytes live there for a day, an article's buttons for a month. Its messages keep its pictures
    under names that say what they hold. A missing picture is no failure.
    """
    with suppress(QueueError):
        missing = {
            figure_name(figure): figure.picture.sha256
            for figure in article.figures
            if await blobs.get(figure.picture.sha256) is None
        }
        if not missing:
            return
        async for name, data in _find_files(client, shown, missing):
            if sha256(data).hexdigest() == missing[name]:
                await blobs.put(data, user=shown.job.user, server=shown.job.server)


async def _find_files(
    client: discord.Client, shown: ShownAnswer, missing: Collection[str]
) -> AsyncIterator[tuple[str, bytes]]:
    channel = client.get_partial_messageable(int(reply_target.decode(shown.job.reply).channel))
    for message in shown.messages:
        try:
            carrier = await channel.fetch_message(int(message.rpartition("/")[2]))
            for url in _file_urls(carrier):
                name = PurePosixPath(urlsplit(url).path).name
                if name in missing:
                    yield name, await client.http.get_from_cdn(url)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            log.info("pictures not restored answer=%s: %r", shown.id, error)


def _file_urls(message: discord.Message) -> Iterator[str]:
    """Yield the address of each file of a message. An address ends with the file's name.

    `attachments` holds only files that no embed and no component shows.
    """
    yield from (file.url for file in message.attachments)
    for component in iterate_components(message.components):
        match component:
            case discord.MediaGalleryComponent(items=items):
                yield from (item.media.url for item in items)
            case discord.FileComponent(media=media) | discord.ThumbnailComponent(media=media):
                yield media.url
