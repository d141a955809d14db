"""A channel's finished turns. `JobQueue.finish` writes them; here they are read and forgotten.

They are a tree: each turn follows another, and two that follow the same one are alternatives. The
channel's head is the turn that its conversation has come to; what follows from nowhere else is
said after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from redis.asyncio import Redis

from jobqueue.lua_runner import Scripts
from jobqueue.policy import Policy
from jobqueue.schema import HEAD, Summary, Turn, decode_summary, decode_turn, encode

_FIRST_LOOK = 32  # turns; nearly every context is filled by fewer


@dataclass(frozen=True, slots=True)
class LoadedHistory:
    turns: tuple[Turn, ...]  # oldest first
    omitted: int = 0  # older turns that did not fit the budget
    parent: str = ""  # the newest turn, whether or not it fits: what a next turn follows
    summary: Summary | None = None  # of all turns before the omitted ones


@dataclass(frozen=True, slots=True)
class _Branch:
    newest: str  # where it begins
    turns: list[Turn]  # the newest of them, the oldest first
    total: int
    summary: Summary | None
    unsummarised_count: int  # turns that are not in the summary

    @property
    def turns_after_summary(self) -> list[Turn]:
        return self.turns[-self.unsummarised_count :] if self.unsummarised_count else []


@dataclass(frozen=True, slots=True)
class HistoryStats:
    turns: int
    tokens: int
    oldest_ms: int | None


class History:
    def __init__(self, redis: Redis, shard: str = "main", *, policy: Policy | None = None) -> None:
        self._scripts = Scripts(redis, shard, policy)

    async def load(
        self, channel: str, budget_tokens: int | None = None, parent: str | None = None
    ) -> LoadedHistory:
        """The newest turns whose tokens fit `budget_tokens`; all of them without a budget.

        They end with the turn `parent`, or with the channel's head where that is None or is not
        known any more; there are none before the parent "". Where not all fit and older ones have
        a summary, it takes their place.
        """
        look = None if budget_tokens is None else _FIRST_LOOK
        branch = await self._load_branch(channel, parent, look)
        kept = _newest_within(branch.turns, budget_tokens)
        if len(kept) == len(branch.turns) < branch.total:
            branch = await self._load_branch(channel, parent, None)
            kept = _newest_within(branch.turns, budget_tokens)
        summary, left = branch.summary, budget_tokens or 0
        if len(kept) == branch.total or summary is None or summary.tokens > left:
            return LoadedHistory(tuple(kept), branch.total - len(kept), branch.newest)
        kept = _newest_within(branch.turns_after_summary, left - summary.tokens)
        return LoadedHistory(
            tuple(kept), branch.unsummarised_count - len(kept), branch.newest, summary
        )

    async def load_since_summary(self, channel: str, turn: str | None = None) -> LoadedHistory:
        """The newest summary on the way to `turn` or the head, if there is one, and every turn
        after it."""
        branch = await self._load_branch(channel, turn, None)
        if branch.summary is None:
            return LoadedHistory(tuple(branch.turns), 0, branch.newest)
        return LoadedHistory(tuple(branch.turns_after_summary), 0, branch.newest, branch.summary)

    async def store_summary(
        self, channel: str, summary: Summary, turns: Sequence[Turn], base: Summary | None
    ) -> bool:
        """Keep a summary of `turns`, and of those in `base`; False when any of that was forgotten
        meanwhile. It serves every branch that goes through its turn."""
        jobs = [turn.job for turn in turns]
        before = base.turn if base else ""
        kept = await self._scripts.run(
            "summarise", channel, summary.turn, encode(summary), before, *jobs
        )
        return bool(kept)

    async def load_newest(self, channel: str, count: int) -> list[Turn]:
        """The last turns of the conversation as it stands, oldest first."""
        return (await self._load_branch(channel, None, count)).turns

    async def get_head(self, channel: str) -> str:
        """The job of the channel's last turn; empty when there is none."""
        return (await self._load_branch(channel, None, 1)).newest

    async def get_turn(self, channel: str, job: str) -> Turn | None:
        """The turn of one job, on whatever branch; None when it is not known any more."""
        turn = await self._scripts.call("HGET", self._scripts.key("turns", channel), job)
        return decode_turn(turn) if turn else None

    async def select_head(self, channel: str, turn: str, *, instead_of: str) -> bool:
        """Make a turn the head in place of `instead_of`; False when that is the head no more."""
        return bool(await self._scripts.run("select", channel, instead_of, turn))

    async def undo(self, channel: str, job: str = "") -> Turn | None:
        """Take back the last turn and return it; None when there is none, or it is not `job`'s.

        It stays as a branch: a turn that follows it would bring it back.
        """
        turn = await self._scripts.run("undo", channel, uuid4().hex, job)
        return decode_turn(turn) if turn else None

    async def clear(self, channel: str, *, nonce: str = "", by: str = "") -> int:
        """Forget the channel, the turn that is being answered included. Returns how many.

        The same `nonce` clears once; for a while `restore` brings back what was cleared with it.
        """
        return int(await self._scripts.run("clear", channel, nonce or uuid4().hex, by))

    async def is_restorable(self, channel: str, nonce: str) -> bool:
        """Return whether `restore` would bring back what was cleared with this nonce."""
        key = self._scripts.key("cleared", channel)
        found = await self._scripts.retry(lambda: self._scripts.redis.hget(key, "nonce"))
        return found is not None and bytes(found).decode() == nonce

    async def restore(self, channel: str, nonce: str, *, by: str = "") -> int:
        """Bring back what was cleared, before what was said since. Returns how many turns.

        Raises:
            LookupError: that is not known any more.
            PermissionError: it was cleared by somebody else than `by`, where that is given.
        """
        turns = int(await self._scripts.run("restore", channel, nonce, by))
        if turns == -1:
            raise LookupError(channel)
        if turns == -2:
            raise PermissionError(channel)
        return turns

    async def list_authors(self, channel: str) -> set[str]:
        """Users whose turns, or questions, the channel holds."""
        return {user.decode() for user in await self._scripts.run("authors", channel)}

    async def export(self, user: str) -> dict[str, tuple[Turn, ...]]:
        """A user's own turns on every branch, by channel."""
        found: dict[str, tuple[Turn, ...]] = {}
        for channel in await self._list_channels(user):
            turns = await self._load_all_turns(channel)
            if own := tuple(turn for turn in turns if turn.user == user):
                found[channel] = own
        return found

    async def erase(self, user: str) -> int:
        """Forget a user's turns everywhere. Returns how many.

        Records of the user's finished jobs are not history: `jobqueue.job_records` removes those.
        """
        channels = await self._list_channels(user)
        return sum([int(await self._scripts.run("erase", channel, user)) for channel in channels])

    async def get_stats(self, channel: str) -> HistoryStats:
        branch = await self._load_branch(channel, None, None)
        oldest_ms = branch.turns[0].at_ms if branch.turns else None
        return HistoryStats(branch.total, sum(map(count_turn_tokens, branch.turns)), oldest_ms)

    async def _load_branch(self, channel: str, parent: str | None, count: int | None) -> _Branch:
        """With its newest `count` turns."""
        begin = HEAD if parent is None else parent
        newest, turns, total, summary, after = await self._scripts.run(
            "turns", channel, begin, count or 0
        )
        return _Branch(
            newest=newest.decode(),
            turns=[decode_turn(turn) for turn in reversed(turns)],
            total=total,
            summary=decode_summary(summary) if summary else None,
            unsummarised_count=after,
        )

    async def _load_all_turns(self, channel: str) -> list[Turn]:
        """Every branch's turns, oldest first, and those that were cleared a while ago."""
        redis = self._scripts.redis
        turns = []
        for kind in ("turns", "cleared_turns"):
            read = partial(redis.hvals, self._scripts.key(kind, channel))
            turns += await self._scripts.retry(read)
        return sorted(map(decode_turn, turns), key=lambda turn: turn.at_ms)

    async def _list_channels(self, user: str) -> list[str]:
        key = self._scripts.key("channels", user)

        async def read() -> list[str]:
            names: set[bytes] = await self._scripts.redis.smembers(key)  # type: ignore[assignment]
            return sorted(name.decode() for name in names)

        channels: list[str] = await self._scripts.retry(read)
        return channels


def count_turn_tokens(turn: Turn) -> int:
    """As the engine counted them; a turn without a count is taken for one token in 3 bytes."""
    counted = turn.prompt_tokens + turn.completion_tokens
    return counted or len((turn.prompt + turn.answer).encode()) // 3


def _newest_within(turns: list[Turn], budget_tokens: int | None) -> list[Turn]:
    if budget_tokens is None:
        return turns
    first, left = len(turns), budget_tokens
    while first > 0 and (left := left - count_turn_tokens(turns[first - 1])) >= 0:
        first -= 1
    return turns[first:]
