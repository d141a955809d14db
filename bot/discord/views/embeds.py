"""Notices as Discord's embeds, or as boxes of components."""

import discord

from bot.i18n import Words
from bot.notices import Notice, Tone

COLOURS = {
    Tone.FAILURE: discord.Colour.red(),
    Tone.LIMIT: discord.Colour.from_rgb(0xF5, 0x9F, 0x00),
    Tone.WAITING: discord.Colour.greyple(),
    Tone.INFO: discord.Colour.blurple(),
    Tone.GOOD: discord.Colour.green(),
    Tone.NEUTRAL: discord.Colour.from_rgb(0x80, 0x84, 0x8E),
}


def card(notice: Notice, words: Words) -> discord.Embed:
    title = words(notice.title) if notice.title else None
    return discord.Embed(title=title, description=notice.text(words), colour=COLOURS[notice.tone])


def in_text(notice: Notice, words: Words) -> str:
    """Return the notice as a message's text, for where cards are not allowed."""
    title = f"**{words(notice.title)}**\n" if notice.title else ""
    return title + notice.text(words)


def boxed(notice: Notice, words: Words) -> "discord.ui.Container[discord.ui.LayoutView]":
    """The same in a message of components, which has no embeds."""
    text: discord.ui.TextDisplay[discord.ui.LayoutView] = discord.ui.TextDisplay(
        in_text(notice, words)
    )
    return discord.ui.Container(text, accent_colour=COLOURS[notice.tone])
