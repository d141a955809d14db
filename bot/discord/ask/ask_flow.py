"""Asking by an interaction: in place, privately, in a thread, about a message."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import discord

from bot import notices
from bot.discord.ask import job_factory, references
from bot.discord.ask.admission import Admitted, asker_of
from bot.discord.ask.job_factory import AskOptions
from bot.discord.delivery import reply_target
from bot.discord.host import Interaction
from bot.i18n import words
from bot.notices import QuestionRefused
from bot.pending_questions import PostedFile, Question, Reference
from bot.render.message_view import quote_question
from bot.sanitize import clean_prompt
from common import tracing
from jobqueue.errors import QueueError
from jobqueue.schema import Job

NOBODY = discord.AllowedMentions.none()
QUOTED_UNITS = 1_500  # of a question above its thread

log = logging.getLogger(__name__)


async def ask(
    interaction: Interaction,
    prompt: str,
    files: Sequence[PostedFile] = (),
    options: AskOptions | None = None,
) -> None:
    """Answer below the interaction. Without words, the files are what is to be solved.

    Raises:
        QuestionRefused: before anything is shown.
    """
    client, options = interaction.client, options or AskOptions()
    with client.pacer.acknowledgement(), _start_span(interaction, "command"):
        asked = bool(prompt.strip()) or not files
        prompt = prompt if asked else words(str(interaction.locale))("solve-files")
        options = replace(options, quoted=options.quoted and asked)
        who = asker_of(interaction)
        job = job_factory.from_interaction(interaction, prompt, client.services.settings, options)
        admitted = await client.admission.admit(who, job, files)
        # After a late acknowledgement the answer can still come as a message in the channel.
        thread = await _find_thread(interaction, admitted.job)
        if not (files or options.quotes or thread):
            await _submit_and_acknowledge(interaction, admitted)
            return
        question = Question(
            admitted.job,
            tuple(files),
            asked,
            quotes=options.quotes,
            references=(thread,) if thread else (),
            asker=who,
        )
        await client.intake.persist(question)
        try:
            await interaction.response.defer(ephemeral=options.private, thinking=True)
        finally:
            client.intake.start(question)


async def _find_thread(interaction: Interaction, job: Job) -> Reference | None:
    """Return what began the thread, for the first question there.

    An article is about its topic, and not about where it is asked for.
    """
    if job.order or not interaction.is_guild_integration():
        return None
    history = interaction.client.services.history
    thread = references.thread_of(interaction.channel, interaction.permissions)
    return thread if thread and not await references.has_history(history, job) else None


async def ask_again(interaction: Interaction, failed: Job) -> None:
    """Ask a failed job's question again, in an answer of its own.

    Raises:
        QuestionRefused: before anything is shown.
    """
    client = interaction.client
    with client.pacer.acknowledgement(), _start_span(interaction, "repeated"):
        job = job_factory.repeat_job(interaction, failed, client.services.settings)
        admitted = await client.admission.admit(asker_of(interaction), job)
        async with client.answers.lock_channel(job.channel):  # a second press finds it asked
            await _submit_and_acknowledge(interaction, admitted)


async def _submit_and_acknowledge(interaction: Interaction, admitted: Admitted) -> None:
    answers, job = interaction.client.answers, admitted.job
    private = reply_target.is_private(job.reply)
    submission = await answers.submit(admitted)
    try:
        await interaction.response.defer(ephemeral=private, thinking=True)
    finally:
        answers.start_delivery(job, submission)


async def ask_in_thread(interaction: Interaction, prompt: str, files: Sequence[PostedFile]) -> None:
    """Show the question, open a thread below it and answer there.

    Raises:
        QuestionRefused: no thread can be opened here; nothing is shown.
    """
    client, who = interaction.client, asker_of(interaction)
    require_threads(interaction)
    with _start_span(interaction, "thread"):
        job = job_factory.from_interaction(interaction, prompt, client.services.settings)
        job = (await client.admission.admit(who, job, files)).job
        question = Question(job, tuple(files), thread=True, asker=who)
        await client.intake.persist(question)
        try:
            await interaction.response.send_message(_thread_header(job), allowed_mentions=NOBODY)
        finally:
            client.intake.start(question)


def _start_span(interaction: Interaction, way: str) -> AbstractContextManager[tracing.Span]:
    return tracing.start_question_span(str(interaction.id), str(interaction.channel_id), way)


def can_open_thread(interaction: Interaction) -> bool:
    allowed = interaction.app_permissions
    return (
        isinstance(interaction.channel, discord.TextChannel)
        and interaction.is_guild_integration()
        and interaction.permissions.create_public_threads
        and allowed.create_public_threads
        and allowed.send_messages_in_threads
    )


def require_threads(interaction: Interaction) -> None:
    if not isinstance(interaction.channel, discord.TextChannel):
        raise QuestionRefused(notices.NO_THREAD_HERE)
    if not can_open_thread(interaction):
        raise QuestionRefused(notices.THREADS_FORBIDDEN)


def _thread_header(job: Job) -> str:
    """Return the question above its thread, as a quotation that nothing in it can end."""
    return f"**{job.user_name}**\n{quote_question(job.prompt, QUOTED_UNITS, lines=None)}"


async def remember(interaction: Interaction, prompt: str) -> None:
    """Add a question to the person's suggestions. Nobody waits for it, and it may fail."""
    await interaction.client.pacer.wait_until_idle()
    try:
        async with asyncio.timeout(1):
            limit = interaction.client.services.settings.commonroom_max_prompt_chars
            recent = interaction.client.services.recent
            await recent.add(str(interaction.user.id), clean_prompt(prompt, limit))
    except (TimeoutError, QueueError, QuestionRefused) as error:
        log.info("question not remembered interaction=%s: %r", interaction.id, error)
