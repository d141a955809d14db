"""Commands and context menus for questions, `/stop` and `/help`."""

from dataclasses import replace

import discord
from discord import app_commands

from bot import notices
from bot.discord.ask import ask_flow, job_factory, message_text, references
from bot.discord.ask.job_factory import AskOptions
from bot.discord.commands.command_decorators import (
    Command,
    command_text,
    described_options,
    slash_command,
    usable_everywhere,
)
from bot.discord.delivery.reply_target import Footnote
from bot.discord.host import Interaction
from bot.discord.views import modals
from bot.discord.views.answer_actions import stop as stop_job
from bot.discord.views.embeds import send_notice
from bot.i18n import words
from bot.notices import Notice, QuestionRefused, Tone
from bot.sanitize import clean_name
from jobqueue.schema import SOLVE

LONGEST_OPTION = 6_000  # Discord's own limit
MOST_CHOICES = 25

Prompt = app_commands.Range[str, 1, LONGEST_OPTION]
File = discord.Attachment | None


@usable_everywhere
@slash_command("chat")
@described_options(
    prompt="option-prompt-form",
    private="option-private-about",
    thinking="option-thinking-about",
    file="option-file-about",
)
async def chat(
    interaction: Interaction,
    prompt: Prompt | None = None,
    private: bool = False,
    thinking: bool | None = None,
    file: File = None,
) -> None:
    options = AskOptions(private=private, thinking=thinking)
    if prompt is None and file is None:
        await modals.open_question_form(interaction, options)
        return
    asked = prompt or words(str(interaction.locale))("prompt-files")
    await ask_flow.ask(
        interaction, asked, message_text.describe_attachments([file] if file else []), options
    )
    if prompt and not private:
        await ask_flow.remember(interaction, prompt)


@usable_everywhere
@slash_command("solve")
@described_options(
    problem="option-problem-form", private="option-private-about", file="option-file-data"
)
async def solve(
    interaction: Interaction,
    problem: Prompt | None = None,
    private: bool = False,
    file: File = None,
) -> None:
    options = AskOptions(private=private, capability=SOLVE)
    if problem is None and file is None:
        await modals.open_question_form(interaction, options)
        return
    files = message_text.describe_attachments([file] if file else [])
    await ask_flow.ask(interaction, problem or "", files, options)
    if problem and not private:
        await ask_flow.remember(interaction, problem)


@app_commands.guild_install()
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@slash_command("thread")
@described_options(prompt="option-prompt-about", file="option-file-about")
async def thread(interaction: Interaction, prompt: Prompt, file: File = None) -> None:
    await ask_flow.ask_in_thread(
        interaction, prompt, message_text.describe_attachments([file] if file else [])
    )
    await ask_flow.remember(interaction, prompt)


@usable_everywhere
@slash_command("ask")
@described_options(prompt="option-prompt-about", file="option-file-about")
async def ask(interaction: Interaction, prompt: Prompt, file: File = None) -> None:
    files = message_text.describe_attachments([file] if file else [])
    if ask_flow.can_open_thread(interaction):
        await ask_flow.ask_in_thread(interaction, prompt, files)
    else:
        await ask_flow.ask(interaction, prompt, files)
    await ask_flow.remember(interaction, prompt)


@chat.autocomplete("prompt")
@ask.autocomplete("prompt")
@thread.autocomplete("prompt")
@solve.autocomplete("problem")
async def recent_questions(
    interaction: Interaction, current: str
) -> list[app_commands.Choice[str]]:
    recent = await interaction.client.services.recent.list_of(str(interaction.user.id), current)
    return [app_commands.Choice(name=q, value=q) for q in recent[:MOST_CHOICES]]


@usable_everywhere
@app_commands.context_menu(name=command_text("command-about"))
async def ask_about(interaction: Interaction, message: discord.Message) -> None:
    await modals.open_about_form(interaction, message)


@usable_everywhere
@app_commands.context_menu(name=command_text("command-solve-this"))
async def solve_this(interaction: Interaction, message: discord.Message) -> None:
    await message_text.learn_names(message)
    problem = message_text.text_of(message, own_id(interaction), files=False)
    limit = interaction.client.services.settings.commonroom_max_prompt_chars
    options = AskOptions(capability=SOLVE, quoted=False, about=message.jump_url)
    if len(problem) > limit:
        name = clean_name(message.author.display_name)
        cut = Footnote("quote-cut", {"name": name, "characters": limit})
        options = replace(options, footnotes=(cut,))
    await ask_flow.ask(interaction, problem[:limit], message_text.files_of(message), options)


@usable_everywhere
@app_commands.context_menu(name=command_text("command-explain"))
async def explain_image(interaction: Interaction, message: discord.Message) -> None:
    pictures = message_text.pictures_of(message)
    if not pictures:
        raise QuestionRefused(Notice("no-image-there"))
    request = words(str(interaction.locale))("explain-prompt")
    await message_text.learn_names(message)
    quotes = references.quotes_about(message, own_id(interaction))
    options = AskOptions(quoted=False, about=message.jump_url, quotes=quotes)
    await ask_flow.ask(interaction, request, pictures, options)


def own_id(interaction: Interaction) -> int:
    me = interaction.client.user
    return me.id if me else 0


@app_commands.guild_install()
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
@app_commands.context_menu(name=command_text("command-summarise"))
async def summarise(interaction: Interaction, message: discord.Message) -> None:
    """Summarise for this person alone: a summary is long, and nobody else asked for it."""
    if interaction.guild_id and not interaction.app_permissions.read_message_history:
        raise QuestionRefused(notices.HISTORY_FORBIDDEN)  # Discord would say that there is nothing
    if interaction.guild_id and not interaction.permissions.read_message_history:
        raise QuestionRefused(notices.HISTORY_NOT_YOURS)
    request = words(str(interaction.locale))("summary-prompt")
    quote, missing = await references.read_transcript(message, own_id(interaction))
    options = AskOptions(
        private=True, quoted=False, about=message.jump_url, quotes=(quote,), footnotes=missing
    )
    await ask_flow.ask(interaction, request, options=options)


@usable_everywhere
@slash_command("stop")
async def stop(interaction: Interaction) -> None:
    answers, me = interaction.client.answers, str(interaction.user.id)
    places = [job_factory.conversation(interaction, private=private) for private in (False, True)]
    mine = [job for place in places for job in answers.list_jobs(me, place)]
    refusals = [await stop_job(interaction, job.id) for job in mine]
    stopped = refusals.count(None)
    done = Notice("stop-done", Tone.INFO, {"count": stopped})
    await send_notice(interaction, done if stopped else Notice("stop-nothing"))


@usable_everywhere
@slash_command("help")
async def help_(interaction: Interaction) -> None:
    await send_notice(interaction, Notice("help-text", Tone.INFO, title="help-title"))


ALL: tuple[Command | app_commands.ContextMenu, ...] = (
    chat,
    solve,
    ask,
    thread,
    ask_about,
    explain_image,
    solve_this,
    summarise,
    stop,
    help_,
)
