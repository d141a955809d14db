"""Large records of single people, kept as long as the buttons that open them work."""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Generic, TypeVar

import msgspec
from redis.asyncio import Redis

from jobqueue.lua_runner import Scripts

SHORT_BYTES = 1_000
TTL_MS = 30 * 86_400_000

T = TypeVar("T")


class UserRecord(msgspec.Struct, Generic[T], frozen=True):
    user: str
    value: T


class UserRecords(Generic[T]):
    """Compressed records of people, by name.

    All calls raise QueueUnavailable while Redis is away.
    """

    def __init__(self, redis: Redis, what: str, kept: type[UserRecord[T]]) -> None:
        """`what` is the first part of the records' keys."""
        self._scripts = Scripts(redis)
        self._what = what
        decode = msgspec.json.Decoder(kept).decode
        self._decode: Callable[[bytes], UserRecord[T]] = lambda record: decode(unpack(record))

    async def store(self, name: str, user: str, value: T) -> None:
        key, redis = self._scripts.key(self._what, name), self._scripts.redis
        record = pack(msgspec.json.encode(UserRecord(user, value)))
        # The record is too large for the round trips that other calls share.
        await self._scripts.retry(lambda: redis.set(key, record, px=TTL_MS))

    async def find(self, name: str) -> T | None:
        """Return the record, or None if none is stored."""
        key, redis = self._scripts.key(self._what, name), self._scripts.redis
        record: bytes | None = await self._scripts.retry(lambda: redis.get(key))
        return self._decode(record).value if record else None

    async def list_of(self, user: str) -> dict[str, T]:
        """Return a person's records by name."""
        return {name: value async for _, name, value in self._iterate_of(user)}

    async def erase(self, user: str) -> None:
        async for key, _, _ in self._iterate_of(user):
            await self._scripts.call("DEL", key)

    async def _iterate_of(self, user: str) -> AsyncIterator[tuple[bytes, str, T]]:
        for key in await self._scripts.list_keys(self._what):
            record = await self._scripts.retry(partial(self._scripts.redis.get, key))
            if record and (kept := self._decode(record)).user == user:
                yield key, key.decode().rpartition(":")[2], kept.value


def pack(record: bytes) -> bytes:
    """Return the record as it is stored: JSON, compressed if it is long."""
    return zlib.compress(record, level=1) if len(record) > SHORT_BYTES else record


def unpack(record: bytes) -> bytes:
    return record if record.startswith(b"{") else zlib.decompress(record)


# A person's latest short questions, which their client suggests while they type.

KEPT = 25  # Discord offers no more
LONGEST = 100  # and takes no longer choice
TTL_S = 30 * 86_400


class RecentQuestions:
    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)

    def _key(self, user: str) -> str:
        return self._scripts.key("asked", user)

    async def add(self, user: str, question: str) -> None:
        """Remember a question. A longer one cannot be offered and is not stored."""
        if len(question) > LONGEST:
            return
        key, now_ms = self._key(user), time.time_ns() // 1_000_000
        await asyncio.gather(
            self._scripts.call("ZADD", key, now_ms, question),
            self._scripts.call("ZREMRANGEBYRANK", key, 0, -KEPT - 1),
            self._scripts.call("EXPIRE", key, TTL_S),
        )

    async def list_of(self, user: str, typed: str = "") -> list[str]:
        """Return the questions that contain what was typed, newest first."""
        raw = await self._scripts.call("ZREVRANGE", self._key(user), 0, KEPT - 1)
        questions = [question.decode() for question in raw]
        return [q for q in questions if typed.casefold() in q.casefold()]

    async def erase(self, user: str) -> None:
        await self._scripts.call("DEL", self._key(user))
