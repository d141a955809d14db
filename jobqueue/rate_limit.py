"""Rate limits of one person, over all processes.

Questions are counted in sliding windows of a minute and of a day, tokens and files by the hours of
a day.
"""

from dataclasses import dataclass
from typing import Literal

from redis.asyncio import Redis

from jobqueue.lua_runner import Clock, Scripts
from jobqueue.policy import Policy

DAY_MS = 86_400_000

Counted = Literal["questions", "tokens", "megabytes"]


@dataclass(frozen=True, slots=True)
class UserLimits:
    """The limits of one person; None: no limit."""

    per_minute: int | None = None  # questions
    per_day: int | None = None
    tokens_per_day: int | None = None  # of prompts and answers, as `JobQueue.finish` counts them
    megabytes_per_day: int | None = None  # of files


@dataclass(frozen=True, slots=True)
class RateExceeded:
    """The limit that is used up, and the time until it is free again."""

    window_ms: int  # a minute's or a day's
    limit: int
    wait_ms: int  # until the next question is accepted
    what: Counted = "questions"


class RateLimiter:
    def __init__(
        self,
        redis: Redis,
        shard: str = "main",
        *,
        policy: Policy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._scripts = Scripts(redis, shard, policy, clock)

    async def count_question(
        self, server: str, user: str, question: str, rate: UserLimits, *, file_bytes: int = 0
    ) -> RateExceeded | None:
        """Count the question and its files, unless a limit is used up; return that limit.

        The same question counts once, so the call may be repeated.
        """
        reply = await self._scripts.run(
            "rate",
            f"{server}:{user}",
            question,
            rate.per_minute or 0,
            rate.per_day or 0,
            rate.tokens_per_day or 0,
            (rate.megabytes_per_day or 0) << 20,
            file_bytes,
        )
        if not reply:
            return None
        window_ms, limit, wait_ms, what = reply
        counted: Counted = what.decode()
        return RateExceeded(
            window_ms, limit >> 20 if counted == "megabytes" else limit, wait_ms, counted
        )
