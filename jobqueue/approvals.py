"""Decisions of people about tool calls that wait for approval."""

import asyncio

from redis.asyncio import Redis

from jobqueue.lua_runner import Scripts

TTL_MS = 3_600_000
POLL_S = 0.5

_ALLOWED, _FORBIDDEN = "1", "0"


class Approvals:
    """Decisions by job, attempt and step. All calls raise QueueUnavailable while Redis is away."""

    def __init__(self, redis: Redis, shard: str = "main") -> None:
        self._scripts = Scripts(redis, shard)

    def _key(self, job: str, attempt: int, step: int) -> str:
        return self._scripts.key("allowed", f"{job}.{attempt}.{step}")

    async def decide(self, job: str, attempt: int, step: int, *, allowed: bool) -> None:
        """Store a decision, unless there is one."""
        decision = _ALLOWED if allowed else _FORBIDDEN
        key = self._key(job, attempt, step)
        await self._scripts.call("SET", key, decision, "PX", TTL_MS, "NX")

    async def wait_for_decision(self, job: str, attempt: int, step: int) -> bool:
        """Wait until somebody decides; return whether the call may be made."""
        key = self._key(job, attempt, step)
        while (decision := await self._scripts.call("GET", key)) is None:  # noqa: ASYNC110 — no event
            await asyncio.sleep(POLL_S)
        return bool(decision.decode() == _ALLOWED)
