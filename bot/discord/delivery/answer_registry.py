"""What is shown where, and the buttons that go with it."""

import logging
from contextlib import suppress

import aiohttp
import discord
import msgspec
from redis.exceptions import RedisError

from bot import problem_numbers
from bot.agent_trace import NOTHING, Work
from bot.answer_formatter import Dressing
from bot.answer_store import Shown, Version, with_version
from bot.article import edits
from bot.article.message_layout import Spread
from bot.discord.delivery import reply_target
from bot.discord.delivery.discord_reply import AnswerChrome
from bot.discord.delivery.question_header import build_header
from bot.discord.delivery.reply_target import InteractionTarget
from bot.discord.delivery.restore_images import restore_images
from bot.discord.views import answer_buttons
from bot.i18n import words
from bot.render.message_view import Row
from bot.reply_protocol import AnswerOutcome
from bot.services import Services
from jobqueue.article import Article
from jobqueue.errors import QueueUnavailable
from jobqueue.schema import SOLVE, FinishReason, Job, strip_model

log = logging.getLogger(__name__)


class AnswerRegistry:
    """An answer is never lost to a record that cannot be read or written: it has no buttons then,
    or ones that say that they are forgotten."""

    def __init__(self, client: discord.Client, services: Services, dressing: Dressing) -> None:
        self._client = client
        self._dressing = dressing
        self._shown = services.shown
        self._works = services.works
        self._articles = services.articles
        self._blobs = services.blobs
        self._history = services.history
        self._feedback = services.feedback

    async def build_chrome(self, job: Job, answer: str) -> AnswerChrome:
        """What is around this job's answer, which is a new version of `answer` if that is named."""
        earlier, text = None, ""
        with suppress(QueueUnavailable):
            earlier = await self._shown.find(answer) if answer else None
            if earlier:
                turn = await self._history.get_turn(job.channel, earlier.job.id)
                text = turn.answer if turn else ""

        article = await self.find_article(earlier) if earlier else None

        def row(outcome: AnswerOutcome) -> Row:
            shown = earlier if earlier and is_rework(job) else None
            shown = shown or with_version(earlier, Version.of(job, outcome), ())
            return button_state(shown, article=outcome.article)

        return AnswerChrome(
            row,
            text,
            build_header(earlier.job) if earlier else "",
            button_state(earlier, article=article) if earlier else None,
            laid_out=job.order is not None,
            article=await self.prepare_article(earlier, article) if earlier and article else None,
            is_rework=is_rework(job),
        )

    async def prepare_article(self, shown: Shown, article: Article) -> Spread:
        """An article ready to be shown, with the pictures that its messages still have."""
        await restore_images(self._client, self._blobs, shown, article)
        return await self._dressing.spread(article)

    async def find_article(self, shown: Shown) -> Article | None:
        """As it is now, if it is one and is known."""
        record = None
        with suppress(QueueUnavailable):
            record = await self._articles.find(shown.id) if shown.job.order else None
        return record.article if record else None

    async def record_answer(
        self, job: Job, answer: str, messages: tuple[str, ...], outcome: AnswerOutcome
    ) -> None:
        """Put the job's answer on record, as the latest of its channel."""
        try:
            earlier = await self._shown.find(answer) if answer else None
            before = await self._shown.latest(job.channel)
            if earlier and is_rework(job):
                shown = msgspec.structs.replace(earlier, messages=messages)
            else:
                shown = with_version(earlier, Version.of(job, outcome), messages)
            if outcome.work:
                await self._works.keep(job.id, job.user, outcome.work)
            if outcome.article:
                await self._articles.add(shown.id, job.user, outcome.article)
            await self._shown.keep(shown, latest=not is_rework(job))
        except (QueueUnavailable, RedisError) as error:
            log.warning("answer not on record job=%s: %r", job.id, error)
            return
        if before and before.id != shown.id:
            await self.redraw_buttons(before, latest=False)

    async def record_work(self, job: Job, work: Work) -> None:
        """Of an answer that came to nothing, for whoever opens it."""
        with suppress(QueueUnavailable, RedisError):
            await self._works.keep(job.id, job.user, work)

    async def find_work(self, version: Version) -> Work:
        """Nothing, where it cannot be read: the answer is shown all the same."""
        with suppress(QueueUnavailable):
            if version.work and (work := await self._works.find(version.job.id)):
                return work
        return NOTHING

    async def update(self, shown: Shown) -> None:
        """A change of what is shown; an article may be changed when it is no longer the latest."""
        await self._shown.keep(shown, latest=shown.job.order is None)

    async def redraw_buttons(self, shown: Shown, *, latest: bool) -> None:
        """Give an answer's last message the buttons it should have now; a courtesy. An article
        keeps those it has: they are a part of its layout."""
        if shown.job.order:
            return
        below = reply_target.decode(shown.job.reply)
        if isinstance(below, InteractionTarget) and not below.may_write:
            return  # only a token reaches it, and that is probably over
        channel = self._client.get_partial_messageable(int(below.channel))
        message = channel.get_partial_message(int(shown.messages[-1].rpartition("/")[2]))
        with suppress(discord.HTTPException, aiohttp.ClientError, OSError, QueueUnavailable):
            votes = await self._feedback.counts(shown.job.id)
            row = button_state(shown, latest=latest)
            await message.edit(view=answer_buttons.view(row, words(shown.job.locale), votes))


def is_rework(job: Job) -> bool:
    """Whether it changes a part of an article, and is no version of the answer."""
    return job.order is not None and job.order.change is not None


def button_state(shown: Shown, *, latest: bool = True, article: Article | None = None) -> Row:
    return Row(
        job=shown.job.id,
        latest=latest,
        cut=shown.version.reason is FinishReason.LENGTH,
        current=shown.current,
        versions=len(shown.versions),
        work=shown.version.work,
        numbers=_has_numbers(shown.job),
        formulas=shown.version.formulas,
        article=article is not None,
        empty=article is not None and bool(edits.empty(article)),
    )


def _has_numbers(job: Job) -> bool:
    """Whether it is a problem that can be solved with other ones."""
    is_problem = strip_model(job.capability) == SOLVE
    return is_problem and bool(problem_numbers.numbers(problem_numbers.parted(job.prompt)[0]))
