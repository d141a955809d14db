"""What was said while no bot was listening is answered once one is."""

import msgspec
import pytest

from bot.preferences import SERVER, Preferences, PreferenceStore
from jobqueue.history import History
from jobqueue.queue import JobQueue
from playground.discord.json_types import ChannelType
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, growing, holds, said, until


async def _heard_once(room: Room) -> None:
    """The mark of the running bot is there."""

    async def marked() -> bool:
        return bool([key async for key in room.redis.scan_iter("*listening:*")])

    await holds(marked)


async def test_mentions_replies_and_direct_messages_are_answered_after_a_start(
    silent_room: Room, world: UserActions
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


async def test_what_was_answered_is_not_answered_again(
    silent_room: Room, world: UserActions
) -> None:
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
    room: Room, world: UserActions, code: int
) -> None:
    await _heard_once(room)
    await room.discord.backend.gateway.disconnect(code=code)
    await world.say("ada", "general", "@commonroom meanwhile")
    await room.answer("[turn 1] meanwhile")
    assert len(room.bot_says()) == 1


async def test_roles_of_who_asked_meanwhile_are_known(
    silent_room: Room, world: UserActions
) -> None:
    room, guild = silent_room, world.guild["id"]
    world.make_admin("ada")
    [role] = [r["id"] for r in world.guild["roles"] if r["name"] == "admins"]
    await PreferenceStore(room.redis, Preferences()).change(guild, SERVER, roles=(role,))
    world.state.members[guild][world.user("ada")["id"]]["nick"] = "Dr Ada"
    async with room.worker():
        async with room.bot():
            await _heard_once(room)
        await world.say("ada", "general", "@commonroom one")
        await world.say("bob", "general", "@commonroom two")
        async with room.bot():
            await room.answer("[turn 1] one")
            await room.notice("only some roles", viewer="bob")
    [turn] = await History(room.redis).load_newest(world.channel("general")["id"], 2)
    assert (turn.prompt, turn.user_name) == ("one", "Dr Ada")


@pytest.mark.parametrize("place", ["voice", "stage", "post", "thread"])
async def test_every_kind_of_channel_is_read_up(
    silent_room: Room, world: UserActions, place: str
) -> None:
    room = silent_room
    async with room.worker():
        async with room.bot():
            await _heard_once(room)
        if place == "post":
            world.create_forum("help")
            channel = (
                await world.create_forum_post("ada", "help", "Router", "@commonroom hello")
            ).channel
        else:
            channel = (
                world.create_thread("ada", "general", "talk")
                if place == "thread"
                else world.create_channel(place, kind=ChannelType[place.upper()])
            )["id"]
            await world.say("ada", channel, "@commonroom hello")
        async with room.bot():
            await until(lambda: [m for m in room.bot_says(channel=channel) if not growing(m)])
    assert "hello" in room.bot_says(channel=channel)[0].data["content"]


async def test_a_mention_of_the_bots_own_role_calls_it(
    silent_room: Room, world: UserActions
) -> None:
    room = silent_room
    settings = msgspec.structs.replace(room.settings, commonroom_message_content=True)
    [role] = [r["id"] for r in world.guild["roles"] if r["managed"]]
    async with room.worker():
        async with room.bot(settings):
            await world.say("ada", "general", f"<@&{role}> one")
            await room.answer("[turn 1] one")
            await _heard_once(room)
        await world.say("bob", "general", f"two <@&{role}>")
        async with room.bot(settings):
            await room.answer("[turn 2] two")


async def test_what_is_said_to_the_role_alone_may_be_hidden(room: Room, world: UserActions) -> None:
    """Discord shows a bot without the message-content intent only what mentions the bot itself."""
    [role] = [r["id"] for r in world.guild["roles"] if r["managed"]]
    await world.say("ada", "general", f"<@&{role}> one")
    await room.notice("Please mention me")


async def test_a_mention_of_another_role_does_not(room: Room, world: UserActions) -> None:
    role = world.state.add_role(world.guild, "commonroom")
    role["mentionable"] = True
    await world.say("ada", "general", f"<@&{role['id']}> one")
    await world.say("ada", "general", "@bot two")
    await room.answer("[turn 1] two")


@pytest.mark.parametrize("way", ["mention", "command"])
async def test_a_thread_that_is_archived_meanwhile_gets_its_answer(
    room: Room, world: UserActions, way: str
) -> None:
    thread = world.create_thread("ada", "general", "talk")["id"]
    prompt = "!tokens 150 !delay 20ms"
    if way == "mention":
        await world.say("ada", thread, f"@bot {prompt}")
    else:
        await world.slash("ada", thread, "chat", {"prompt": prompt})
    await until(lambda: [m for m in room.bot_says(channel=thread) if growing(m) and said(m)])
    world.archive_thread(thread)
    await until(lambda: [m for m in room.bot_says(channel=thread) if not growing(m)])
    [answer] = room.bot_says(channel=thread)
    assert "word90" in answer.data["content"]


async def test_a_thread_that_is_locked_meanwhile_ends_the_work(
    room: Room, world: UserActions
) -> None:
    thread = world.create_thread("ada", "general", "talk")["id"]
    asked = await world.say("ada", thread, "@bot !tokens 900 !delay 30ms")
    await until(lambda: [m for m in room.bot_says(channel=thread) if growing(m) and said(m)])
    world.archive_thread(thread, locked=True)
    queue = JobQueue(room.redis)

    async def ended() -> bool:
        return (await queue.get_status(asked.id)).state.is_terminal

    await holds(ended)
