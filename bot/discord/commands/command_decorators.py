"""Decorators that declare commands: their translated texts, their options and where they work."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import discord
from discord import app_commands
from discord.app_commands import TranslationContextTypes, locale_str

from bot.i18n import words

TRANSLATED = {discord.Locale.chinese: "zh-CN"}

Command = app_commands.Command[Any, ..., Any]
T = TypeVar("T")


def command_text(key: str) -> locale_str:
    """Return the English text of `key`, which Discord shows where it has no translation."""
    return locale_str(words()(key), key=key)


def slash_command(key: str) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], Command]:
    """Declare a slash command whose texts are `command-KEY` and `command-KEY-about`."""
    name, about = command_text(f"command-{key}"), command_text(f"command-{key}-about")
    return app_commands.command(name=name, description=about)


def described_options(**descriptions: str) -> Callable[[T], T]:
    """Name each option by `option-NAME`, and describe it by the given key of bot/locales."""
    names = {name: command_text(f"option-{name}") for name in descriptions}
    texts = {name: command_text(key) for name, key in descriptions.items()}
    return lambda command: app_commands.rename(**names)(app_commands.describe(**texts)(command))


def usable_everywhere(command: T) -> T:
    """Allow a command in servers, direct messages and groups, for servers' and own installs."""
    contexts = app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    return app_commands.allowed_installs(guilds=True, users=True)(contexts(command))


class FluentTranslator(app_commands.Translator):
    async def translate(
        self,
        string: locale_str,
        locale: discord.Locale,
        context: TranslationContextTypes,  # noqa: ARG002
    ) -> str | None:
        if locale not in TRANSLATED or "key" not in string.extras:
            return None
        return words(TRANSLATED[locale])(string.extras["key"])
