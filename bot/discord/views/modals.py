"""Modal forms: text fields, files, and what people typed into them.

A form's id says what is done with its values, so that it works after a restart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.discord.ask import ask_flow, message_text, references
from bot.discord.ask.job_factory import AskOptions
from bot.discord.ask.references import MessageKey
from bot.discord.host import Interaction
from bot.i18n import Words, words
from bot.notices import Notice, QuestionRefused
from bot.pending_questions import PostedFile
from bot.sanitize import clean_name
from jobqueue.schema import SOLVE

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


def posted_files(interaction: discord.Interaction[Any]) -> list[PostedFile]:
    """Return the files that were added to a form, whichever process opened it."""
    data: Any = interaction.data or {}
    attachments = data.get("resolved", {}).get("attachments", {})
    return [
        PostedFile(url=str(file["url"]), name=str(file["filename"]), size=int(file["size"]))
        for file in attachments.values()
    ]


QUESTION_FORM, ABOUT_FORM = "question", "about"  # the forms' custom_ids begin with these
# Forms for a question: one for `/chat` and `/solve`, one for *Ask about this*.
#
# The first form opens if the command has neither text nor files. The second form's id names the
# message, so that it works after a restart if the bot can read the message again. Until a restart,
# the message is cached for the person who opened the form, in that channel.

QUESTION_PATTERN = rf"(chat|{SOLVE})\.(0|1)\.(0|1|)"  # capability, private, thinking
FORGOTTEN = Notice("about-forgotten")
_TITLES = {"chat": "question-title-chat", SOLVE: "question-title-solve"}
_THINKING = {"": None, "0": False, "1": True}


async def open_question_form(interaction: Interaction, options: AskOptions) -> None:
    thinking = "" if options.thinking is None else str(int(options.thinking))
    about = f"{options.capability}.{int(options.private)}.{thinking}"
    field = FormField("question", "about-question", max_length=LONGEST_FIELD)
    title = _TITLES[options.capability]
    form = FormSpec(f"{QUESTION_FORM}:{about}", title, [field], "question-files")
    await send_form(interaction, form.build(words(str(interaction.locale))))


async def submit_question(interaction: Interaction, about: str) -> None:
    """Ask what was typed into the form.

    Raises:
        QuestionRefused: the form has neither text nor files.
    """
    capability, private, thinking = about.split(".")
    options = AskOptions(
        private=private == "1", capability=capability, thinking=_THINKING[thinking]
    )
    prompt = form_values(interaction).get("question", "")
    files = posted_files(interaction)
    if files and not prompt.strip() and capability != SOLVE:
        prompt = words(str(interaction.locale))("prompt-files")
    await ask_flow.ask(interaction, prompt, files, options)
    if prompt.strip() and not options.private:
        await ask_flow.remember(interaction, prompt)


async def open_about_form(interaction: Interaction, message: discord.Message) -> None:
    interaction.client.asked_about.add(_key(interaction, str(message.id)), message)
    say = words(str(interaction.locale))
    whom = say("about-whom", {"name": clean_name(message.author.display_name)})
    field = FormField(
        "question", "about-question", max_length=LONGEST_FIELD, required=True, description=whom
    )
    form = FormSpec(f"{ABOUT_FORM}:{message.id}", "about-title", [field], "question-files")
    await send_form(interaction, form.build(say))


async def submit_about(interaction: Interaction, message_id: str) -> None:
    """Ask about the message what was typed into the form.

    Raises:
        QuestionRefused: the message is forgotten and cannot be read again.
    """
    cached = interaction.client.asked_about.find(_key(interaction, message_id))
    message = cached or await _fetch(interaction, message_id)
    await message_text.learn_names(message)
    me = interaction.client.user
    quotes = references.quotes_about(message, me.id if me else 0)
    files = (*message_text.files_of(message), *posted_files(interaction))
    options = AskOptions(about=message.jump_url, quotes=quotes)
    await ask_flow.ask(interaction, form_values(interaction).get("question", ""), files, options)


def _key(interaction: Interaction, message_id: str) -> MessageKey:
    return interaction.user.id, interaction.channel_id, message_id


async def _fetch(interaction: Interaction, message_id: str) -> discord.Message:
    """Return the message if the person could read it as well in their channel.

    Without the message-content intent Discord hands over another person's message with the
    command only, and that went to an earlier process.
    """
    if interaction.guild_id and not interaction.permissions.read_message_history:
        raise QuestionRefused(FORGOTTEN)
    channel = interaction.client.get_partial_messageable(interaction.channel_id or 0)
    try:
        message = await channel.fetch_message(int(message_id))
    except (discord.Forbidden, discord.NotFound) as error:
        raise QuestionRefused(FORGOTTEN) from error
    if message_text.is_blank(message):
        raise QuestionRefused(FORGOTTEN)
    return message
