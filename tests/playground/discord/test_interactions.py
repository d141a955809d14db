"""Interactions of the real discord.py client: deferral, follow-ups, visibility, time limits."""

import asyncio

import discord
import pytest
from discord import app_commands

from playground.discord.json_types import File, MessageFlag, UserError
from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions
from tests.playground.rest_client import RestClient
from tests.playground.seeing import watching
from tests.playground.small_bot import Interaction, SmallBot, running


async def test_deferred_answer_is_edited_and_followed_up(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot = SmallBot()

    @bot.tree.command(description="Echo")
    async def echo(interaction: Interaction, prompt: str) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.edit_original_response(content=prompt)
        await interaction.followup.send("and more")

    async with running(bot, local_discord):
        with watching(world) as watch:
            asked = await world.slash("ada", "general", "echo", {"prompt": "hello"})
            thinking = await watch.event("MESSAGE_CREATE")
            edited = await watch.content("hello")
            more = await watch.content("and more")
    assert MessageFlag.LOADING in MessageFlag(thinking.data["flags"])
    assert MessageFlag.LOADING not in MessageFlag(edited.data["flags"])
    assert edited.data["id"] == thinking.data["id"] != more.data["id"]
    assert {thinking.responds_to, edited.responds_to, more.responds_to} == {asked.id}
    assert more.data["interaction_metadata"]["id"] == asked.id


async def test_first_follow_up_after_deferral_takes_its_place(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot = SmallBot()

    @bot.tree.command(description="Late")
    async def late(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send("here")

    async with running(bot, local_discord):
        with watching(world) as watch:
            asked = await world.slash("ada", "general", "late")
            await watch.content("here")
    assert [m.data["content"] for m in world.messages("general")] == ["here"]
    assert asked.response is world.messages("general")[0]


async def test_ephemeral_answer_is_seen_by_its_asker_alone(
    local_discord: LocalDiscord, world: UserActions, rest: RestClient
) -> None:
    bot = SmallBot()

    @bot.tree.command(description="Whisper")
    async def whisper(interaction: Interaction) -> None:
        await interaction.response.send_message("secret", ephemeral=True)

    async with running(bot, local_discord):
        with watching(world) as watch:
            await world.slash("ada", "general", "whisper")
            seen = await watch.content("secret")
    ada, bob = world.user("ada")["id"], world.user("bob")["id"]
    assert seen.visible_to == ada
    assert (world.can_see(ada, seen), world.can_see(bob, seen)) == (True, False)
    channel = world.general["id"]
    assert len(world.snapshot("ada")["messages"][channel]) == 1
    assert world.snapshot("bob")["messages"][channel] == []
    hidden = await rest("GET", f"/channels/{channel}/messages/{seen.data['id']}")
    assert (hidden.status, hidden.code) == (404, 10008)


async def test_silence_is_told_after_three_seconds_and_late_answers_refused(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot = SmallBot()
    gate, refusal = asyncio.Event(), asyncio.get_running_loop().create_future()

    @bot.tree.command(description="Slow")
    async def slow(interaction: Interaction) -> None:
        await gate.wait()
        try:
            await interaction.response.send_message("too late")
        except discord.NotFound as error:
            refusal.set_result(error.code)

    async with running(bot, local_discord):
        asked = await world.slash("ada", "general", "slow")
        local_discord.backend.state.clock.advance(3.1)
        assert not await asked.wait_acknowledged()
        assert not asked.has_no_listener
        gate.set()
        assert await asyncio.wait_for(refusal, 30) == 10062
    assert world.messages("general") == []


async def test_nobody_connected_counts_as_unheard(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    local_discord.backend.commands.replace([{"name": "chat", "description": "Chat"}])
    asked = await world.slash("ada", "general", "chat")
    local_discord.backend.state.clock.advance(3.1)
    assert not await asked.wait_acknowledged()
    assert asked.has_no_listener


async def test_token_expires_after_fifteen_minutes(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot = SmallBot()
    gate, refusal = asyncio.Event(), asyncio.get_running_loop().create_future()

    @bot.tree.command(description="Long")
    async def long(interaction: Interaction) -> None:
        await interaction.response.defer()
        await gate.wait()
        try:
            await interaction.edit_original_response(content="too late")
        except discord.HTTPException as error:
            refusal.set_result((error.status, error.code))

    async with running(bot, local_discord):
        asked = await world.slash("ada", "general", "long")
        assert await asked.wait_acknowledged()
        local_discord.backend.state.clock.advance(15 * 60 + 1)
        gate.set()
        assert await asyncio.wait_for(refusal, 30) == (401, 50027)


async def test_second_response_is_refused(local_discord: LocalDiscord, world: UserActions) -> None:
    local_discord.backend.commands.replace([{"name": "chat", "description": "Chat"}])
    asked = await world.slash("ada", "general", "chat")
    interactions = local_discord.backend.interactions
    interactions.acknowledge(asked.id, asked.token, {"type": 5}, [])
    with pytest.raises(Exception, match="40060"):
        interactions.acknowledge(asked.id, asked.token, {"type": 5}, [])


async def test_attachment_option_is_read_back_by_the_bot(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot = SmallBot()

    @bot.tree.command(description="Weigh")
    async def weigh(interaction: Interaction, file: discord.Attachment) -> None:
        data = await file.read()
        await interaction.response.send_message(f"{file.filename}: {data.decode()}")

    async with running(bot, local_discord):
        with watching(world) as watch:
            await world.slash("ada", "general", "weigh", files=[File("note.txt", b"heavy")])
            assert (await watch.content("note.txt: heavy")).message_change == "create"


async def test_subcommands_choices_and_bounds(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot = SmallBot()
    group = app_commands.Group(name="settings", description="Settings")

    @group.command(description="Set")
    @app_commands.choices(tone=[app_commands.Choice(name="Kind", value="k")])
    async def persona(
        interaction: Interaction, tone: str, level: app_commands.Range[int, 1, 5] = 1
    ) -> None:
        await interaction.response.send_message(f"{tone}{level}")

    bot.tree.add_command(group)
    async with running(bot, local_discord):
        with watching(world) as watch:
            await world.slash("ada", "general", "settings persona", {"tone": "Kind", "level": 3})
            assert (await watch.content("k3")).message_change == "create"
        for wrong in ({"tone": "rude"}, {"tone": "k", "level": 9}, {"level": 1}, {"x": 1}):
            with pytest.raises(UserError):
                await world.slash("ada", "general", "settings persona", wrong)
        with pytest.raises(UserError, match="no command"):
            await world.slash("ada", "general", "nothing")


async def test_autocomplete(local_discord: LocalDiscord, world: UserActions) -> None:
    bot = SmallBot()

    @bot.tree.command(description="Pick")
    async def pick(interaction: Interaction, fruit: str) -> None:
        await interaction.response.send_message(fruit)

    @pick.autocomplete("fruit")
    async def offer(_: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=typed.title(), value=typed)]

    async with running(bot, local_discord):
        offered = await world.autocomplete("ada", "general", "pick", "fruit", {"fruit": "pea"})
    assert [(c["name"], c["value"]) for c in offered] == [("Pea", "pea")]


async def test_context_menus(local_discord: LocalDiscord, world: UserActions) -> None:
    bot = SmallBot()

    @bot.tree.context_menu(name="Shout")
    async def shout(interaction: Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(message.content.upper())

    @bot.tree.context_menu(name="Greet")
    async def greet(interaction: Interaction, user: discord.User) -> None:
        await interaction.response.send_message(f"hi {user.name}")

    async with running(bot, local_discord):
        target = await world.say("bob", "general", "quiet")
        with watching(world) as watch:
            await world.context_menu("ada", "general", "Shout", target.id)
            assert (await watch.content("QUIET")).message_change == "create"
            await world.context_menu("ada", "general", "Greet", "bob")
            assert (await watch.content("hi bob")).message_change == "create"
