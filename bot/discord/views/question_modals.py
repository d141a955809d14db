"""Forms for a question: one for `/chat` and `/solve`, one for *Ask about this*.

The first opens where the command is given neither text nor files. The second's id names the
message, so that it works after a restart where the bot can read the message again. Until then the
message is kept for the person who opened the form, in the channel where they did.
"""

import discord

from bot.discord.ask import ask_flow, message_text, references
from bot.discord.ask.job_factory import AskOptions
from bot.discord.ask.references import MessageKey
from bot.discord.host import Interaction
from bot.discord.views.modals import (
    LONGEST_FIELD,
    FormField,
    FormSpec,
    form_values,
    posted_files,
    send_form,
)
from bot.i18n import words
from bot.notices import Notice, QuestionRefused
from bot.sanitize import clean_name
from jobqueue.schema import SOLVE

QUESTION_FORM, ABOUT_FORM = "question", "about"  # what the forms' custom_ids begin with
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
        Refused: the form has neither text nor files.
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
        "question",
        "about-question",
        max_length=LONGEST_FIELD,
        required=True,
        description=whom,
    )
    form = FormSpec(f"{ABOUT_FORM}:{message.id}", "about-title", [field], "question-files")
    await send_form(interaction, form.build(say))


async def submit_about(interaction: Interaction, message_id: str) -> None:
    """Ask about the message what was typed into the form.

    Raises:
        Refused: the message is forgotten and cannot be read again.
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
