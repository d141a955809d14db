"""Messages that came while nobody was listening are answered afterwards.

Slash commands cannot come then; mentions, replies and direct messages can. A mark in Redis says
up to when this process was surely hearing the gateway. After a start, and after a session that
could not be resumed, channels that were written in since the mark are read from there on.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import aiohttp
import discord
from redis.exceptions import RedisError

from bot.discord.ask import job_factory
from bot.discord.delivery import reply_target
from bot.discord.delivery.reply_target import MessageTarget
from jobqueue.errors import QueueUnavailable, UnknownJob
from jobqueue.queue import JobQueue

MARK_S = 10.0
OVERLAP = timedelta(minutes=2)  # a dead connection may be taken for a living one so long
OLDEST = timedelta(hours=1)  # an older question is not waited for any more
CHANNELS = 200
MESSAGES = 100  # of one channel
DIRECT_TTL_S = 7 * 86_400

log = logging.getLogger(__name__)

Answer = Callable[[discord.Message], Awaitable[None]]
Readable = discord.abc.Messageable
Written = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


class CatchUp:
    def __init__(
        self, client: discord.AutoShardedClient, queue: JobQueue, reader: str, answer: Answer
    ) -> None:
        self._client = client
        self._queue = queue
        self._answer = answer
        self._scripts = scripts = queue.scripts
        self._mark_key = scripts.key("listening", reader)
        self._direct_key = scripts.key("direct", reader)
        self._hearing = False
        self._ready = asyncio.Event()

    def on_connect(self, *, resumed: bool) -> None:
        """The gateway is heard again; a resumed session brings what was missed by itself."""
        if resumed:
            self._hearing = True
        else:
            self._ready.set()

    def on_disconnect(self) -> None:
        self._hearing = False

    async def run(self) -> None:
        """Read up after every new session, and keep the mark meanwhile; until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(MARK_S):
                    await self._ready.wait()
            with suppress(QueueUnavailable, RedisError):  # then from the older mark, next time
                if self._ready.is_set():
                    self._ready.clear()
                    await self._read_up()
                    self._hearing = True
                if self._hearing:
                    await self._put_mark()

    async def remember_direct(self, message: discord.Message) -> None:
        """Discord lists no direct channels, so that those that were used are kept."""
        if message.guild is None:
            redis, now = self._scripts.redis, time.time()
            with suppress(QueueUnavailable, RedisError):
                await redis.zadd(self._direct_key, {str(message.channel.id): now})
                await redis.expire(self._direct_key, DIRECT_TTL_S)

    async def _put_mark(self) -> None:
        redis, now = self._scripts.redis, time.time()
        await self._scripts.retry(lambda: redis.set(self._mark_key, now))

    async def _read_up(self) -> None:
        redis = self._scripts.redis
        mark = await self._scripts.retry(lambda: redis.get(self._mark_key))
        if mark is None:
            return  # the first start of this name: nobody was promised anything
        heard = datetime.fromtimestamp(float(mark), UTC) - OVERLAP
        since = max(heard, datetime.now(UTC) - OLDEST)
        async for channel in self._written_in(since):
            try:
                await self._answer_missed(channel, since)
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.warning("channel not read up channel=%s: %r", channel, error)

    async def _written_in(self, since: datetime) -> AsyncIterator[Readable]:
        newest_id = discord.utils.time_snowflake(since)
        for channel in islice(self._guild_channels(newest_id), CHANNELS):
            yield channel
        redis = self._scripts.redis
        direct = await self._scripts.retry(
            lambda: redis.zrevrange(self._direct_key, 0, CHANNELS - 1)
        )
        for channel_id in direct:
            yield self._client.get_partial_messageable(int(channel_id))

    def _guild_channels(self, after: int) -> Iterator[Readable]:
        for guild in self._client.guilds:
            places: list[Written] = [
                *guild.text_channels,
                *guild.voice_channels,
                *guild.stage_channels,
                *guild.threads,  # posts of forums among them
            ]
            for channel in places:
                allowed = channel.permissions_for(guild.me)
                written = (channel.last_message_id or 0) > after
                if written and allowed.view_channel and allowed.read_message_history:
                    yield channel

    async def _answer_missed(self, channel: Readable, since: datetime) -> None:
        me = self._client.user
        found = [m async for m in channel.history(after=since, limit=MESSAGES, oldest_first=True)]
        told = {m.reference.message_id for m in found if m.author == me and m.reference}
        asked = [m for m in found if me and job_factory.is_addressed_to(me, m)]
        heard = [span for m in asked if (span := await self._heard(m, told))]
        for message in asked:
            if not any(span.holds(message) for span in heard):
                log.info("question read up message=%s", message.id)
                await _add_member(message)
                await self._answer(message)

    async def _heard(self, message: discord.Message, told: set[int | None]) -> "Span | None":
        """The messages that were asked as one question, of which this is the first."""
        try:
            job = (await self._queue.get_status(str(message.id))).job
        except UnknownJob:
            return Span(message.author.id, message.id, message.id) if message.id in told else None
        below = reply_target.decode(job.reply)
        last = int(below.message or message.id) if isinstance(below, MessageTarget) else message.id
        return Span(message.author.id, message.id, last)


async def _add_member(message: discord.Message) -> None:
    """Give the author their roles and name in this server, which a message that is read later
    does not carry. Somebody who has left the server has none."""
    if message.guild is not None and not isinstance(message.author, discord.Member):
        with suppress(discord.NotFound):
            message.author = await message.guild.fetch_member(message.author.id)


@dataclass(frozen=True)
class Span:
    """A person's messages from one to another."""

    author: int
    first: int
    last: int

    def holds(self, message: discord.Message) -> bool:
        return message.author.id == self.author and self.first <= message.id <= self.last
