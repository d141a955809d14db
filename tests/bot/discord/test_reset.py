"""Who may make the model forget what others said, and how it comes back."""

import re

import pytest

from bot.preferences import Preferences, PreferenceStore
from jobqueue.history import History
from playground.discord.permissions import Permission
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, buttons, holds, until


async def _talk(room: Room, *people: str) -> None:
    for number, name in enumerate(people, 1):
        await room.world.slash(name, "general", "chat", {"prompt": f"q{number}"})
        await room.answer(f"[turn {number}] q{number}")


async def _turns(room: Room) -> int:
    channel = str(room.world.channel("general")["id"])
    return len((await History(room.redis).load(channel)).turns)


async def _are(room: Room, turns: int) -> bool:
    return await _turns(room) == turns


def _custom_id(message: StoredMessage, what: str) -> str:
    return next(
        (str(b["custom_id"]) for b in buttons(message) if f"reset:{what}:" in b["custom_id"]), ""
    )


async def _press(room: Room, user: str, message: StoredMessage, what: str) -> None:
    await room.world.click(user, "general", message.id, _custom_id(message, what))


def _make_manager(world: UserActions, name: str) -> None:
    role = world.state.add_role(world.guild, "mods", Permission.MANAGE_MESSAGES)
    world.state.members[world.guild["id"]][world.user(name)["id"]]["roles"].append(role["id"])


async def test_ones_own_conversation_is_forgotten_at_once_and_comes_back(
    room: Room, world: UserActions
) -> None:
    await _talk(room, "ada", "ada")
    await world.slash("ada", "general", "reset")
    done = await room.notice("I forgot 2 turns")
    assert await _turns(room) == 0
    await _press(room, "bob", done, "undo")
    await room.notice("Only the person who reset the conversation", "bob")
    assert await _turns(room) == 0
    await _press(room, "ada", done, "undo")
    await room.notice("I remember 2 turns of this channel's conversation again")
    await world.slash("bob", "general", "chat", {"prompt": "and now"})
    await room.answer("[turn 3] and now")


async def test_a_member_cannot_take_the_conversation_from_others(
    room: Room, world: UserActions
) -> None:
    await _talk(room, "ada", "bob")
    await world.slash("ada", "general", "reset")
    told = await room.notice("Other people took part in this conversation")
    assert told.visible_to == world.user("ada")["id"]
    assert await _turns(room) == 2


@pytest.mark.parametrize("by", ["manager", "setting"])
async def test_who_may_is_asked_first_and_can_undo(room: Room, world: UserActions, by: str) -> None:
    if by == "manager":
        _make_manager(world, "ada")
    else:
        store = PreferenceStore(room.redis, Preferences())
        channel = str(world.channel("general")["id"])
        await store.change(world.guild["id"], channel, reset="everybody")
    await _talk(room, "ada", "bob")
    await world.slash("ada", "general", "reset")
    asked = await room.notice("forget 2 turns")
    assert asked.visible_to == world.user("ada")["id"]
    assert await _turns(room) == 2
    await _press(room, "ada", asked, "clear")
    done = await until(
        lambda: next((m for m in room.bot_says("bob") if _custom_id(m, "undo")), None)
    )
    assert await _turns(room) == 0
    await _press(room, "ada", done, "undo")
    await holds(lambda: _are(room, 2))


async def test_the_right_is_looked_at_again_when_the_button_is_pressed(
    room: Room, world: UserActions
) -> None:
    await _talk(room, "ada", "bob")
    _make_manager(world, "ada")
    await world.slash("ada", "general", "reset")
    asked = await room.notice("forget 2 turns")
    world.state.members[world.guild["id"]][world.user("ada")["id"]]["roles"].clear()
    await _press(room, "ada", asked, "clear")
    await room.notice("Other people took part")
    assert await _turns(room) == 2


async def test_admins_open_it_to_everybody(room: Room, world: UserActions) -> None:
    world.make_admin("ada")
    await _talk(room, "ada", "bob")
    await world.slash("ada", "general", "settings")
    page = await until(
        lambda: next((m for m in room.bot_says() if "Settings" in str(m.data)), None)
    )
    await world.click("ada", "general", page.id, f"settings:{world.channel('general')['id']}:reset")
    await until(lambda: re.search(r"turns\*\*\\u3000everybody", repr(page.data)))
    await world.slash("bob", "general", "reset")
    await room.notice("forget 2 turns", "bob")


async def test_in_direct_messages_everybody_may(room: Room, world: UserActions) -> None:
    dm = world.open_dm("ada")["id"]
    await world.say("ada", dm, "hello")
    await room.answer("[turn 1] hello", dm)
    await world.slash("ada", dm, "reset")
    await until(lambda: next((m for m in room.bot_says("ada", dm) if m.data["embeds"]), None))
    assert (await History(room.redis).load(str(dm))).turns == ()
