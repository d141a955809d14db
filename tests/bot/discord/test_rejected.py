"""Discord refuses a part of a message: the answer comes without it, or a word on it does."""

import aiohttp
import pytest

from jobqueue.queue import JobQueue
from playground.discord.fault_injection import (
    HARMFUL_LINK,
    TOO_LARGE,
    UPLOADS_LIMITED,
    MessageFilter,
)
from playground.discord.permissions import Permission
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, buttons, growing, holds, said, scripted, until

LINK = "https://harmful.example/x?a=1"
AUTOMOD = MessageFilter(
    400, 200000, "Message was blocked by automatic moderation", text="forbidden word"
)
MISUNDERSTOOD = MessageFilter(400, 50035, "Invalid Form Body", text="forbidden word")


async def _ask(room: Room, way: str, prompt: str) -> None:
    if way == "mention":
        await room.world.say("ada", "general", f"@commonroom {prompt}")
    else:
        options = {"prompt": prompt, "private": way == "private"}
        await room.world.slash("ada", "general", "chat", options)


async def _all_ended(room: Room, part: str) -> list[StoredMessage]:
    """The bot's messages, once one has `part`, none grows and nothing is left to deliver."""
    queue = JobQueue(room.redis)

    async def ended() -> bool:
        seen = room.bot_says()
        shows = any(part in str(message.data) for message in seen)
        return shows and not any(map(growing, seen)) and not await queue.list_undelivered("bot-0")

    await holds(ended)
    return room.bot_says()


@pytest.mark.parametrize("way", ["slash", "private", "mention"])
async def test_a_blocked_link_is_removed_and_the_answer_stays(
    room: Room, world: UserActions, way: str
) -> None:
    world.state.filters.append(HARMFUL_LINK)
    await _ask(room, way, f"see {LINK} now !tokens 40 !delay 20ms")
    [message] = await _all_ended(room, "word")
    assert "harmful.example" not in message.data["content"]
    assert "see ‹link removed: Discord blocks it› now" in said(message)


@pytest.mark.parametrize("refusal", [AUTOMOD, MISUNDERSTOOD], ids=["automod", "form"])
@pytest.mark.parametrize("way", ["slash", "private", "mention"])
async def test_a_blocked_text_comes_as_a_file(
    room: Room, world: UserActions, way: str, refusal: MessageFilter
) -> None:
    world.state.filters.append(refusal)
    await _ask(room, way, "a forbidden word !tokens 30 !delay 20ms")
    [message] = await _all_ended(room, "answer.md")
    [card] = message.data["embeds"]
    assert "did not accept the text" in card["description"]
    [file] = message.data["attachments"]
    assert file["filename"] == "answer.md"


@pytest.mark.parametrize("way", ["slash", "private", "mention"])
async def test_where_neither_text_nor_files_are_taken_a_word_says_so(
    room: Room, world: UserActions, way: str
) -> None:
    world.state.filters += [MISUNDERSTOOD, UPLOADS_LIMITED]
    await _ask(room, way, "a forbidden word !tokens 30 !delay 20ms")
    [message] = await _all_ended(room, "did not accept the text")
    assert message.data["attachments"] == []
    assert "did not accept a file" in message.data["content"]


@pytest.mark.parametrize("refusal", [UPLOADS_LIMITED, TOO_LARGE], ids=["limited", "large"])
@pytest.mark.parametrize("way", ["slash", "private", "mention"])
async def test_without_a_refused_file_the_answer_stands(
    room: Room, world: UserActions, way: str, refusal: MessageFilter
) -> None:
    world.state.filters.append(refusal)
    prompt = "!tokens 1100"  # so many messages that a file is added
    await _ask(room, way, prompt)
    messages = await _all_ended(room, "did not accept a file")
    shown = " ".join(map(said, messages))
    shown, _, note = shown.partition("\n-# ")
    assert shown.split() == scripted(prompt).split()
    assert note == "Discord did not accept a file of this answer."
    assert not any(message.data["attachments"] for message in messages)


