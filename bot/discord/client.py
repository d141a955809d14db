"""The bot as Discord sees it."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
import discord
import msgspec
from discord import app_commands
from redis.asyncio import Redis

from bot import notices
from bot.agent_trace import WorkRecords
from bot.answer_formatter import Dressing
from bot.answer_store import ShownAnswers
from bot.article.article_store import ArticleRecords
from bot.config import Settings
from bot.discord import access
from bot.discord.article import article_actions
from bot.discord.article.article_actions import Articles
from bot.discord.article.article_components import ArticleControl
from bot.discord.ask import job_factory, message_text, references
from bot.discord.ask.admission import PATIENCE_S, Admission, author_of
from bot.discord.ask.debounce import Intake
from bot.discord.ask.missed_messages import CatchUp
from bot.discord.commands import admin, article, chat, history, reset, status, tools
from bot.discord.commands.command_sync import sync_if_changed
from bot.discord.commands.command_translator import FluentTranslator
from bot.discord.commands.history import ForgetButton
from bot.discord.commands.reset import ResetButton
from bot.discord.commands.tools import ToolsControl
from bot.discord.delivery.answer_manager import ACKNOWLEDGE_S, Answers
from bot.discord.delivery.answer_registry import Album
from bot.discord.delivery.message_transport import show_notice
from bot.discord.delivery.request_pacer import Pace
from bot.discord.respond import tell
from bot.discord.settings import settings_controller
from bot.discord.settings.settings_controller import SettingsDesk
from bot.discord.settings.settings_item import Setting
from bot.discord.views import (
    answer_actions,
    ask_about_modal,
    modal_values,
    question_modal,
    steps_view,
)
from bot.discord.views.answer_actions import Actions
from bot.discord.views.answer_buttons import AnswerButton
from bot.discord.views.approval_button import AllowButton
from bot.discord.views.ask_about_modal import About
from bot.discord.views.steps_view import PageButton
from bot.discord.views.stop_button import StopButton
from bot.feedback import Feedback
from bot.i18n import words
from bot.metrics import Metrics
from bot.notices import Notice, Refused
from bot.pending_questions import Held, Question
from bot.preferences import Preferences, PreferenceStore
from bot.recent_questions import RecentQuestions
from common import tracing
from jobqueue.approvals import Approvals
from jobqueue.blobs import Blobs
from jobqueue.errors import QueueUnavailable
from jobqueue.history import History
from jobqueue.queue import JobQueue, Policy
from jobqueue.rate_limit import RateLimiter

log = logging.getLogger(__name__)

Submitted = Callable[[Any, str], Awaitable[None]]  # an interaction, and what its form names

EVERY_SHARD: dict[str, Any] = {}
TOO_LATE = 10062  # Discord's code for an interaction that was not acknowledged in time

COMMANDS: tuple[chat.Command, ...] = (
    *chat.ALL,
    *reset.ALL,
    *article.ALL,
    *admin.ALL,
    *history.ALL,
    *status.ALL,
    *tools.ALL,
)


@dataclass(frozen=True)
class Service:
    """What stands behind the bot."""

    settings: Settings
    queue: JobQueue
    history: History
    preferences: PreferenceStore
    rates: RateLimiter
    recent: RecentQuestions
    held: Held
    blobs: Blobs
    shown: ShownAnswers
    works: WorkRecords
    articles: ArticleRecords
    approvals: Approvals
    feedback: Feedback

    @classmethod
    def over(cls, redis: Redis, settings: Settings) -> Self:
        defaults = Preferences(
            per_minute=settings.commonroom_per_minute or None,
            per_day=settings.commonroom_per_day or None,
            tokens_per_day=settings.commonroom_tokens_per_day or None,
            megabytes_per_day=settings.commonroom_megabytes_per_day or None,
        )
        policy = Policy(memory=settings.commonroom_queue_memory << 20)
        return cls(
            settings=settings,
            queue=JobQueue(redis, policy=policy),
            history=History(redis),
            preferences=PreferenceStore(redis, defaults),
            rates=RateLimiter(redis),
            recent=RecentQuestions(redis),
            held=Held(redis, settings.reader),
            blobs=Blobs(redis, policy=policy),
            shown=ShownAnswers(redis),
            works=WorkRecords(redis),
            articles=ArticleRecords(redis),
            approvals=Approvals(redis),
            feedback=Feedback(redis),
        )


class Commonroom(discord.AutoShardedClient):
    def __init__(self, service: Service, metrics: Metrics) -> None:
        shards = service.settings.shards
        super().__init__(
            **({"shard_ids": shards.ids, "shard_count": shards.of} if shards else EVERY_SHARD),
            http_trace=metrics.trace(),
            intents=_intents(service.settings),
            allowed_mentions=discord.AllowedMentions.none(),
            # Nothing here looks at old messages or other members; large servers are cheap so.
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        self.service = service
        self.dressing = Dressing(service.blobs)
        self.album = Album(
            self,
            shown=service.shown,
            works=service.works,
            articles=service.articles,
            history=service.history,
            feedback=service.feedback,
            dressing=self.dressing,
            blobs=service.blobs,
        )
        reader = service.settings.reader
        self.pace = Pace(len(shards.ids) / shards.of if shards else 1.0)
        self.answers = Answers(
            self, service.queue, reader, self.album, dressing=self.dressing, pace=self.pace
        )
        self.actions = Actions(self)
        self.articles = Articles(self)
        self.catch_up = CatchUp(self, service.queue.scripts, reader)
        self.admission = Admission(
            service.preferences, service.rates, service.queue, service.history
        )
        self.intake = Intake(self, service.blobs, service.held)
        self.settings_desk = SettingsDesk(service.preferences, service.queue)
        self.about = About()
        # What each form's id names, after its own name, and who checks that and does it.
        self.forms: dict[str, tuple[str, Submitted]] = {
            answer_actions.FORM: (r"\d+", self.actions.reworded),
            steps_view.FORM: (r"\d+", steps_view.renumbered),
            article_actions.TEXT_FORM: (r"\d+\.\d+", self.articles.reworded),
            article_actions.WISH_FORM: (
                r"\d+\.\d+\.(rewrite|expand|shorten)",
                self.articles.wished,
            ),
            settings_controller.FORM: (r"(server|\d+):[a-z]+:\d*", self.settings_desk.submitted),
            ask_about_modal.FORM: (r"\d+", self.about.submitted),
            question_modal.FORM: (question_modal.ABOUT, question_modal.submitted),
        }
        self.tree = Tree(self)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(
            AllowButton,
            AnswerButton,
            ArticleControl,
            ForgetButton,
            PageButton,
            ResetButton,
            Setting,
            StopButton,
            ToolsControl,
        )
        for command in COMMANDS:
            self.tree.add_command(command)
        await self.tree.set_translator(FluentTranslator())
        try:
            await sync_if_changed(self.tree, self.application_id or 0)
        except (discord.HTTPException, app_commands.AppCommandError):
            log.exception("Discord did not take the commands; those it knows stay")

    async def on_ready(self) -> None:
        log.info("ready user=%s servers=%d", self.user and self.user.id, len(self.guilds))
        self.catch_up.connected(resumed=False)

    async def on_resumed(self) -> None:
        self.catch_up.connected(resumed=True)

    async def on_disconnect(self) -> None:
        self.catch_up.disconnected()

    async def on_message(self, message: discord.Message) -> None:
        if self.user is None or not job_factory.is_for(self.user, message):
            return
        await self.catch_up.remember_direct(message)
        if self.intake.repeated(str(message.id)) or str(message.id) in self.answers:
            return
        try:
            job_factory.require_readable(self.user, message)
            await message_text.learn_names(message, references.resolved_target(message))
            question = job_factory.from_message(message, self.user, self.service.settings)
            with tracing.start_question_span(question.job.id, question.job.channel, "message"):
                who = author_of(message)
                await self.admission.require_open(who)
                question = await self._branched(message, question)
                self.intake.hear(msgspec.structs.replace(question, asker=who))
        except Refused as refused:
            language = words(job_factory.locale_of(message))
            await show_notice(self, message, refused.notice, language)
        else:
            with suppress(discord.HTTPException, aiohttp.ClientError):  # a courtesy
                await message.channel.typing()

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Forms are heard here, since discord.py forgets those that an earlier process opened."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        form, subject = modal_values.form_of(interaction)
        template, submitted = self.forms.get(form, ("", refuse_form))
        try:
            if not re.fullmatch(template, subject, re.ASCII):
                raise Refused(access.FORGOTTEN)
            await submitted(interaction, subject)
        except Exception as error:  # the form's edge: its person is told
            await self.explain(interaction, error)

    async def _branched(self, message: discord.Message, question: Question) -> Question:
        """A reply to an older answer goes on from there, any other question from the latest.

        An answer that is not remembered any more is quoted.
        """
        target, job = references.reply_target(message), question.job
        if target is None or self.user is None:
            return question
        try:
            async with asyncio.timeout(PATIENCE_S + ACKNOWLEDGE_S):
                shown = await self.service.shown.find(str(target))
                if shown is None and references.answers(message, self.user.id):
                    await self.answers.settled_in(job.channel)
                    shown = await self.service.shown.find(str(target))
                head = await self.service.history.get_head(job.channel)
                turn = shown and await self.service.history.get_turn(job.channel, shown.job.id)
        except (TimeoutError, QueueUnavailable):
            return question
        if shown is None or turn is None:
            return references.with_own_target(message, self.user.id, question)
        question = references.without_target(question)
        if shown.job.id == head:
            return question
        job = msgspec.structs.replace(job, parent=shown.job.id)
        return msgspec.structs.replace(question, job=job)

    async def explain(self, interaction: discord.Interaction[Any], error: BaseException) -> None:
        """Tell the person why what they did came to nothing."""
        if isinstance(error, discord.NotFound) and error.code == TOO_LATE:
            log.warning("acknowledged too late interaction=%s", interaction.id)
            return  # Discord has told them that the application did not respond
        await tell(interaction, notice_of(interaction, error))

    async def on_error(self, event_method: str, /, *args: Any, **_: Any) -> None:
        """One bad event never stops the others; its traceback is the operator's."""
        ids = [getattr(arg, "id", None) for arg in args]
        log.exception("event failed event=%s ids=%s", event_method, ids)


class Tree(app_commands.CommandTree[Commonroom]):
    async def on_error(
        self,
        interaction: discord.Interaction[Commonroom],
        error: app_commands.AppCommandError,
        /,
    ) -> None:
        await interaction.client.explain(interaction, getattr(error, "original", error))


async def refuse_form(interaction: Any, subject: str) -> None:  # noqa: ARG001 — as the others
    """Say that a form of another version is not known. Raises `Refused`."""
    raise Refused(access.FORGOTTEN)


def notice_of(interaction: discord.Interaction[Commonroom], error: BaseException) -> Notice:
    """What the person is told about an error; what we did not foresee is logged as well."""
    if isinstance(error, Refused):
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
    return notices.internal(str(interaction.id))


def _intents(settings: Settings) -> discord.Intents:
    """Mentions, replies that ping, and direct messages come without the privileged intent."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.dm_messages = True
    intents.message_content = settings.commonroom_message_content
    return intents
