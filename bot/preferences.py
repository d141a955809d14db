"""What admins decided for a server, and where a channel differs.

A channel's decision stands over its parent's (of a thread), that over the server's, that over the
operator's defaults. `None` means that nothing was decided there.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterable
from functools import reduce
from time import monotonic
from typing import Annotated, Any, Literal

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from jobqueue.lua_runner import Scripts
from jobqueue.rate_limit import UserLimits
from jobqueue.schema import Sampling

# The record of who changed which setting, when, from what and to what.
#
# It keeps each server's newest changes for `TTL_MS`. It stores a person's id and no name.

TTL_MS = 90 * 86_400_000
MOST = 200  # of a server

Values = dict[str, Any]


class Change(msgspec.Struct, frozen=True):
    at_ms: float  # with parts of it: two changes may fall into one millisecond
    user: str  # empty, where they had it forgotten
    place: str  # as in `bot.preferences`
    before: Values  # of what was changed; nothing where nothing had been decided
    after: Values


def diff_preferences(user: str, place: str, before: Values, after: Values) -> Change | None:
    """Return the difference, or None where there is none."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return None
    old, new = ({name: held[name] for name in names if name in held} for held in (before, after))
    return Change(time.time_ns() / 1_000_000, user, place, old, new)


encode = msgspec.json.Encoder().encode
_decode_change = msgspec.json.Decoder(Change).decode


class ChangeLog:
    """One sorted set per server, by time, so that a repeated write changes nothing.

    All calls raise QueueUnavailable while Redis is away.
    """

    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)

    def add(self, pipe: Pipeline, server: str, change: Change) -> None:
        """Add a change to the commands that `pipe` runs in one step."""
        key = self._scripts.key("changes", server)
        pipe.zadd(key, {encode(change): change.at_ms})
        pipe.zremrangebyscore(key, 0, change.at_ms - TTL_MS)
        pipe.zremrangebyrank(key, 0, -MOST - 1)
        pipe.pexpire(key, TTL_MS)

    async def list_newest(self, server: str, most: int = MOST) -> list[Change]:
        """List a server's changes, the newest first."""
        key, oldest = self._scripts.key("changes", server), time.time_ns() // 1_000_000 - TTL_MS
        found = await self._scripts.call(
            "ZRANGE", key, "+inf", oldest, "BYSCORE", "REV", "LIMIT", 0, most
        )
        return [_decode_change(each) for each in found]

    async def list_by(self, user: str) -> list[Change]:
        """Return what a person changed, anywhere."""
        return [_decode_change(raw) async for _, raw in self._iterate_by(user)]

    async def erase(self, user: str) -> None:
        """Remove a person's name from their changes; the changes stay."""
        async for key, raw in self._iterate_by(user):
            nameless = msgspec.structs.replace(_decode_change(raw), user="")
            await self._scripts.call("ZADD", key, repr(nameless.at_ms), encode(nameless))
            await self._scripts.call("ZREM", key, raw)

    async def _iterate_by(self, user: str) -> AsyncIterator[tuple[bytes, bytes]]:
        """Yield the key and the record of each change by a person."""
        for key in await self._scripts.list_keys("changes"):
            for raw in await self._scripts.call("ZRANGE", key, 0, -1):
                if _decode_change(raw).user == user:
                    yield key, raw


SERVER = "server"  # in place of a channel: the whole server
MAX_PERSONA_CHARS = 2_000
MAX_CACHED = 2_000  # servers
FRESH_S = 10.0  # after so long a change by another process is seen

Temperature = Annotated[float, msgspec.Meta(ge=0, le=2)]
TopP = Annotated[float, msgspec.Meta(gt=0, le=1)]
Tokens = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Questions = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
TokensADay = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
MegabytesADay = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Persona = Annotated[str, msgspec.Meta(max_length=MAX_PERSONA_CHARS)]


RATES = ("per_minute", "per_day", "tokens_per_day", "megabytes_per_day")


class RoleRate(msgspec.Struct, frozen=True, omit_defaults=True):
    """The limits for members with a role. They replace the general limits."""

    role: str
    per_minute: Questions | None = None
    per_day: Questions | None = None
    tokens_per_day: TokensADay | None = None
    megabytes_per_day: MegabytesADay | None = None


