"""Admission: may a person ask here and now, and what do the admins want of the answer?

Every job goes through `Admission.admit`: `AnswerManager.submit` takes nothing else.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import discord
from msgspec.structs import replace

from bot import notices
from bot.discord.access import server_of
from bot.files.file_reader import MAX_BYTES
from bot.notices import QuestionRefused
from bot.pending_questions import Asker, PostedFile
from bot.preferences import Preferences
from bot.services import Services
from jobqueue.errors import QueueUnavailable
from jobqueue.schema import ARTICLE, SOLVE, VISION, Job, WorkerStatus, add_model, strip_model

PICTURE_TURNS = 3  # turns after a picture in which a question may still be about it
NO_WORKER_NOTICES = {SOLVE: notices.NO_SOLVER, ARTICLE: notices.NO_WRITER}
PATIENCE_S = 0.7  # of the three seconds that Discord waits


@dataclass(frozen=True)
class Admitted:
    """A job that may be submitted; only `Admission` makes one."""

    job: Job

    def with_job(self, job: Job) -> "Admitted":
        """Return the same question with its files, or in the thread that was opened for it."""
        return Admitted(job)


def asker(user: discord.abc.User, channel: object, channel_id: int, server: int | None) -> Asker:
    parent = channel.parent_id if isinstance(channel, discord.Thread) else None
    roles = user.roles if isinstance(user, discord.Member) else []
    return Asker(
        user=str(user.id),
        server=str(server or user.id),
        channels=tuple(str(place) for place in (parent, channel_id) if place),
        roles=tuple(str(role.id) for role in roles),
    )


def asker_of(interaction: discord.Interaction) -> Asker:
    server = int(server_of(interaction))
    return asker(interaction.user, interaction.channel, interaction.channel_id or 0, server)


def author_of(message: discord.Message) -> Asker:
    guild = message.guild.id if message.guild else None
    return asker(message.author, message.channel, message.channel.id, guild)


class Admission:
    def __init__(self, services: Services) -> None:
        self._preferences = services.preferences
        self._rates = services.rates
        self._queue = services.queue
        self._history = services.history

    async def admit(self, who: Asker, job: Job, files: Sequence[PostedFile] = ()) -> Admitted:
        """Count the question and its files, and apply the admins' persona, model, tools and limits.

        The same question counts once, so that this may be repeated. While Redis is away, the last
        known settings hold and nothing is counted; the queue then refuses the job.

        Raises:
            QuestionRefused: this person may not ask here, or not so often, or nobody can answer.
        """
        capability = strip_model(job.capability)
        try:
            async with asyncio.timeout(PATIENCE_S):
                preferences = require_open(
                    who, await self._preferences.resolve(who.server, who.channels)
                )
                workers = await self._queue.list_workers()
                require_able(capability, workers)
                await self._require_within(who, job.id, files, preferences)
        except (TimeoutError, QueueUnavailable):
            preferences = require_open(who, self._preferences.last_known(who.server, who.channels))
            workers = []
        fitted = replace(
            job,
            system=preferences.persona or "",
            sampling=replace(preferences.sampling, seed=job.sampling.seed),
            tools=preferences.tools or (),
            approval=bool(preferences.approval),
            locale=preferences.language or job.locale,
            capability=served_capability(capability, preferences.model, workers),
        )
        seeing = any(VISION in worker.capabilities for worker in workers)
        if fitted.capability == "chat" and seeing and await self._follows_pictures(job.channel):
            fitted = replace(fitted, capability=VISION)
        return Admitted(fitted)

    async def require_open(self, who: Asker) -> None:
        """Check early that the bot is open to a person. Their complete question is admitted later.

        Raises:
            QuestionRefused: the bot is switched off at the place, or for others than this person.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                preferences = await self._preferences.resolve(who.server, who.channels)
        except (TimeoutError, QueueUnavailable):
            preferences = self._preferences.last_known(who.server, who.channels)
        require_open(who, preferences)

    async def _require_within(
        self, who: Asker, question: str, files: Sequence[PostedFile], preferences: Preferences
    ) -> None:
        """Count the question. Raises `QuestionRefused` if they ask too often, or post too much."""
        size = sum(min(file.size, MAX_BYTES) for file in files if not file.voice)
        rate = preferences.rate(who.roles)
        if exceeded := await self._rates.count_question(
            who.server, who.user, question, rate, file_bytes=size
        ):
            raise QuestionRefused(notices.too_often(exceeded))

    async def _follows_pictures(self, channel: str) -> bool:
        """Return whether a picture was posted there a moment ago."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                turns = await self._history.load_newest(channel, PICTURE_TURNS)
        except (TimeoutError, QueueUnavailable):
            return False
        files = [file for turn in turns for file in turn.attachments]
        return any(file.media_type.startswith("image/") for file in files)


def require_open(who: Asker, preferences: Preferences) -> Preferences:
    """Return the preferences. Raises `QuestionRefused` if the bot is off, or only for others."""
    if preferences.enabled is False:
        raise QuestionRefused(notices.CHANNEL_OFF)
    if not preferences.allows(who.roles):
        raise QuestionRefused(notices.ROLES_ONLY)
    return preferences


def require_able(capability: str, workers: Sequence[WorkerStatus]) -> None:
    """Refuse a job that none of the running models can do.

    Raises:
        QuestionRefused: models run, and none can solve problems, or write articles.
    """
    serving = any(worker.is_serving for worker in workers)
    able = any(capability in worker.capabilities for worker in workers)
    if capability in NO_WORKER_NOTICES and serving and not able:
        raise QuestionRefused(NO_WORKER_NOTICES[capability])


def served_capability(capability: str, model: str | None, workers: Sequence[WorkerStatus]) -> str:
    """Return the capability of the chosen model while a worker serves it, else of any model."""
    pinned = add_model(capability, model) if model else capability
    served = any(pinned in worker.capabilities for worker in workers)
    return pinned if served else capability
