"""A short talk with the bot, held against Discord's specification where that lies beside the
project; `make conformance` does so with all tests and scripts."""

from collections.abc import Iterator
from functools import partial

import pytest

from playground.discord.json_types import File
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, growing, until
from tests.conformance import rules
from tests.conformance.record import Exchange, recorded
from tests.conformance.specification import Specification


@pytest.fixture
def exchanges() -> Iterator[list[Exchange]]:
    """What is said to servers made after this one."""
    if not Specification.place().is_file():
        pytest.skip(f"Discord's specification is not there: {Specification.place()}")
    seen: list[Exchange] = []
    with recorded(seen.append):
        yield seen


async def test_what_the_bot_says_and_hears_is_as_discord_specifies(
    exchanges: list[Exchange], room: Room, world: UserActions
) -> None:
    for command in ("help", "status", "tools", "persona", "history"):
        assert await (await world.slash("ada", "general", command)).wait_acknowledged()
    assert await (await world.slash("playground-owner", "general", "settings")).wait_acknowledged()
    await world.slash("ada", "general", "chat", {"prompt": "one $x^2$"}, [File("a.txt", b"x")])
    await world.say("ada", "general", "@bot two")
    await world.say("ada", world.open_dm("ada")["id"], "three")
    said = await world.say("bob", "general", "what is this?")
    opened = await world.context_menu("ada", "general", "Ask about this", said.id)
    assert await opened.wait_acknowledged()
    await world.submit_modal(opened, {"question": "four"})
    for part in ("one", "two", "four"):
        await until(partial(shown, room, part))
    specification = Specification.read(Specification.place())
    found = {
        fault
        for exchange in exchanges
        for fault in (*specification.faults(exchange), *rules.broken(exchange))
    }
    assert len(exchanges) > 20
    assert sorted(found) == []


def shown(room: Room, part: str) -> bool:
    return any(part in m.data["content"] and not growing(m) for m in room.bot_says())