class Preferences(msgspec.Struct, frozen=True, omit_defaults=True):
    persona: Persona | None = None
    model: str | None = None  # one of those that workers serve; empty is any
    temperature: Temperature | None = None
    top_p: TopP | None = None
    max_tokens: Tokens | None = None
    language: Literal["", "en", "zh-CN"] | None = None  # empty is each person's own
    enabled: bool | None = None
    roles: tuple[str, ...] | None = None  # the roles that may ask; empty: everybody
    per_minute: Questions | None = None
    per_day: Questions | None = None
    tokens_per_day: TokensADay | None = None
    megabytes_per_day: MegabytesADay | None = None  # of files
    role_rates: tuple[RoleRate, ...] | None = None
    tools: tuple[str, ...] | None = None  # that the model may call; None is each worker's own way
    reset: Literal["managers", "everybody"] | None = None  # the people who may reset others' turns
    approval: bool | None = None  # a person approves each call

    def with_defaults(self, base: "Preferences") -> "Preferences":
        """Return these preferences; unset ones have the value in `base`."""
        return msgspec.structs.replace(base, **self.explicit_values())

    def explicit_values(self) -> dict[str, object]:
        values = msgspec.structs.asdict(self)
        return {name: value for name, value in values.items() if value is not None}

    @property
    def sampling(self) -> Sampling:
        return Sampling(temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens)

    def allows(self, roles: Collection[str]) -> bool:
        return not self.roles or any(role in self.roles for role in roles)

    def rate(self, roles: Collection[str]) -> UserLimits:
        """Return the most generous limits of the roles; without such a role, the general ones."""
        own = [rate for rate in self.role_rates or () if rate.role in roles]
        if not own:
            return UserLimits(**{name: getattr(self, name) for name in RATES})
        return UserLimits(**{name: _highest(getattr(rate, name) for rate in own) for name in RATES})


def _highest(limits: Iterable[int | None]) -> int | None:
    """Return the highest limit; None means unlimited."""
    found = list(limits)
    return None if None in found else max(limit for limit in found if limit is not None)


def with_values(preferences: Preferences, **values: object) -> Preferences:
    """Return the preferences with these values; None removes a value.

    Raises:
        msgspec.ValidationError: a value is out of bounds.
    """
    new = {**preferences.explicit_values(), **values}
    return msgspec.convert(
        {name: value for name, value in new.items() if value is not None},
        Preferences,
        from_attributes=True,
    )


class PreferenceStore:
    """Preferences in Redis: one hash per server, a field for it and for each channel."""

    def __init__(self, redis: Redis, defaults: Preferences) -> None:
        self._scripts = Scripts(redis)
        self._defaults = defaults
        self.changes = ChangeLog(redis)
        self._cache: OrderedDict[str, tuple[float, dict[str, Preferences]]] = OrderedDict()

    async def resolve(self, server: str, channels: Iterable[str] = ()) -> Preferences:
        """Return what applies in a channel; `channels` has a thread's parent, then the thread."""
        return self._resolve(await self._load_server(server), channels)

    def last_known(self, server: str, channels: Iterable[str] = ()) -> Preferences:
        """Return what applied in a channel when it was last read, without asking Redis."""
        return self._resolve(self._cache.get(server, (0.0, {}))[1], channels)

    def _resolve(self, known: dict[str, Preferences], channels: Iterable[str]) -> Preferences:
        found = [known[place] for place in (SERVER, *channels) if place in known]
        return reduce(lambda base, own: own.with_defaults(base), found, self._defaults)

    async def get_explicit(self, server: str, place: str) -> Preferences:
        """Return what was decided at just this place: `SERVER` or a channel."""
        return (await self._load_server(server)).get(place, Preferences())

    def refresh(self, server: str) -> None:
        """Read the server's preferences from Redis next time, for somebody who looks at them."""
        self._cache.pop(server, None)

    async def change(
        self, server: str, place: str, *, by: str = "", **values: object
    ) -> Preferences:
        """Set preferences at a place, or unset those that are None. Return what is set there now.

        Raises:
            msgspec.ValidationError: a value is out of bounds.
        """
        self.refresh(server)
        before = await self.get_explicit(server, place)
        new = with_values(before, **values)
        key = self._scripts.key("settings", server)
        change = diff_preferences(by, place, _to_plain(before), _to_plain(new))

        async def write() -> None:
            async with self._scripts.redis.pipeline(transaction=True) as pipe:
                if new == Preferences():
                    pipe.hdel(key, place)
                else:
                    pipe.hset(key, place, _encode(new))
                if change:
                    self.changes.add(pipe, server, change)
                await pipe.execute()

        await self._scripts.retry(write)
        self.refresh(server)
        return new

    async def _load_server(self, server: str) -> dict[str, Preferences]:
        read_at, known = self._cache.get(server, (-FRESH_S, {}))
        if monotonic() - read_at < FRESH_S:
            self._cache.move_to_end(server)
            return known
        raw = await self._scripts.call("HGETALL", self._scripts.key("settings", server))
        known = {place.decode(): _decode(value) for place, value in raw.items()}
        self._cache[server] = (monotonic(), known)
        if len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)
        return known


def _to_plain(preferences: Preferences) -> Values:
    """Return the explicit values as JSON values."""
    plain: Values = msgspec.to_builtins(preferences)
    return plain


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Preferences).decode
