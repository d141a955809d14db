"""What admins decide, and what then holds where."""

import msgspec
import pytest
from redis.asyncio import Redis

from bot import preferences
from bot.preferences import SERVER, Preferences, PreferenceStore, RoleRate
from jobqueue.rate_limit import UserLimits

DEFAULTS = Preferences(enabled=True, per_minute=60)


@pytest.fixture
def store(redis: Redis) -> PreferenceStore:
    return PreferenceStore(redis, DEFAULTS)


async def test_without_decisions_the_defaults_hold(store: PreferenceStore) -> None:
    assert await store.resolve("s", ["c"]) == DEFAULTS


async def test_a_channel_stands_over_its_parent_and_that_over_the_server(
    store: PreferenceStore,
) -> None:
    await store.change("s", SERVER, persona="server", temperature=0.1, top_p=0.5)
    await store.change("s", "parent", persona="parent", temperature=0.2)
    await store.change("s", "thread", persona="thread")
    found = await store.resolve("s", ["parent", "thread"])
    assert (found.persona, found.temperature, found.top_p) == ("thread", 0.2, 0.5)
    assert (await store.resolve("s", ["other"])).persona == "server"
    assert (await store.resolve("t", ["parent"])).persona is None


async def test_a_decision_is_taken_back(store: PreferenceStore, redis: Redis) -> None:
    await store.change("s", "c", persona="pirate", enabled=False)
    await store.change("s", "c", persona=None)
    assert await store.get_explicit("s", "c") == Preferences(enabled=False)
    await store.change("s", "c", enabled=None)
    assert await redis.keys("*settings*") == []


async def test_another_process_sees_the_change(redis: Redis, store: PreferenceStore) -> None:
    await store.change("s", SERVER, persona="pirate", role_rates=(RoleRate("r", 3),))
    other = PreferenceStore(redis, DEFAULTS)
    found = await other.resolve("s")
    assert found.persona == "pirate"
    assert found.role_rates == (RoleRate("r", 3),)


async def test_the_cache_is_bounded(
    store: PreferenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preferences, "MAX_CACHED", 3)
    for server in range(10):
        await store.resolve(str(server))
    assert len(store._cache) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 2.1},
        {"temperature": "hot"},
        {"top_p": 0},
        {"max_tokens": 0},
        {"per_minute": -1},
        {"language": "tlh"},
        {"persona": "x" * 2001},
    ],
)
async def test_what_is_out_of_bounds_is_refused_and_not_stored(
    store: PreferenceStore, wrong: dict[str, object]
) -> None:
    with pytest.raises(msgspec.ValidationError):
        await store.change("s", SERVER, by="1", **wrong)
    assert await store.get_explicit("s", SERVER) == Preferences()


def test_roles_open_the_door_and_nobody_is_kept_out_without_any() -> None:
    assert Preferences().allows([])
    assert Preferences(roles=()).allows([])
    assert Preferences(roles=("a", "b")).allows(["b"])
    assert not Preferences(roles=("a",)).allows(["b"])


def test_the_most_generous_role_counts() -> None:
    some = Preferences(per_minute=2, role_rates=(RoleRate("a", 5, 10), RoleRate("b", 9)))
    assert some.rate([]) == UserLimits(2, None)
    assert some.rate(["a"]) == UserLimits(5, 10)
    assert some.rate(["a", "b"]) == UserLimits(9, None)
