"""Commands that set up a server or channel: `/settings`, `/persona` and `/model`."""

import discord
import msgspec
from discord import app_commands

from bot.discord.ask.admission import asker_of
from bot.discord.commands.command_decorators import (
    Command,
    described_options,
    slash_command,
    usable_everywhere,
)
from bot.discord.host import Interaction
from bot.discord.settings.settings_controller import (
    WRONG,
    SettingsController,
    require_can_change,
    served_models,
    server_of,
)
from bot.discord.views.embeds import send_notice
from bot.notices import Notice, QuestionRefused, Tone
from bot.preferences import MAX_PERSONA_CHARS
from bot.sanitize import clean_prompt

NOTHING = "-"  # typed for "take it back"


@app_commands.guild_install()
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.default_permissions(manage_guild=True)
@slash_command("settings")
async def settings(interaction: Interaction) -> None:
    services = interaction.client.services
    await SettingsController(services.preferences, services.queue).open(interaction)


@usable_everywhere
@slash_command("persona")
@described_options(persona="option-persona-about")
async def persona(
    interaction: Interaction, persona: app_commands.Range[str, 1, MAX_PERSONA_CHARS] | None = None
) -> None:
    store, who = interaction.client.services.preferences, asker_of(interaction)
    if persona is None:
        current_persona = (await store.resolve(who.server, who.channels)).persona
        shown = {"persona": discord.utils.escape_markdown(current_persona or "")}
        notice = (
            Notice("persona-is", Tone.INFO, shown)
            if current_persona
            else Notice("persona-none", Tone.INFO)
        )
        await send_notice(interaction, notice)
        return
    require_can_change(interaction)
    new = None if persona == NOTHING else clean_prompt(persona, MAX_PERSONA_CHARS)
    await store.change(
        server_of(interaction), str(interaction.channel_id), by=who.user, persona=new
    )
    await send_notice(interaction, Notice("persona-set" if new else "persona-back", Tone.INFO))


@usable_everywhere
@slash_command("model")
@described_options(model="option-model-about")
async def model(interaction: Interaction, model: str | None = None) -> None:
    store, who = interaction.client.services.preferences, asker_of(interaction)
    served = await served_models(interaction.client.services.queue)
    if model is None:
        chosen = (await store.resolve(who.server, who.channels)).model
        names = "\n".join(f"{'●' if name == chosen else '○'} `{name}`" for name in served)
        await send_notice(interaction, Notice("model-list", Tone.INFO, {"models": names or "—"}))
        return
    require_can_change(interaction)
    if model != NOTHING and model not in served:
        raise QuestionRefused(Notice("model-unknown", arguments={"model": model[:100]}))
    new = None if model == NOTHING else model
    try:
        await store.change(
            server_of(interaction), str(interaction.channel_id), by=who.user, model=new
        )
    except msgspec.ValidationError as error:
        raise QuestionRefused(WRONG) from error
    done = (
        Notice("model-set", Tone.INFO, {"model": new}) if new else Notice("model-back", Tone.INFO)
    )
    await send_notice(interaction, done)


@model.autocomplete("model")
async def models(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    served = await served_models(interaction.client.services.queue)
    fitting = [name for name in served if current.casefold() in name.casefold()]
    return [app_commands.Choice(name=name, value=name) for name in fitting[:25]]


ALL: tuple[Command, ...] = (settings, persona, model)
