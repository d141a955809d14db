"""Small forms: a modal of text fields. Its id says what is to be done with what was typed, so that
it works after a restart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.i18n import Words

SHORT_CHARS = 20


@dataclass(frozen=True)
class FormField:
    name: str
    label: str  # a key of bot/locales
    value: str = ""
    max_length: int = SHORT_CHARS

    def item(self, say: Words) -> "discord.ui.Label[discord.ui.Modal]":
        long = self.max_length > SHORT_CHARS
        entry: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
            custom_id=self.name,
            style=discord.TextStyle.paragraph if long else discord.TextStyle.short,
            default=self.value or None,
            required=False,
            max_length=self.max_length,
        )
        return discord.ui.Label(text=say(self.label), component=entry)


@dataclass(frozen=True)
class FormSpec:
    custom_id: str
    title: str  # a key too
    fields: Sequence[FormField]

    def build(self, say: Words) -> discord.ui.Modal:
        modal = discord.ui.Modal(title=say(self.title), custom_id=self.custom_id)
        for field in self.fields:
            modal.add_item(field.item(say))
        return modal


async def send_form(interaction: discord.Interaction[Any], form: discord.ui.Modal) -> None:
    """Open a form, which `Host.on_interaction` hears of when it is sent.

    discord.py would keep it for as long as it runs, since most forms are never sent.
    """
    await interaction.response.send_modal(form)
    form.stop()
