"""Command names and descriptions, in the languages of bot/locales."""

import discord
from discord import app_commands
from discord.app_commands import TranslationContextTypes, locale_str

from bot.i18n import words

TRANSLATED = {discord.Locale.chinese: "zh-CN"}


def command_text(key: str) -> locale_str:
    """The English words of `key`, which Discord shows to everybody without a translation."""
    return locale_str(words()(key), key=key)


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
