"""Ratings of answers, 👍 and 👎, stored for the operator of the model."""

import time
from collections.abc import AsyncIterator, Iterable
from typing import Literal

import msgspec
from redis.asyncio import Redis

from jobqueue.lua_runner import Scripts

TTL_S = 90 * 86_400  # since an answer's last vote
Vote = Literal["up", "down"]


class Opinion(msgspec.Struct, frozen=True):
    job: str
    channel: str
    user: str
    vote: Vote | None  # None: taken back
    at_ms: int
    press: str  # the interaction that said so


class Counts(msgspec.Struct, frozen=True):
    up: int = 0
    down: int = 0


encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Opinion).decode


class Feedback:
    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)

    async def vote(self, job: str, channel: str, user: str, vote: Vote, press: str) -> Counts:
        """Record a vote, or take it back if it is repeated. Return the new counts.

        The same `press` twice counts once. Raises QueueUnavailable.
        """
        key, redis = self._scripts.key("feedback", job), self._scripts.redis

        async def write() -> Counts:
            opinions = {o.user: o for o in map(_decode, await redis.hvals(key))}
            before = opinions.get(user)
            if before is None or before.press != press:
                again = before is not None and before.vote == vote
                kept = None if again else vote
                now_ms = time.time_ns() // 1_000_000
                opinions[user] = Opinion(job, channel, user, kept, now_ms, press)
                async with redis.pipeline(transaction=True) as pipe:
                    pipe.hset(key, user, encode(opinions[user]))
                    pipe.expire(key, TTL_S)
                    await pipe.execute()
            return _count_votes(opinions.values())

        counts: Counts = await self._scripts.retry(write)
        return counts

    async def counts(self, job: str) -> Counts:
        values = await self._scripts.call("HVALS", self._scripts.key("feedback", job))
        return _count_votes(map(_decode, values))

    async def export(self) -> AsyncIterator[Opinion]:
        """Yield every vote, in no order."""
        for key in await self._scripts.list_keys("feedback"):
            for value in await self._scripts.call("HVALS", key):
                if (opinion := _decode(value)).vote:
                    yield opinion

    async def list_of(self, user: str) -> list[Opinion]:
        """Return a person's ratings of answers. Raises QueueUnavailable."""
        return [opinion async for opinion in self.export() if opinion.user == user]

    async def erase(self, user: str) -> None:
        """Delete a person's votes. Raises QueueUnavailable."""
        for opinion in await self.list_of(user):
            await self._scripts.call("HDEL", self._scripts.key("feedback", opinion.job), user)


def _count_votes(opinions: Iterable[Opinion]) -> Counts:
    votes = [opinion.vote for opinion in opinions]
    return Counts(votes.count("up"), votes.count("down"))
