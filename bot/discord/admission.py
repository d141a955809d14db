"""Whether a person may ask here and now, and what the admins want of the answer."""

import asyncio
from dataclasses import dataclass

import discord
import msgspec

from bot import notices
from bot.notices import Refused
from bot.preferences import Preferences, PreferenceStore
from jobqueue.capabilities import ARTICLE, SOLVE, VISION, of_model, without_model
from jobqueue.errors import QueueUnavailable
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.rates import Rates
from jobqueue.schema import Job

FOLLOWING = 3  # turns after a picture in which a question may still be about it
UNABLE = {SOLVE: notices.NO_SOLVER, ARTICLE: notices.NO_WRITER}
PATIENCE_S = 0.7  # of the three seconds that Discord waits


@dataclass(frozen=True)
class Asker:
    """A person at a place."""

    user: str
    server: str
    channels: tuple[str, ...]  # a thread's parent, then the thread
    roles: tuple[str, ...] = ()


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
    return asker(
        interaction.user, interaction.channel, interaction.channel_id or 0, interaction.guild_id
    )


def author_of(message: discord.Message) -> Asker:
    guild = message.guild.id if message.guild else None
    return asker(message.author, message.channel, message.channel.id, guild)


class Admission:
    def __init__(
        self, preferences: PreferenceStore, rates: Rates, queue: JobQueue, history: History
    ) -> None:
        self._preferences = preferences
        self._rates = rates
        self._queue = queue
        self._history = history

    async def admit(self, who: Asker, question: str) -> Preferences:
        """Count the question, and say what is wanted of its answer.

        While Redis is away, what was last known holds and nothing is counted: the queue itself
        says what an outage means for the person.

        Raises:
            Refused: this person may not ask here, or not so often.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                wanted = await self._preferences.resolve(who.server, who.channels)
                require_open(wanted, who)
                await self._require_slow(who, question, wanted)
        except (TimeoutError, QueueUnavailable):
            wanted = self._preferences.last_known(who.server, who.channels)
            require_open(wanted, who)
        return wanted

    async def _require_slow(self, who: Asker, question: str, wanted: Preferences) -> None:
        rate = wanted.rate(who.roles)
        exceeded = await self._rates.count(f"{who.server}:{who.user}", question, rate)
        if exceeded:
            raise Refused(notices.too_often(exceeded))

    async def fit(self, job: Job, wanted: Preferences) -> Job:
        """The job as the admins want it answered, by a model that can."""
        fitted = msgspec.structs.replace(
            job,
            system=wanted.persona or job.system,
            sampling=msgspec.structs.replace(wanted.sampling, seed=job.sampling.seed),
            tools=wanted.tools or (),
            approval=bool(wanted.approval),
            locale=wanted.language or job.locale,
            capability=await self._capability(job.capability, wanted.model),
        )
        if fitted.capability == "chat" and await self._about_pictures(job):
            return msgspec.structs.replace(fitted, capability=VISION)
        return fitted

    async def refit(self, job: Job, wanted: Preferences) -> Job:
        """A question of before, as the admins want it answered by now."""
        capability = without_model(job.capability)
        await self.require_able(capability)
        return await self.fit(
            msgspec.structs.replace(job, capability=capability, system=""), wanted
        )

    async def _about_pictures(self, job: Job) -> bool:
        """Whether one was posted a moment ago, and a model is there that sees."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                turns = await self._history.newest(job.channel, FOLLOWING)
                files = [file for turn in turns for file in turn.attachments]
                if not any(file.media_type.startswith("image/") for file in files):
                    return False
                workers = await self._queue.workers()
        except (TimeoutError, QueueUnavailable):
            return False
        return any(VISION in worker.capabilities for worker in workers)

    async def require_able(self, capability: str) -> None:
        """Nothing is waited for that none of the models that run can do.

        Raises:
            Refused: there are such, and none can solve problems, or write articles.
        """
        if capability not in UNABLE:
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                workers = await self._queue.workers()
        except (TimeoutError, QueueUnavailable):
            return
        serving = any(worker.serves for worker in workers)
        if serving and not any(capability in worker.capabilities for worker in workers):
            raise Refused(UNABLE[capability])

    async def _capability(self, capability: str, model: str | None) -> str:
        """Just this model's, while somebody serves it; a model that is gone must not silence."""
        if not model:
            return capability
        pinned = of_model(capability, model)
        try:
            async with asyncio.timeout(PATIENCE_S):
                workers = await self._queue.workers()
        except (TimeoutError, QueueUnavailable):
            return capability
        served = any(pinned in worker.capabilities for worker in workers)
        return pinned if served else capability


def require_open(wanted: Preferences, who: Asker) -> None:
    """Raises `Refused` where the bot is switched off, or for others than this person."""
    if wanted.enabled is False:
        raise Refused(notices.CHANNEL_OFF)
    if not wanted.allows(who.roles):
        raise Refused(notices.ROLES_ONLY)
