"""Notices as Discord's embeds."""

import discord

from bot.notices import Notice, Tone
from bot.words import Words

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
