"""How often one person may ask: sliding windows of a minute and of a day, over all processes."""

from dataclasses import dataclass

from redis.asyncio import Redis

from jobqueue.policy import Policy
from jobqueue.scripts import Clock, Scripts

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Rate:
    """Questions that may be asked in each window; `None` is as many as one likes."""

    per_minute: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Exceeded:
    window_ms: int  # a minute's or a day's
    limit: int
    wait_ms: int  # until the next question is taken


class Rates:
    def __init__(
        self,
        redis: Redis,
        shard: str = "main",
        *,
        policy: Policy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._scripts = Scripts(redis, shard, policy, clock)

    async def count(self, who: str, question: str, rate: Rate) -> Exceeded | None:
        """Count the question, or say which rate is used up; then it is not counted.

        The same question is counted once, so the call may be repeated.
        """
        reply = await self._scripts.run(
            "rate", who, question, rate.per_minute or 0, rate.per_day or 0
        )
        return Exceeded(*map(int, reply)) if reply else None
