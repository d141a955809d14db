"""Answers to messages that came while the bot was not connected.

Slash commands cannot come then; mentions, replies and direct messages can. A mark in Redis holds
the last time at which this process surely received the gateway's events. After a start, and after
a session that could not be resumed, the bot reads the channels with newer messages.
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


class MissedMessages:
    def __init__(
        self, client: discord.AutoShardedClient, queue: JobQueue, reader: str, answer: Answer
    ) -> None:
        self._client = client
        self._queue = queue
        self._answer = answer
        self._scripts = scripts = queue.scripts
        self._mark_key = scripts.key("listening", reader)
        self._direct_key = scripts.key("direct", reader)
        self._connected = False
        self._ready = asyncio.Event()

    def on_connect(self, *, resumed: bool) -> None:
        """Note that the gateway is connected. A resumed session repeats missed events by itself."""
        if resumed:
            self._connected = True
        else:
            self._ready.set()

    def on_disconnect(self) -> None:
        self._connected = False

    async def run(self) -> None:
        """Answer missed messages after every new session, and renew the mark, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(MARK_S):
                    await self._ready.wait()
            with suppress(QueueUnavailable, RedisError):  # then from the older mark, next time
                if self._ready.is_set():
                    self._ready.clear()
                    await self._answer_all_missed()
                    self._connected = True
                if self._connected:
                    await self._renew_mark()

    async def remember_direct(self, message: discord.Message) -> None:
        """Remember a direct channel, since Discord lists none."""
        if message.guild is None:
            redis, now = self._scripts.redis, time.time()
            with suppress(QueueUnavailable, RedisError):
                await redis.zadd(self._direct_key, {str(message.channel.id): now})
                await redis.expire(self._direct_key, DIRECT_TTL_S)

    async def _renew_mark(self) -> None:
        redis, now = self._scripts.redis, time.time()
        await self._scripts.retry(lambda: redis.set(self._mark_key, now))

    async def _answer_all_missed(self) -> None:
        redis = self._scripts.redis
        mark = await self._scripts.retry(lambda: redis.get(self._mark_key))
        if mark is None:
            return  # the first start of this name: nobody was promised anything
        marked = datetime.fromtimestamp(float(mark), UTC) - OVERLAP
        since = max(marked, datetime.now(UTC) - OLDEST)
        async for channel in self._channels_since(since):
            try:
                await self._answer_missed(channel, since)
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.warning("channel not read up channel=%s: %r", channel, error)

    async def _channels_since(self, since: datetime) -> AsyncIterator[Readable]:
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
        messages = [
            m async for m in channel.history(after=since, limit=MESSAGES, oldest_first=True)
        ]
        answered = {m.reference.message_id for m in messages if m.author == me and m.reference}
        questions = [m for m in messages if me and job_factory.is_addressed_to(me, m)]
        spans = [span for m in questions if (span := await self._find_span(m, answered))]
        for message in questions:
            if not any(span.contains(message) for span in spans):
                log.info("question read up message=%s", message.id)
                await _add_member(message)
                await self._answer(message)

    async def _find_span(
        self, message: discord.Message, answered: set[int | None]
    ) -> "QuestionSpan | None":
        """Find the messages that were asked as one question, of which this is the first."""
        try:
            job = (await self._queue.get_status(str(message.id))).job
        except UnknownJob:
            return (
                QuestionSpan(message.author.id, message.id, message.id)
                if message.id in answered
                else None
            )
        target = reply_target.decode(job.reply)
        last = (
            int(target.message or message.id) if isinstance(target, MessageTarget) else message.id
        )
        return QuestionSpan(message.author.id, message.id, last)


async def _add_member(message: discord.Message) -> None:
    """Give a message's author their roles and name in this server, unless they have left.

    A message that is fetched does not carry them.
    """
    if message.guild is not None and not isinstance(message.author, discord.Member):
        with suppress(discord.NotFound):
            message.author = await message.guild.fetch_member(message.author.id)


@dataclass(frozen=True)
class QuestionSpan:
    """A person's messages from one to another."""

    author: int
    first: int
    last: int

    def contains(self, message: discord.Message) -> bool:
        return message.author.id == self.author and self.first <= message.id <= self.last
