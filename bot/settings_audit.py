"""The record of who changed which setting, when, from what and to what.

The newest of each server, for as long as `TTL_MS`. The person is named by id alone.
"""

import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from jobqueue.lua_runner import Scripts

TTL_MS = 90 * 86_400_000
MOST = 200  # of a server

Values = dict[str, Any]


class Change(msgspec.Struct, frozen=True):
    at_ms: float  # with parts of it: two changes may fall into one millisecond
    user: str  # empty, where they had it forgotten
    place: str  # as in `bot.preferences`
    before: Values  # of what was changed; nothing where nothing had been decided
    after: Values


def between(user: str, place: str, before: Values, after: Values) -> Change | None:
    """Return the difference, or None where there is none."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return None
    old, new = ({name: held[name] for name in names if name in held} for held in (before, after))
    return Change(time.time_ns() / 1_000_000, user, place, old, new)


encode = msgspec.json.Encoder().encode
_decode_change = msgspec.json.Decoder(Change).decode


class ChangeLog:
    """One sorted set per server, by time, so that a repeated write changes nothing.

    All calls raise QueueUnavailable while Redis is away.
    """

    def __init__(self, redis: Redis, shard: str = "main") -> None:
        self._scripts = Scripts(redis, shard)

    def add(self, pipe: Pipeline, server: str, change: Change) -> None:
        """Add a change to the commands that `pipe` runs in one step."""
        key = self._scripts.key("changes", server)
        pipe.zadd(key, {encode(change): change.at_ms})
        pipe.zremrangebyscore(key, 0, change.at_ms - TTL_MS)
        pipe.zremrangebyrank(key, 0, -MOST - 1)
        pipe.pexpire(key, TTL_MS)

    async def last(self, server: str, most: int = MOST) -> list[Change]:
        """The newest first."""
        key, oldest = self._scripts.key("changes", server), time.time_ns() // 1_000_000 - TTL_MS
        found = await self._scripts.call(
            "ZRANGE", key, "+inf", oldest, "BYSCORE", "REV", "LIMIT", 0, most
        )
        return [_decode_change(each) for each in found]

    async def of(self, user: str) -> list[Change]:
        """Return what a person changed, anywhere."""
        return [_decode_change(raw) async for _, raw in self._of(user)]

    async def erase(self, user: str) -> None:
        """Remove a person's name from their changes; the changes stay."""
        async for key, raw in self._of(user):
            nameless = msgspec.structs.replace(_decode_change(raw), user="")
            await self._scripts.call("ZADD", key, repr(nameless.at_ms), encode(nameless))
            await self._scripts.call("ZREM", key, raw)

    async def _of(self, user: str) -> AsyncIterator[tuple[bytes, bytes]]:
        """Keys, and in them records."""
        for key in await self._scripts.list_keys("changes"):
            for raw in await self._scripts.call("ZRANGE", key, 0, -1):
                if _decode_change(raw).user == user:
                    yield key, raw
