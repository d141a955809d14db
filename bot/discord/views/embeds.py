"""Notices as embeds, as text or as boxes of components, and replies that send them."""

import logging
from typing import Any

import discord

from bot.i18n import Words, words
from bot.notices import Notice, Tone

log = logging.getLogger(__name__)

COLOURS = {
    Tone.FAILURE: discord.Colour.red(),
    Tone.LIMIT: discord.Colour.from_rgb(0xF5, 0x9F, 0x00),
    Tone.WAITING: discord.Colour.greyple(),
    Tone.INFO: discord.Colour.blurple(),
    Tone.GOOD: discord.Colour.green(),
    Tone.NEUTRAL: discord.Colour.from_rgb(0x80, 0x84, 0x8E),
}


def notice_embed(notice: Notice, say: Words) -> discord.Embed:
    title = say(notice.title) if notice.title else None
    return discord.Embed(title=title, description=notice.text(say), colour=COLOURS[notice.tone])


def notice_text(notice: Notice, say: Words) -> str:
    """Return the notice as a message's text, for where cards are not allowed."""
    title = f"**{say(notice.title)}**\n" if notice.title else ""
    return title + notice.text(say)


def notice_container(notice: Notice, say: Words) -> "discord.ui.Container[discord.ui.LayoutView]":
    """Return the notice for a message of components, which has no embeds."""
    text: discord.ui.TextDisplay[discord.ui.LayoutView] = discord.ui.TextDisplay(
        notice_text(notice, say)
    )
    return discord.ui.Container(text, accent_colour=COLOURS[notice.tone])


async def send_notice(interaction: discord.Interaction, notice: Notice) -> None:
    """Answer an interaction with a notice for the person alone, acknowledged before or not."""
    say = words(str(interaction.locale))
    try:
        try:
            await _send(interaction, embed=notice_embed(notice, say))
        except discord.Forbidden:  # without the permission Embed Links
            await _send(interaction, content=notice_text(notice, say))
    except discord.HTTPException as error:
        # No other message reaches the person. Discord shows "did not respond".
        log.warning("notice lost interaction=%s key=%s: %s", interaction.id, notice.key, error)


async def _send(interaction: discord.Interaction, **content: Any) -> None:
    content |= {"ephemeral": True, "allowed_mentions": discord.AllowedMentions.none()}
    if interaction.response.is_done():
        await interaction.followup.send(**content)
    else:
        await interaction.response.send_message(**content)
