"""Forms that were open while the bot restarted do what they say all the same."""

from bot.preferences import Preferences, PreferenceStore
from jobqueue.history import History
from playground.discord.world import World
from tests.bot.discord.conftest import Room, holds, until


async def test_open_forms_outlive_the_bot(silent_room: Room, world: World) -> None:
    room, place = silent_room, world.channel("general")["id"]
    world.make_admin("ada")
    world.state.privileged_intents |= 1 << 15  # to read bob's message again
    said = await world.say("bob", "general", "the sky is green")
    async with room.worker():
        async with room.bot():
            await world.slash("ada", "general", "settings")
            panel = await until(lambda: next(iter(room.bot_says("ada")), None))
            settings = await world.click("ada", "general", panel.id, f"settings:{place}:persona")
            about = await world.context_menu("ada", "general", "Ask about this", said.id)
            await until(lambda: settings.modal and about.modal)
        async with room.bot():
            await world.submit_modal(settings, {"persona": "A pirate."})
            await world.submit_modal(about, {"question": "is it?"})
            store = PreferenceStore(room.redis, Preferences())

            async def decided() -> bool:
                store.refresh(world.guild["id"])
                return (await store.at(world.guild["id"], place)).persona == "A pirate."

            await holds(decided)
            await room.answer("[turn 1] is it?\n\nMessage by bob:\n```\nthe sky is green\n```")
    assert (await History(room.redis).head(place)) != ""


async def test_a_form_about_a_message_that_is_gone_says_so(silent_room: Room, world: World) -> None:
    said = await world.say("ada", "general", "the sky is green")
    async with silent_room.bot():
        opened = await world.context_menu("ada", "general", "Ask about this", said.id)
        await until(lambda: opened.modal)
    await world.delete_message("ada", "general", said.id)
    async with silent_room.bot():
        await world.submit_modal(opened, {"question": "is it?"})
        await silent_room.notice("cannot be read any more")
