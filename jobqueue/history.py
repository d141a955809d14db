"""A channel's finished turns. `JobQueue.finish` writes them; this module reads and erases them.

They form a tree: each turn follows another, and turns that follow the same one are alternatives.
The channel's head is the latest turn of its conversation; a new question follows it unless it names
another turn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from redis.asyncio import Redis

from jobqueue.blobs import BlobReader
from jobqueue.lua_runner import Scripts
from jobqueue.policy import Policy
from jobqueue.schema import HEAD, Summary, Turn, decode_summary, decode_turn, encode
from jobqueue.structs import Attachment

_FIRST_READ = 32  # turns; nearly every context is filled by fewer


@dataclass(frozen=True, slots=True)
class LoadedHistory:
    turns: tuple[Turn, ...]  # oldest first
    omitted: int = 0  # older turns that did not fit the budget
    parent: str = ""  # the newest turn, even if it does not fit: the next turn's parent
    summary: Summary | None = None  # of all turns before the omitted ones


@dataclass(frozen=True, slots=True)
class _Branch:
    newest: str  # the job of its last turn
    turns: list[Turn]  # its newest turns, oldest first
    total: int
    summary: Summary | None
    unsummarised_count: int  # turns after the summary

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
        """Load the newest turns whose tokens fit `budget_tokens`; all of them without a budget.

        They end with the turn `parent`, or with the channel's head if that is None or unknown;
        there are none before the parent "". If not all fit and older ones have a summary, it
        replaces them.
        """
        count = None if budget_tokens is None else _FIRST_READ
        branch = await self._load_branch(channel, parent, count)
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
        """Load the newest summary before `turn` or the head, if there is one, and all turns after
        it."""
        branch = await self._load_branch(channel, turn, None)
        if branch.summary is None:
            return LoadedHistory(tuple(branch.turns), 0, branch.newest)
        return LoadedHistory(tuple(branch.turns_after_summary), 0, branch.newest, branch.summary)

    async def store_summary(
        self, channel: str, summary: Summary, turns: Sequence[Turn], base: Summary | None
    ) -> bool:
        """Store a summary of `turns` and of what `base` covers; return False if any of that was
        erased meanwhile. It serves every branch that contains its turn."""
        covered = [base.turn if base else "", *(turn.job for turn in turns)]
        stored = await self._scripts.run(
            "summarise", channel, summary.turn, encode(summary), *covered
        )
        return bool(stored)

    async def load_newest(self, channel: str, count: int) -> list[Turn]:
        """Load the last turns before the head, oldest first."""
        return (await self._load_branch(channel, None, count)).turns

    async def get_head(self, channel: str) -> str:
        """Return the job of the channel's last turn; empty if there is none."""
        return (await self._load_branch(channel, None, 1)).newest

    async def get_turn(self, channel: str, job: str) -> Turn | None:
        """Return the turn of one job, on any branch; None if it is unknown."""
        turn = await self._scripts.call("HGET", self._scripts.key("turns", channel), job)
        return decode_turn(turn) if turn else None

    async def select_head(self, channel: str, turn: str, *, instead_of: str) -> bool:
        """Make a turn the head; return False if the head is no longer `instead_of`."""
        return bool(await self._scripts.run("select", channel, instead_of, turn))

    async def undo(self, channel: str, job: str = "") -> Turn | None:
        """Undo the last turn and return it; None if there is none, or it is not `job`'s.

        It stays as a branch: a turn that follows it would bring it back.
        """
        turn = await self._scripts.run("undo", channel, uuid4().hex, job)
        return decode_turn(turn) if turn else None

    async def clear(self, channel: str, *, nonce: str = "", by: str = "") -> int:
        """Clear the channel, including the turn in progress; return the number of turns.

        The same `nonce` clears once. For a while, `restore` with it undoes the clear.
        """
        return int(await self._scripts.run("clear", channel, nonce or uuid4().hex, by))

    async def is_restorable(self, channel: str, nonce: str) -> bool:
        """Return whether `restore` would undo the clear with this nonce."""
        key = self._scripts.key("cleared", channel)
        found = await self._scripts.call("HGET", key, "nonce")
        return found is not None and bool(found.decode() == nonce)

    async def restore(self, channel: str, nonce: str, *, by: str = "") -> int:
        """Restore the cleared turns, before those since; return their number.

        Raises:
            LookupError: the clear is no longer known.
            PermissionError: somebody else than `by` cleared it, if `by` is given.
        """
        turns = int(await self._scripts.run("restore", channel, nonce, by))
        if turns == -1:
            raise LookupError(channel)
        if turns == -2:
            raise PermissionError(channel)
        return turns

    async def list_authors(self, channel: str) -> set[str]:
        """Return the users whose turns or questions the channel has."""
        return {user.decode() for user in await self._scripts.run("authors", channel)}

    async def export(self, user: str) -> dict[str, tuple[Turn, ...]]:
        """Return a user's own turns on every branch, by channel."""
        found: dict[str, tuple[Turn, ...]] = {}
        for channel in await self._list_channels(user):
            turns = await self._load_all_turns(channel)
            if own := tuple(turn for turn in turns if turn.user == user):
                found[channel] = own
        return found

    async def erase(self, user: str) -> int:
        """Erase a user's turns in all channels; return their number.

        `jobqueue.job_records` erases the records of the user's finished jobs.
        """
        channels = await self._list_channels(user)
        return sum([int(await self._scripts.run("erase", channel, user)) for channel in channels])

    async def get_stats(self, channel: str) -> HistoryStats:
        branch = await self._load_branch(channel, None, None)
        oldest_ms = branch.turns[0].at_ms if branch.turns else None
        return HistoryStats(branch.total, sum(map(count_turn_tokens, branch.turns)), oldest_ms)

    async def _load_branch(self, channel: str, parent: str | None, count: int | None) -> _Branch:
        """Load the branch that ends at `parent`, with its newest `count` turns."""
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
        """Load the turns of every branch and the cleared ones, oldest first."""
        turns = []
        for kind in ("turns", "cleared_turns"):
            turns += await self._scripts.call("HVALS", self._scripts.key(kind, channel))
        return sorted(map(decode_turn, turns), key=lambda turn: turn.at_ms)

    async def _list_channels(self, user: str) -> list[str]:
        channels = await self._scripts.call("SMEMBERS", self._scripts.key("channels", user))
        return sorted(channel.decode() for channel in channels)


