"""A person's own latest short questions, which their client offers while they type."""

from redis.asyncio import Redis

from jobqueue.scripts import Scripts

KEPT = 25  # Discord offers no more
LONGEST = 100  # and takes no longer choice
TTL_S = 30 * 86_400


class RecentQuestions:
    def __init__(self, redis: Redis, shard: str = "main") -> None:
        self._scripts = Scripts(redis, shard)

    def _key(self, user: str) -> str:
        return self._scripts.key("recent", user)

    async def add(self, user: str, question: str) -> None:
        """Remember it, newest first; a longer question cannot be offered and is not kept."""
        if len(question) > LONGEST:
            return
        async with self._scripts.redis.pipeline(transaction=True) as pipe:
            pipe.lrem(self._key(user), 0, question)
            pipe.lpush(self._key(user), question)
            pipe.ltrim(self._key(user), 0, KEPT - 1)
            pipe.expire(self._key(user), TTL_S)
            await pipe.execute()

    async def of(self, user: str, typed: str = "") -> list[str]:
        """Those that hold what was typed, newest first."""
        raw = await self._scripts.patiently(
            lambda: self._scripts.redis.lrange(self._key(user), 0, -1)
        )
        questions = [question.decode() for question in raw]
        return [q for q in questions if typed.casefold() in q.casefold()]

    async def forget(self, user: str) -> None:
        await self._scripts.patiently(lambda: self._scripts.redis.delete(self._key(user)))
