"""What is shown where, and the buttons that go with it."""

import logging
from contextlib import suppress

import aiohttp
import discord
from redis.exceptions import RedisError

from bot import problem
from bot.discord import buttons, destination
from bot.discord.destination import BelowInteraction
from bot.discord.reply import Frame
from bot.feedback import Feedback
from bot.render.faces import Row
from bot.reply import Outcome
from bot.shown import Shown, ShownAnswers, Version, with_version
from bot.words import words
from bot.work import NOTHING, Work, WorkRecords
from jobqueue.capabilities import SOLVE, without_model
from jobqueue.errors import QueueUnavailable
from jobqueue.history import History
from jobqueue.schema import FinishReason, Job

log = logging.getLogger(__name__)


class Album:
    """An answer is never lost to a record that cannot be read or written: it has no buttons then,
    or ones that say that they are forgotten."""

    def __init__(
        self,
        client: discord.Client,
        shown: ShownAnswers,
        works: WorkRecords,
        history: History,
        feedback: Feedback,
    ) -> None:
        self._client = client
        self._shown = shown
        self._works = works
        self._history = history
        self._feedback = feedback

    async def frame(self, job: Job, answer: str) -> Frame:
        """What is around this job's answer, which is a new version of `answer` if that is named."""
        earlier, text = None, ""
        with suppress(QueueUnavailable):
            earlier = await self._shown.find(answer) if answer else None
            if earlier:
                turn = await self._history.turn(job.channel, earlier.job.id)
                text = turn.answer if turn else ""

        def row(outcome: Outcome) -> Row:
            return row_of(with_version(earlier, Version.of(job, outcome), ()))

        return Frame(row, text, row_of(earlier) if earlier else None)

    async def add(self, job: Job, answer: str, messages: tuple[str, ...], outcome: Outcome) -> None:
        """Put the job's answer on record, as the latest of its channel."""
        try:
            earlier = await self._shown.find(answer) if answer else None
            before = await self._shown.latest(job.channel)
            shown = with_version(earlier, Version.of(job, outcome), messages)
            if outcome.work:
                await self._works.keep(job.id, job.user, outcome.work)
            await self._shown.keep(shown)
        except (QueueUnavailable, RedisError) as error:
            log.warning("answer not on record job=%s: %r", job.id, error)
            return
        if before and before.id != shown.id:
            await self.redraw(before, latest=False)

    async def keep_work(self, job: Job, work: Work) -> None:
        """Of an answer that came to nothing, for whoever opens it."""
        with suppress(QueueUnavailable, RedisError):
            await self._works.keep(job.id, job.user, work)

    async def work_of(self, version: Version) -> Work:
        """Nothing, where it cannot be read: the answer is shown all the same."""
        with suppress(QueueUnavailable):
            return await self._works.find(version.job.id) if version.work else NOTHING
        return NOTHING

    async def put(self, shown: Shown) -> None:
        await self._shown.keep(shown)

    async def redraw(self, shown: Shown, *, latest: bool) -> None:
        """Give an answer's last message the buttons it should have now; a courtesy."""
        below = destination.decode(shown.job.reply)
        if isinstance(below, BelowInteraction) and not below.may_write:
            return  # only a token reaches it, and that is probably over
        channel = self._client.get_partial_messageable(int(below.channel))
        message = channel.get_partial_message(int(shown.messages[-1].rpartition("/")[2]))
        with suppress(discord.HTTPException, aiohttp.ClientError, OSError, QueueUnavailable):
            votes = await self._feedback.counts(shown.job.id)
            row = row_of(shown, latest=latest)
            await message.edit(view=buttons.view(row, words(shown.job.locale), votes))


def row_of(shown: Shown, *, latest: bool = True) -> Row:
    return Row(
        job=shown.job.id,
        latest=latest,
        cut=shown.version.reason is FinishReason.LENGTH,
        current=shown.current,
        versions=len(shown.versions),
        work=shown.version.work,
        numbers=_has_numbers(shown.job),
        formulas=shown.version.formulas,
    )


def _has_numbers(job: Job) -> bool:
    """Whether it is a problem that can be solved with other ones."""
    is_problem = without_model(job.capability) == SOLVE
    return is_problem and bool(problem.numbers(problem.parted(job.prompt)[0]))
