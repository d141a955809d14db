"""What people decide about calls that wait for their word."""

import asyncio

from redis.asyncio import Redis

from jobqueue.lua_runner import Scripts

TTL_MS = 3_600_000
LOOK_S = 0.5

_ALLOWED, _FORBIDDEN = "1", "0"


class Approvals:
    """All calls raise QueueUnavailable while Redis is away."""

    def __init__(self, redis: Redis, shard: str = "main") -> None:
        self._scripts = Scripts(redis, shard)

    def _key(self, job: str, attempt: int, step: int) -> str:
        return self._scripts.key("allowed", f"{job}.{attempt}.{step}")

    async def decide(self, job: str, attempt: int, step: int, *, allowed: bool) -> None:
        """The first word counts."""
        word = _ALLOWED if allowed else _FORBIDDEN
        key = self._key(job, attempt, step)
        await self._scripts.call("SET", key, word, "PX", TTL_MS, "NX")

    async def wait_for_decision(self, job: str, attempt: int, step: int) -> bool:
        """Whether the call may be made, once somebody has said so; cancel it to wait no longer."""
        key = self._key(job, attempt, step)
        while (word := await self._scripts.call("GET", key)) is None:  # noqa: ASYNC110 — no event
            await asyncio.sleep(LOOK_S)
        return bool(word.decode() == _ALLOWED)
