"""A channel's finished turns. `JobQueue.finish` writes them; here they are read and forgotten."""

from dataclasses import dataclass
from uuid import uuid4

from redis.asyncio import Redis

from jobqueue.policy import Policy
from jobqueue.schema import Turn, decode_turn
from jobqueue.scripts import Scripts

_ALL = 0
_FIRST_LOOK = 32  # turns; nearly every context is filled by fewer


@dataclass(frozen=True, slots=True)
class Loaded:
    turns: tuple[Turn, ...]  # oldest first
    omitted: int  # older turns that did not fit the budget


@dataclass(frozen=True, slots=True)
class HistoryStats:
    turns: int
    tokens: int
    oldest_ms: int | None


class History:
    def __init__(self, redis: Redis, shard: str = "main", *, policy: Policy | None = None) -> None:
        self._scripts = Scripts(redis, shard, policy)

    async def load(self, channel: str, budget_tokens: int | None = None) -> Loaded:
        """The newest turns whose tokens fit `budget_tokens`; all of them without a budget."""
        look = _ALL if budget_tokens is None else _FIRST_LOOK
        turns, total = await self._newest(channel, look)
        kept = _fitting(turns, budget_tokens)
        if len(kept) == len(turns) < total:
            turns, total = await self._newest(channel, _ALL)
            kept = _fitting(turns, budget_tokens)
        return Loaded(tuple(kept), total - len(kept))

    async def undo(self, channel: str) -> Turn | None:
        """Take back the last turn and return it; None when there is none."""
        turn = await self._scripts.run("undo", channel, uuid4().hex)
        return decode_turn(turn) if turn else None

    async def clear(self, channel: str) -> int:
        """Forget the channel, the turn that is being answered included. Returns how many."""
        return int(await self._scripts.run("clear", channel))

    async def export(self, user: str) -> dict[str, tuple[Turn, ...]]:
        """A user's own turns, by channel."""
        found: dict[str, tuple[Turn, ...]] = {}
        for channel in await self._channels(user):
            turns, _ = await self._newest(channel, _ALL)
            if own := tuple(turn for turn in turns if turn.user == user):
                found[channel] = own
        return found

    async def erase(self, user: str) -> int:
        """Forget a user's turns everywhere. Returns how many.

        Records of the user's finished jobs are not history; they expire by themselves.
        """
        channels = await self._channels(user)
        return sum([int(await self._scripts.run("erase", channel, user)) for channel in channels])

    async def stats(self, channel: str) -> HistoryStats:
        turns, total = await self._newest(channel, _ALL)
        return HistoryStats(total, sum(map(_tokens, turns)), turns[0].at_ms if turns else None)

    async def _newest(self, channel: str, count: int) -> tuple[list[Turn], int]:
        turns, total = await self._scripts.run("turns", channel, count)
        return [decode_turn(turn) for turn in turns], total

    async def _channels(self, user: str) -> list[str]:
        key = self._scripts.key("channels", user)

        async def read() -> list[str]:
            names: set[bytes] = await self._scripts.redis.smembers(key)  # type: ignore[assignment]
            return sorted(name.decode() for name in names)

        channels: list[str] = await self._scripts.patiently(read)
        return channels


def _tokens(turn: Turn) -> int:
    """As the engine counted them; a turn without a count is taken for one token in 3 bytes."""
    counted = turn.prompt_tokens + turn.completion_tokens
    return counted or len((turn.prompt + turn.answer).encode()) // 3


def _fitting(turns: list[Turn], budget_tokens: int | None) -> list[Turn]:
    if budget_tokens is None:
        return turns
    first, left = len(turns), budget_tokens
    while first > 0 and (left := left - _tokens(turns[first - 1])) >= 0:
        first -= 1
    return turns[first:]
