"""A form for a question: a text of several lines and up to ten files.

It opens where a command is given neither words nor files. Its id says which command it was, so that
it works after a restart.
"""

from typing import Any

import discord

from bot.discord.ask import ask_flow
from bot.discord.ask.job_factory import AskOptions
from bot.discord.host import Interaction
from bot.discord.views import modal_values
from bot.discord.views.modal_builder import FormField, FormSpec, send_form
from bot.i18n import Words, words
from bot.notices import Notice
from bot.pending_questions import Posted
from jobqueue.schema import SOLVE

FORM = "question"  # what the form's custom_id begins with
ABOUT = rf"(chat|{SOLVE})\.(0|1)\.(0|1|)"  # capability, private, thinking
MOST_FILES = 10
LONGEST_FIELD = 4_000  # characters, in Discord's forms
_TITLES = {"chat": Notice("question-title-chat"), SOLVE: Notice("question-title-solve")}
_THINKING = {"": None, "0": False, "1": True}


async def open_form(interaction: Interaction, options: AskOptions) -> None:
    thinking = "" if options.thinking is None else str(int(options.thinking))
    about = f"{options.capability}.{int(options.private)}.{thinking}"
    await send_form(
        interaction, _create_form(f"{FORM}:{about}", options, words(str(interaction.locale)))
    )


async def submit(interaction: Interaction, about: str) -> None:
    """Ask what was written into the form.

    Raises:
        Refused: neither words nor files are in it.
    """
    capability, private, thinking = about.split(".")
    options = AskOptions(
        private=private == "1", capability=capability, thinking=_THINKING[thinking]
    )
    prompt, files = (
        modal_values.form_values(interaction).get("question", ""),
        posted_files(interaction),
    )
    if files and not prompt.strip() and capability != SOLVE:
        prompt = words(str(interaction.locale))("prompt-files")
    await ask_flow.ask(interaction, prompt, files, options)
    if prompt.strip() and not options.private:
        await ask_flow.remember(interaction, prompt)


def files_field(say_label: str) -> "discord.ui.Label[discord.ui.Modal]":
    upload: discord.ui.FileUpload[discord.ui.Modal] = discord.ui.FileUpload(
        custom_id="files", required=False, max_values=MOST_FILES
    )
    return discord.ui.Label(text=say_label, component=upload)


def posted_files(interaction: discord.Interaction[Any]) -> list[Posted]:
    """Return the files that were added to a form, whichever process opened it."""
    data: Any = interaction.data or {}
    attachments = data.get("resolved", {}).get("attachments", {})
    return [
        Posted(url=str(file["url"]), name=str(file["filename"]), size=int(file["size"]))
        for file in attachments.values()
    ]


def _create_form(custom_id: str, options: AskOptions, say: Words) -> discord.ui.Modal:
    question = FormField("question", "about-question", max_length=LONGEST_FIELD)
    form = FormSpec(custom_id, _TITLES[options.capability].key, [question]).build(say)
    form.add_item(files_field(say("question-files")))
    return form
