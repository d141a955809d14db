"""What was said while no bot was listening is answered once one is."""

import pytest

from playground.discord.world import World
from tests.bot.discord.conftest import Room, growing, holds, until


async def _heard_once(room: Room) -> None:
    """The mark of the running bot is there."""

    async def marked() -> bool:
        return bool([key async for key in room.redis.scan_iter("*listening:*")])

    await holds(marked)


async def test_mentions_replies_and_direct_messages_are_answered_after_a_start(
    silent_room: Room, world: World
) -> None:
    room, dm = silent_room, world.open_dm("ada")["id"]
    async with room.worker():
        async with room.bot():
            await world.say("ada", "general", "@commonroom one")
            first = await room.answer("[turn 1] one")
            await world.say("ada", dm, "psst")
            await room.answer("[turn 1] psst", channel=dm)
            await _heard_once(room)
        await world.say("ada", "general", "not for you")
        await world.say("ada", "general", "@commonroom two")
        await world.reply("bob", "general", first.id, "three")
        await world.say("ada", dm, "still there?")
        async with room.bot():
            await until(
                lambda: len(room.bot_says()) == 3 and not any(map(growing, room.bot_says()))
            )
            await room.answer("[turn 2] still there?", channel=dm)
    contents = [message.data["content"] for message in room.bot_says()]
    assert sorted(contents)[0] == "[turn 1] one"
    assert {content.split()[-1] for content in contents} == {"one", "two", "three"}


async def test_what_was_answered_is_not_answered_again(silent_room: Room, world: World) -> None:
    room = silent_room
    async with room.worker():
        async with room.bot():
            await world.say("ada", "general", "@commonroom one")
            await world.say("ada", "general", "@commonroom and two")
            await until(lambda: [m for m in room.bot_says() if "two" in m.data["content"]])
            await world.say("bob", "general", "@commonroom")
            await room.notice("nothing to answer")
            await _heard_once(room)
        async with room.bot():
            await world.say("ada", "general", "@commonroom last")
            await until(lambda: [m for m in room.bot_says() if "last" in m.data["content"]])
    assert len(room.bot_says()) == 3


@pytest.mark.parametrize("code", [4000, 4009])
async def test_a_session_that_cannot_be_resumed_misses_nothing(
    room: Room, world: World, code: int
) -> None:
    await _heard_once(room)
    await room.discord.backend.gateway.disconnect(code=code)
    await world.say("ada", "general", "@commonroom meanwhile")
    await room.answer("[turn 1] meanwhile")
    assert len(room.bot_says()) == 1