def count_turn_tokens(turn: Turn) -> int:
    """Return the engine's count; a turn without one is estimated as a token per 3 bytes."""
    counted = turn.prompt_tokens + turn.completion_tokens
    return counted or len((turn.prompt + turn.answer).encode()) // 3


def _newest_within(turns: list[Turn], budget_tokens: int | None) -> list[Turn]:
    if budget_tokens is None:
        return turns
    first, left = len(turns), budget_tokens
    while first > 0 and (left := left - count_turn_tokens(turns[first - 1])) >= 0:
        first -= 1
    return turns[first:]


MAX_IMAGES = 8  # earlier ones; few models can tell more of them apart
MEDIA_TYPES = ("image/png", "image/jpeg")  # the bot stores images in these

LoadedImages = tuple[tuple[Attachment, bytes], ...]


def select_images(attachments: Sequence[Attachment]) -> list[Attachment]:
    return [each for each in attachments if each.media_type in MEDIA_TYPES]


async def load_visible_images(
    turns: Sequence[Turn], blobs: BlobReader
) -> Mapping[str, LoadedImages]:
    """Load the newest turns' images, MAX_IMAGES at most; return them by job, in the turns' order.

    Expired images do not count. A model's context may hold fewer.
    """
    visible: dict[str, LoadedImages] = {}
    room = MAX_IMAGES
    for turn in reversed(turns):
        images = select_images(turn.attachments)
        if images and room >= len(images) and (loaded := await load_images(images, blobs)):
            visible[turn.job] = loaded
            room -= len(loaded)
    return dict(reversed(visible.items()))


async def load_images(attachments: Sequence[Attachment], blobs: BlobReader) -> LoadedImages:
    """Load the images' bytes; leave out what has expired."""
    found = [(each, await blobs.get(each.sha256)) for each in attachments]
    return tuple((each, data) for each, data in found if data is not None)
