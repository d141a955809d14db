"""The slash commands."""

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.discord import questions
from bot.discord.stop import stop as stop_job
from bot.discord.tell import tell
from bot.discord.translate import text
from bot.notices import Notice, Tone

if TYPE_CHECKING:
    from bot.discord.client import Commonroom

    Interaction = discord.Interaction[Commonroom]
else:
    Interaction = discord.Interaction

LONGEST_OPTION = 6_000  # Discord's own limit


@app_commands.command(name=text("command-chat"), description=text("command-chat-about"))
@app_commands.rename(prompt=text("command-chat-prompt"))
@app_commands.describe(prompt=text("command-chat-prompt-about"))
async def chat(
    interaction: Interaction, prompt: app_commands.Range[str, 1, LONGEST_OPTION]
) -> None:
    client = interaction.client
    job = questions.from_interaction(interaction, prompt, client.service.settings)
    submission = await client.answers.submit(job)
    try:
        await interaction.response.defer()
    finally:  # too late for Discord is not too late for a message in the channel
        client.answers.give(job, submission)


@app_commands.command(name=text("command-reset"), description=text("command-reset-about"))
async def reset(interaction: Interaction) -> None:
    turns = await interaction.client.service.history.clear(str(interaction.channel_id))
    done = Notice("reset-done", Tone.INFO, {"turns": turns})
    await tell(interaction, done, ephemeral=turns == 0)


@app_commands.command(name=text("command-stop"), description=text("command-stop-about"))
async def stop(interaction: Interaction) -> None:
    mine = list(
        interaction.client.answers.of(str(interaction.user.id), str(interaction.channel_id))
    )
    refusals = [await stop_job(interaction, job.id) for job in mine]
    stopped = refusals.count(None)
    done = Notice("stop-done", Tone.INFO, {"count": stopped})
    await tell(interaction, done if stopped else Notice("stop-nothing"))


@app_commands.command(name=text("command-help"), description=text("command-help-about"))
async def help_(interaction: Interaction) -> None:
    await tell(interaction, Notice("help-text", Tone.INFO, title="help-title"))


ALL: tuple[app_commands.Command[Any, ..., Any], ...] = (chat, reset, stop, help_)
