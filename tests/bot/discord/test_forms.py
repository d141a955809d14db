"""Forms that were open while the bot restarted do what they say all the same."""

import gc

from discord.ui.view import ViewStore

from bot.preferences import Preferences, PreferenceStore
from jobqueue.history import History
from jobqueue.queue import JobQueue
from playground.discord.json_types import File
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, holds, said, until


async def test_open_forms_outlive_the_bot(silent_room: Room, world: UserActions) -> None:
    room, place = silent_room, world.channel("general")["id"]
    world.make_admin("ada")
    world.state.privileged_intents |= 1 << 15  # to read bob's message again
    posted = await world.say("bob", "general", "the sky is green")
    async with room.worker():
        async with room.bot():
            await world.slash("ada", "general", "settings")
            panel = await until(lambda: next(iter(room.bot_says("ada")), None))
            settings = await world.click("ada", "general", panel.id, f"settings:{place}:persona")
            about = await world.context_menu("ada", "general", "Ask about this", posted.id)
            await until(lambda: settings.modal and about.modal)
        async with room.bot():
            await world.submit_modal(settings, {"persona": "A pirate."})
            await world.submit_modal(about, {"question": "is it?"})
            store = PreferenceStore(room.redis, Preferences())

            async def decided() -> bool:
                store.refresh(world.guild["id"])
                return (await store.get_explicit(world.guild["id"], place)).persona == "A pirate."

            await holds(decided)
            await room.answer("[turn 1] is it?\n\nMessage by bob:\n```\nthe sky is green\n```")
    assert (await History(room.redis).get_head(place)) != ""


async def test_a_form_about_a_message_that_is_gone_says_so(
    silent_room: Room, world: UserActions
) -> None:
    posted = await world.say("ada", "general", "the sky is green")
    async with silent_room.bot():
        opened = await world.context_menu("ada", "general", "Ask about this", posted.id)
        await until(lambda: opened.modal)
    await world.delete_message("ada", "general", posted.id)
    async with silent_room.bot():
        await world.submit_modal(opened, {"question": "is it?"})
        await silent_room.notice("can no longer read this message")


# --- questions with several lines and files -------------------------------------------------------

NOTES = File("notes.txt", b"The meeting is on Tuesday.")
PRICES = File("prices.csv", b"item,price\ntea,2\n")


async def test_a_command_without_words_opens_a_form_for_files(
    room: Room, world: UserActions
) -> None:
    opened = await world.slash("ada", "general", "chat", {"private": True})
    form = await until(lambda: opened.modal)
    assert form["title"] == "Ask the model"
    filled = {"question": "one\ntwo", "files": [NOTES, PRICES]}
    await world.submit_modal(opened, filled)
    queue = JobQueue(room.redis)

    async def answered() -> bool:
        return any(map(said, room.bot_says())) and not await queue.list_undelivered("bot-0")

    await holds(answered)
    [answer] = room.bot_says()
    for part in ("one\ntwo", "notes.txt", "Tuesday", "prices.csv", "tea,2"):
        assert part in answer.data["content"]
    assert answer.visible_to == world.user("ada")["id"]


async def test_a_form_for_a_question_outlives_the_bot(
    silent_room: Room, world: UserActions
) -> None:
    async with silent_room.bot():
        opened = await world.slash("ada", "general", "chat", {}, locale="zh-CN")
        assert (await until(lambda: opened.modal))["title"] == "向模型提问"
    async with silent_room.bot(), silent_room.worker():
        await world.submit_modal(opened, {"question": "", "files": [NOTES]}, locale="zh-CN")
        await until(lambda: any("Tuesday" in said(m) for m in silent_room.bot_says()))


async def test_a_form_without_anything_is_told_so(room: Room, world: UserActions) -> None:
    opened = await world.slash("ada", "general", "solve", {})
    assert (await until(lambda: opened.modal))["title"] == "Solve a problem"
    await world.submit_modal(opened, {"question": " "})
    await room.notice("nothing to answer")


async def test_files_can_be_added_to_a_question_about_a_message(
    room: Room, world: UserActions
) -> None:
    posted = await world.say("bob", "general", "the sky is green")
    opened = await world.context_menu("ada", "general", "Ask about this", posted.id)
    await until(lambda: opened.modal)
    await world.submit_modal(opened, {"question": "is it?", "files": [NOTES]})
    await until(lambda: any("Tuesday" in said(m) and "green" in said(m) for m in room.bot_says()))


async def test_forms_that_are_never_sent_are_not_kept(room: Room, world: UserActions) -> None:
    """Everybody may open as many as they like; discord.py keeps each until it is sent."""
    for number in range(5):
        said = await world.say("bob", "general", f"the sky is green, {number}")
        opened = await world.context_menu("ada", "general", "Ask about this", said.id)
        await until(lambda form=opened: form.modal)  # type: ignore[misc]
    stores = [each for each in gc.get_objects() if type(each) is ViewStore]
    assert stores
    assert all(not store._modals and not store._synced_message_views for store in stores)
    await world.submit_modal(opened, {"question": "is it?"})
    await until(lambda: [m for m in room.bot_says() if "is it?" in m.data["content"]])
