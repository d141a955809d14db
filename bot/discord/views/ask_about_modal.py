"""*Ask about this*: a form for the question about one message.

The form's id names the message, so that it works after a restart where the bot can read it again.
What it was opened on is kept for the person who opened it, at the place where they did.
"""

import discord

from bot.discord.ask import ask_flow, message_text, references
from bot.discord.ask.job_factory import AskOptions
from bot.discord.ask.references import MessageKey
from bot.discord.host import Interaction
from bot.discord.views import modal_values, question_modal
from bot.discord.views.modal_builder import send_form
from bot.i18n import words
from bot.notices import Notice, Refused
from bot.sanitize import clean_name

FORM = "about"  # what the form's custom_id begins with
LONGEST_FIELD = 4_000  # characters, in Discord's forms

FORGOTTEN = Notice("about-forgotten")


async def open_form(interaction: Interaction, message: discord.Message) -> None:
    interaction.client.asked_about.add(_key(interaction, str(message.id)), message)
    await send_form(interaction, _create_form(message, str(interaction.locale)))


async def submit(interaction: Interaction, message_id: str) -> None:
    """Ask what was written into the form.

    Raises:
        Refused: the message is not known any more, and cannot be read again.
    """
    known = interaction.client.asked_about.find(_key(interaction, message_id))
    message = known or await _fetch(interaction, message_id)
    await message_text.learn_names(message)
    me = interaction.client.user
    quotes = references.quotes_about(message, me.id if me else 0)
    files = (*message_text.files_of(message), *question_modal.posted_files(interaction))
    options = AskOptions(about=message.jump_url, quotes=quotes)
    await ask_flow.ask(
        interaction, modal_values.form_values(interaction).get("question", ""), files, options
    )


def _key(interaction: Interaction, message_id: str) -> MessageKey:
    return interaction.user.id, interaction.channel_id, message_id


async def _fetch(interaction: Interaction, message_id: str) -> discord.Message:
    """Return what the person could read as well in the channel where they are.

    Without the message-content intent Discord shows of others' messages only what was handed
    over with the command, and that was to an earlier process.
    """
    if interaction.guild_id and not interaction.permissions.read_message_history:
        raise Refused(FORGOTTEN)
    channel = interaction.client.get_partial_messageable(interaction.channel_id or 0)
    try:
        message = await channel.fetch_message(int(message_id))
    except (discord.Forbidden, discord.NotFound) as error:
        raise Refused(FORGOTTEN) from error
    if message_text.is_blank(message):
        raise Refused(FORGOTTEN)
    return message


def _create_form(message: discord.Message, locale: str) -> discord.ui.Modal:
    say = words(locale)
    form = discord.ui.Modal(title=say("about-title"), custom_id=f"{FORM}:{message.id}")
    question: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        style=discord.TextStyle.paragraph, max_length=LONGEST_FIELD, custom_id="question"
    )
    whom = say("about-whom", {"name": clean_name(message.author.display_name)})
    form.add_item(
        discord.ui.Label(text=say("about-question"), description=whom, component=question)
    )
    form.add_item(question_modal.files_field(say("question-files")))
    return form
