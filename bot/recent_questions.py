"""A person's latest short questions, which their client suggests while they type."""

import asyncio
import time

from redis.asyncio import Redis

from jobqueue.lua_runner import Scripts

KEPT = 25  # Discord offers no more
LONGEST = 100  # and takes no longer choice
TTL_S = 30 * 86_400


class RecentQuestions:
    def __init__(self, redis: Redis, shard: str = "main") -> None:
        self._scripts = Scripts(redis, shard)

    def _key(self, user: str) -> str:
        return self._scripts.key("asked", user)

    async def add(self, user: str, question: str) -> None:
        """Remember it, newest first; a longer question cannot be offered and is not kept."""
        if len(question) > LONGEST:
            return
        key, now_ms = self._key(user), time.time_ns() // 1_000_000
        await asyncio.gather(
            self._scripts.call("ZADD", key, now_ms, question),
            self._scripts.call("ZREMRANGEBYRANK", key, 0, -KEPT - 1),
            self._scripts.call("EXPIRE", key, TTL_S),
        )

    async def of(self, user: str, typed: str = "") -> list[str]:
        """Return the questions that contain what was typed, newest first."""
        raw = await self._scripts.call("ZREVRANGE", self._key(user), 0, KEPT - 1)
        questions = [question.decode() for question in raw]
        return [q for q in questions if typed.casefold() in q.casefold()]

    async def forget(self, user: str) -> None:
        await self._scripts.call("DEL", self._key(user))
