"""Modal forms: text fields, files, and what people typed into them.

A form's id says what is done with its values, so that it works after a restart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.i18n import Words
from bot.pending_questions import Posted

SHORT_CHARS = 20
LONGEST_FIELD = 4_000  # characters, Discord's limit of a text field
MOST_FILES = 10


@dataclass(frozen=True)
class FormField:
    name: str
    label: str  # a key of bot/locales
    value: str = ""
    max_length: int = SHORT_CHARS
    required: bool = False
    description: str = ""  # translated already

    def item(self, say: Words) -> "discord.ui.Label[discord.ui.Modal]":
        is_long = self.max_length > SHORT_CHARS
        entry: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
            custom_id=self.name,
            style=discord.TextStyle.paragraph if is_long else discord.TextStyle.short,
            default=self.value or None,
            required=self.required,
            max_length=self.max_length,
        )
        description = self.description or None
        return discord.ui.Label(text=say(self.label), description=description, component=entry)


@dataclass(frozen=True)
class FormSpec:
    custom_id: str
    title: str  # a key of bot/locales
    fields: Sequence[FormField]
    files_label: str = ""  # a key; without it the form takes no files

    def build(self, say: Words) -> discord.ui.Modal:
        modal = discord.ui.Modal(title=say(self.title), custom_id=self.custom_id)
        for field in self.fields:
            modal.add_item(field.item(say))
        if self.files_label:
            upload: discord.ui.FileUpload[discord.ui.Modal] = discord.ui.FileUpload(
                custom_id="files", required=False, max_values=MOST_FILES
            )
            modal.add_item(discord.ui.Label(text=say(self.files_label), component=upload))
        return modal


async def send_form(interaction: discord.Interaction[Any], form: discord.ui.Modal) -> None:
    """Open a form. `Host.on_interaction` handles it when the person submits it.

    discord.py would keep it for as long as it runs, since most forms are never submitted.
    """
    await interaction.response.send_modal(form)
    form.stop()


def form_values(interaction: discord.Interaction[Any]) -> dict[str, str]:
    """Return the texts of a submitted form by their fields' names, whichever process opened it."""
    return dict(_iterate_values(interaction.data or {}))


def _iterate_values(part: Any) -> Iterator[tuple[str, str]]:
    """Yield names and texts from any depth of Discord's layout."""
    if "value" in part:
        yield str(part["custom_id"]), str(part["value"])
    for inner in (*part.get("components", ()), *filter(None, [part.get("component")])):
        yield from _iterate_values(inner)


def posted_files(interaction: discord.Interaction[Any]) -> list[Posted]:
    """Return the files that were added to a form, whichever process opened it."""
    data: Any = interaction.data or {}
    attachments = data.get("resolved", {}).get("attachments", {})
    return [
        Posted(url=str(file["url"]), name=str(file["filename"]), size=int(file["size"]))
        for file in attachments.values()
    ]
