"""The Discord client: it takes messages, components and forms, and knows no command and no view."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import aiohttp
import discord
import msgspec
from discord import app_commands

from bot import notices
from bot.answer_formatter import AnswerFormatter
from bot.answer_store import ShownAnswer
from bot.config import BotSettings
from bot.discord import access
from bot.discord.ask import job_factory, message_text, references
from bot.discord.ask.admission import PATIENCE_S, Admission, author_of
from bot.discord.ask.missed_messages import MissedMessages
from bot.discord.ask.question_intake import QuestionIntake
from bot.discord.delivery.answer_manager import ACKNOWLEDGE_S, AnswerManager
from bot.discord.delivery.answer_registry import AnswerRegistry
from bot.discord.delivery.message_transport import show_notice
from bot.discord.delivery.request_pacer import RequestPacer
from bot.discord.views.embeds import send_notice
from bot.discord.views.persistent_item import PersistentItem
from bot.i18n import words
from bot.metrics import BotMetrics
from bot.notices import Notice, QuestionRefused
from bot.pending_questions import Question
from bot.services import Services
from common import tracing
from jobqueue.errors import QueueUnavailable

log = logging.getLogger(__name__)

EVERY_SHARD: dict[str, Any] = {}
UNKNOWN_INTERACTION = 10062  # Discord's code for an interaction that was not acknowledged in time

Interaction = discord.Interaction["Host"]
FormHandler = Callable[[Interaction, str], Awaitable[None]]  # and what the form's id is about
Component = TypeVar("Component", bound=PersistentItem)


class Host(discord.AutoShardedClient):
    """The client with its services. `bot.discord.setup` adds components, forms and commands."""

    def __init__(self, services: Services, metrics: BotMetrics) -> None:
        shards = services.settings.shards
        super().__init__(
            **({"shard_ids": shards.ids, "shard_count": shards.of} if shards else EVERY_SHARD),
            http_trace=metrics.trace(),
            intents=_intents(services.settings),
            allowed_mentions=discord.AllowedMentions.none(),
            # Old messages and members are not cached, which makes large servers cheap.
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        self.services = services
        self.formatter = AnswerFormatter(services.blobs)
        self.registry = AnswerRegistry(self, services, self.formatter)
        self.pacer = RequestPacer(len(shards.ids) / shards.of if shards else 1.0)
        self.answers = AnswerManager(self, services, self.registry, self.formatter, self.pacer)
        self.admission = Admission(services)
        self.intake = QuestionIntake(self, services, self.admission, self.answers)
        reader = services.settings.reader
        self.missed_messages = MissedMessages(self, services.queue, reader, answer=self.on_message)
        self.asked_about = references.MessageCache()
        self.forms: dict[str, tuple[str, FormHandler]] = {}
        self._components: dict[type[Any], Callable[[Interaction, Any], Awaitable[None]]] = {}
        self.tree = CommandTree(self)

    def add_component(
        self, item: type[Component], handler: Callable[[Interaction, Component], Awaitable[None]]
    ) -> None:
        self.add_dynamic_items(item)
        self._components[item] = handler

    def add_form(self, form: str, about: str, handler: FormHandler) -> None:
        """Handle forms whose custom_id is `form`, a colon and what `about` matches."""
        self.forms[form] = (about, handler)

    async def handle_component(self, interaction: Interaction, item: PersistentItem) -> None:
        try:
            await self._components[type(item)](interaction, item)
        except Exception as error:  # the press's edge: its person is told
            await self.explain(interaction, error)

    async def find_answer(
        self, interaction: Interaction, job_id: str, forgotten: Notice
    ) -> ShownAnswer:
        """Return the answer that a button belongs to.

        Raises:
            QuestionRefused: it is forgotten, or it is shown elsewhere.
        """
        await self.answers.wait_until_recorded(job_id)
        shown = await self.services.answers.find(job_id)
        if shown is None:
            raise QuestionRefused(forgotten)
        access.require_here(interaction, shown.job)
        return shown

    async def on_ready(self) -> None:
        log.info("ready user=%s servers=%d", self.user and self.user.id, len(self.guilds))
        self.missed_messages.on_connect(resumed=False)

    async def on_resumed(self) -> None:
        self.missed_messages.on_connect(resumed=True)

    async def on_disconnect(self) -> None:
        self.missed_messages.on_disconnect()

    async def on_message(self, message: discord.Message) -> None:
        if self.user is None or not job_factory.is_addressed_to(self.user, message):
            return
        await self.missed_messages.remember_direct(message)
        if self.intake.remember_id(str(message.id)) or str(message.id) in self.answers:
            return
        try:
            job_factory.require_readable(self.user, message)
            await message_text.learn_names(message, references.resolved_target(message))
            question = job_factory.from_message(message, self.user, self.services.settings)
            with tracing.start_question_span(question.job.id, question.job.channel, "message"):
                who = author_of(message)
                await self.admission.require_open(who)
                question = await self._continue_from_target(message, question)
                self.intake.add_message(msgspec.structs.replace(question, asker=who))
        except QuestionRefused as refused:
            language = words(job_factory.locale_of(message))
            await show_notice(self, message, refused.notice, language)
        else:
            with suppress(discord.HTTPException, aiohttp.ClientError):  # a courtesy
                await message.channel.typing()

    async def on_interaction(self, interaction: Interaction) -> None:
        """Handle forms. discord.py forgets those that an earlier process opened."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        data: Any = interaction.data or {}
        form, _, about = str(data.get("custom_id", "")).partition(":")
        try:
            pattern, handler = self.forms.get(form, (None, None))
            if pattern is None or handler is None or not re.fullmatch(pattern, about, re.ASCII):
                raise QuestionRefused(access.FORGOTTEN)
            await handler(interaction, about)
        except Exception as error:  # the form's edge: its person is told
            await self.explain(interaction, error)

    async def _continue_from_target(self, message: discord.Message, question: Question) -> Question:
        """Let a reply to an older answer continue from there.

        Any other question continues from the latest answer. An answer without a record is quoted.
        """
        target, job = references.reply_target(message), question.job
        if target is None or self.user is None:
            return question
        try:
            async with asyncio.timeout(PATIENCE_S + ACKNOWLEDGE_S):
                shown = await self.services.answers.find(str(target))
                if shown is None and references.is_reply_to_bot(message, self.user.id):
                    await self.answers.wait_until_channel_recorded(job.channel)
                    shown = await self.services.answers.find(str(target))
                head = await self.services.history.get_head(job.channel)
                turn = shown and await self.services.history.get_turn(job.channel, shown.job.id)
        except (TimeoutError, QueueUnavailable):
            return question
        if shown is None or turn is None:
            return references.with_own_target(message, self.user.id, question)
        question = references.without_target(question)
        if shown.job.id == head:
            return question
        job = msgspec.structs.replace(job, parent=shown.job.id)
        return msgspec.structs.replace(question, job=job)

    async def explain(self, interaction: Interaction, error: BaseException) -> None:
        """Tell the person why their action failed."""
        if isinstance(error, discord.NotFound) and error.code == UNKNOWN_INTERACTION:
            log.warning("acknowledged too late interaction=%s", interaction.id)
            return  # Discord has told them that the application did not respond
        await send_notice(interaction, notice_of(interaction, error))

    async def on_error(self, event_method: str, /, *args: Any, **_: Any) -> None:
        """Log an event's failure, which leaves other events alone."""
        ids = [getattr(arg, "id", None) for arg in args]
        log.exception("event failed event=%s ids=%s", event_method, ids)


class CommandTree(app_commands.CommandTree[Host]):
    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        await interaction.client.explain(interaction, getattr(error, "original", error))


def notice_of(interaction: Interaction, error: BaseException) -> Notice:
    """Return what the person is told about an error, and log an unexpected one."""
    if isinstance(error, QuestionRefused):
        return error.notice
    if isinstance(error, QueueUnavailable):
        return notices.UNAVAILABLE
    log.error(
        "interaction failed interaction=%s user=%s channel=%s",
        interaction.id,
        interaction.user.id,
        interaction.channel_id,
        exc_info=error,
    )
    return notices.internal_error(str(interaction.id))


def _intents(settings: BotSettings) -> discord.Intents:
    """Return the intents. Mentions and direct messages come without the privileged one."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.dm_messages = True
    intents.message_content = settings.commonroom_message_content
    return intents
