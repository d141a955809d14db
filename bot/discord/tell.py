"""Telling one person something about what they just did."""

import logging

import discord

from bot.discord.cards import card
from bot.notices import Notice
from bot.words import words

log = logging.getLogger(__name__)


async def tell(interaction: discord.Interaction, notice: Notice, *, ephemeral: bool = True) -> None:
    """Answer an interaction with a notice, whether or not it was acknowledged before."""
    embed = card(notice, words(str(interaction.locale)))
    nobody = discord.AllowedMentions.none()
    try:
        if interaction.response.is_done():
            await interaction.followup.send(
                embed=embed, ephemeral=ephemeral, allowed_mentions=nobody
            )
        else:
            await interaction.response.send_message(
                embed=embed, ephemeral=ephemeral, allowed_mentions=nobody
            )
    except discord.HTTPException as error:
        # Nothing else reaches the person any more; Discord itself says "did not respond".
        log.warning("notice lost interaction=%s key=%s: %s", interaction.id, notice.key, error)