async def test_a_formula_whose_picture_is_refused_shows_its_source(
    room: Room, world: UserActions
) -> None:
    world.state.filters.append(UPLOADS_LIMITED)
    formula = r"\int_0^1 \frac{x}{1+x^2}\,dx"
    await world.slash("ada", "general", "chat", {"prompt": f"see\n$$\n{formula}\n$$"})
    messages = await _all_ended(room, "did not accept a file")
    assert any(formula in message.data["content"] for message in messages)


async def test_without_embed_links_cards_are_text(silent_room: Room, world: UserActions) -> None:
    world.set_permissions("general", world.state.bot["id"], deny=Permission.EMBED_LINKS)
    async with silent_room.bot():
        await world.say("ada", "general", "@commonroom will you answer?")
        waiting = await until(lambda: next(iter(silent_room.bot_says()), None))
        assert "No model is running" in waiting.data["content"]
        async with silent_room.worker():
            answer = await silent_room.answer("[turn 1] will you answer?")
        assert answer.id == waiting.id
        await world.say("ada", "general", "@commonroom")
        told = await until(lambda: next(iter(silent_room.bot_says()[1:]), None))
        assert "nothing to answer" in told.data["content"]


async def test_without_message_history_the_answer_is_no_reply(
    room: Room, world: UserActions
) -> None:
    me = world.state.bot["id"]
    world.set_permissions("general", me, deny=Permission.READ_MESSAGE_HISTORY)
    await world.say("ada", "general", "@commonroom will you answer?")
    message = await room.answer("[turn 1] will you answer?")
    assert message.data.get("message_reference") is None
    await world.say("ada", "general", "@commonroom")
    await room.notice("nothing to answer")


# --- what a token reaches -------------------------------------------------------------------------


@pytest.mark.parametrize("private", [True, False])
async def test_a_long_answer_of_a_personal_installation_ends_as_a_file(
    room: Room, world: UserActions, private: bool
) -> None:
    elsewhere = world.create_guild("elsewhere", with_bot=False)
    world.create_user("eve", elsewhere)
    room.channel = world.create_channel("lounge", elsewhere)["id"]
    prompt = "!tokens 3000"
    options = {"prompt": prompt, "private": private}
    await world.slash("eve", room.channel, "chat", options, user_installed=True)

    def look() -> list[StoredMessage] | None:
        seen = room.bot_says("eve")
        done = seen and seen[-1].data["attachments"] and not any(map(growing, seen))
        return seen if done else None

    messages = await until(look)
    assert len(messages) == 6
    assert (
        said(messages[-1])
        == "Discord allows no further messages here. The file contains the whole answer."
    )
    [file] = messages[-1].data["attachments"]
    async with aiohttp.request("GET", file["url"]) as response:
        assert await response.text() == scripted(prompt)


async def test_a_private_answer_of_several_messages_is_asked_again(
    room: Room, world: UserActions
) -> None:
    prompt = "!tokens 700"
    await world.slash("ada", "general", "chat", {"prompt": prompt, "private": True})
    first = await room.whole(scripted(prompt))
    assert len(first) >= 3
    await world.click("ada", "general", first[-1].id, "Again")
    await until(lambda: any("2/2" in str(m.data) for m in room.bot_says()))
    second = await room.whole(scripted(prompt))
    assert second[0].id == first[-1].id
    assert len(second) == len(first)
    assert not {m.id for m in first[:-1]} & {m.id for m in second}
    [before] = [b for b in buttons(second[-1]) if ":before:" in b["custom_id"]]
    await world.click("ada", "general", second[-1].id, before["custom_id"])
    await until(lambda: any("1/2" in str(m.data) for m in room.bot_says()))
    await until(lambda: len(room.bot_says()) == len(second))
    third = await room.whole(scripted(prompt))
    assert third[0].id == second[-1].id
