"""The bot with all that people can use: its commands, buttons, menus and forms.

Only this module imports the commands and the handlers of components and forms.
"""

import logging

import discord
from discord import app_commands

from bot.discord.article import article_actions
from bot.discord.article.article_actions import ArticleActions
from bot.discord.article.article_components import ArticleItem
from bot.discord.commands import admin, article, chat, history, reset, status, tools
from bot.discord.commands.command_decorators import Command, FluentTranslator
from bot.discord.commands.command_sync import sync_if_changed
from bot.discord.host import Host
from bot.discord.settings import settings_controller
from bot.discord.settings.settings_controller import SettingsController
from bot.discord.settings.settings_panel import SettingsItem
from bot.discord.views import answer_actions, modals, steps_view
from bot.discord.views.answer_actions import AnswerActions
from bot.discord.views.answer_buttons import AllowButton, AnswerButton, StopButton
from bot.metrics import BotMetrics
from bot.services import Services

log = logging.getLogger(__name__)

COMMANDS: tuple[Command | app_commands.ContextMenu, ...] = (
    *chat.ALL,
    *reset.ALL,
    *article.ALL,
    *admin.ALL,
    *history.ALL,
    *status.ALL,
    *tools.ALL,
)


class Commonroom(Host):
    """The host with every command, component and form."""

    def __init__(self, services: Services, metrics: BotMetrics) -> None:
        super().__init__(services, metrics)
        self.actions = AnswerActions(self)
        self.articles = ArticleActions(self)
        self.settings_controller = SettingsController(services.preferences, services.queue)
        for command in COMMANDS:
            self.tree.add_command(command)
        self._add_components()
        self._add_forms()

    def _add_components(self) -> None:
        self.add_component(AllowButton, answer_actions.handle_allow)
        self.add_component(AnswerButton, self.actions.handle)
        self.add_component(ArticleItem, self.articles.handle)
        self.add_component(history.ForgetButton, history.handle_forget)
        self.add_component(reset.ResetButton, reset.handle_press)
        self.add_component(SettingsItem, self.settings_controller.handle)
        self.add_component(steps_view.PageButton, steps_view.turn_page)
        self.add_component(StopButton, answer_actions.handle_stop)
        self.add_component(tools.ToolsItem, tools.change_tools)

    def _add_forms(self) -> None:
        """Name each form, the pattern of what its id is about, and what handles it."""
        wish = r"\d+\.\d+\.(rewrite|expand|shorten)"
        self.add_form(answer_actions.FORM, r"\d+", self.actions.submit_edit)
        self.add_form(steps_view.FORM, r"\d+", steps_view.submit_numbers)
        self.add_form(article_actions.TEXT_FORM, r"\d+\.\d+", self.articles.submit_text)
        self.add_form(article_actions.WISH_FORM, wish, self.articles.submit_wish)
        about = r"(server|\d+):[a-z]+:\d*"
        self.add_form(settings_controller.FORM, about, self.settings_controller.submit_form)
        self.add_form(modals.ABOUT_FORM, r"\d+", modals.submit_about)
        pattern = modals.QUESTION_PATTERN
        self.add_form(modals.QUESTION_FORM, pattern, modals.submit_question)

    async def setup_hook(self) -> None:
        await self.tree.set_translator(FluentTranslator())
        try:
            await sync_if_changed(self.tree, self.application_id or 0)
        except (discord.HTTPException, app_commands.AppCommandError):
            log.exception("Discord did not take the commands; those it knows stay")
