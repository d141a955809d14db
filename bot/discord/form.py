"""Small forms: a modal of text fields, and what is done with what was typed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from bot.words import Words

if TYPE_CHECKING:
    from bot.discord.client import Commonroom

    Interaction = discord.Interaction[Commonroom]
else:
    Interaction = discord.Interaction

SHORT_CHARS = 20

Submitted = Callable[[Interaction, dict[str, str]], Awaitable[None]]


@dataclass(frozen=True)
class Field:
    name: str
    label: str  # a key of bot/locales
    value: str = ""
    longest: int = SHORT_CHARS

    def item(self, say: Words) -> "discord.ui.Label[discord.ui.Modal]":
        long = self.longest > SHORT_CHARS
        entry: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
            custom_id=self.name,
            style=discord.TextStyle.paragraph if long else discord.TextStyle.short,
            default=self.value or None,
            required=False,
            max_length=self.longest,
        )
        return discord.ui.Label(text=say(self.label), component=entry)


@dataclass(frozen=True)
class Form:
    title: str  # a key too
    fields: Sequence[Field]
    submitted: Submitted  # gets the texts by field, without outer white space

    def modal(self, say: Words) -> discord.ui.Modal:
        return _FormModal(self, say)


class _FormModal(discord.ui.Modal):
    def __init__(self, form: Form, say: Words) -> None:
        super().__init__(title=say(form.title))
        self._form = form
        for field in form.fields:
            self.add_item(field.item(say))

    async def on_submit(self, interaction: Interaction) -> None:  # type: ignore[override]
        entries = [item for item in self.walk_children() if isinstance(item, discord.ui.TextInput)]
        await self._form.submitted(interaction, {e.custom_id: e.value.strip() for e in entries})

    async def on_error(self, interaction: Interaction, error: Exception, /) -> None:  # type: ignore[override]
        await interaction.client.explain(interaction, error)
