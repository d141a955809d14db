"""What admins changed stays known to the others."""

import pytest
from redis.asyncio import Redis

from bot import preferences
from bot.discord.settings.settings_panel import format_change
from bot.i18n import words
from bot.preferences import SERVER, Preferences, PreferenceStore


@pytest.fixture
def store(redis: Redis) -> PreferenceStore:
    return PreferenceStore(redis, Preferences())


async def test_who_what_and_from_what_to_what(store: PreferenceStore) -> None:
    await store.change("s", SERVER, by="1", persona="A *pirate*.", temperature=0.5)
    await store.change("s", SERVER, by="2", temperature=0.75)
    await store.change("s", SERVER, by="2", temperature=0.75)  # which changes nothing
    await store.change("s", "9", by="3", enabled=False, tools=("python",))
    await store.change("other", SERVER, by="3", model="m")
    newest, middle, oldest = await store.changes.list_newest("s")
    assert (middle.user, middle.place) == ("2", SERVER)
    assert (middle.before, middle.after) == ({"temperature": 0.5}, {"temperature": 0.75})
    english, chinese = words("en"), words("zh-CN")
    assert format_change(oldest, english).partition(":R> ")[2] == (
        "<@1> the whole server: **Persona**: default → A \\*pirate\\*.; "
        "**Sampling**: default → temperature 0.5"
    )
    assert format_change(newest, english).endswith(
        "<@3> <#9>: **Answers**: on → off; **Tools**: default → Python"
    )
    told = format_change(middle, chinese)
    assert f"**{chinese('settings-sampling')}**" in told
    assert f"<@2> {chinese('settings-server')}" in told


async def test_the_newest_are_kept_and_for_a_time(
    store: PreferenceStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preferences, "MOST", 3)
    for number in range(1, 6):
        await store.change("s", "9", by="1", per_day=number)
    assert [c.after["per_day"] for c in await store.changes.list_newest("s")] == [5, 4, 3]
    [key] = await redis.keys("*changes*")
    assert 0 < await redis.pttl(key) <= preferences.TTL_MS


async def test_people_have_themselves_forgotten_and_not_what_was_done(
    store: PreferenceStore,
) -> None:
    await store.change("s", SERVER, by="1", language="en")
    await store.change("t", SERVER, by="2", language="en")
    assert [c.after for c in await store.changes.list_by("1")] == [{"language": "en"}]
    await store.changes.erase("1")
    assert await store.changes.list_by("1") == []
    assert [(c.user, c.after) for c in await store.changes.list_newest("s")] == [
        ("", {"language": "en"})
    ]
    assert [c.user for c in await store.changes.list_newest("t")] == ["2"]
