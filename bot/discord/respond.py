"""Notices to one person about what they just did."""

import logging
from typing import Any

import discord

from bot.discord.views.embeds import card, in_text
from bot.i18n import words
from bot.notices import Notice

log = logging.getLogger(__name__)


async def tell(interaction: discord.Interaction, notice: Notice, *, ephemeral: bool = True) -> None:
    """Answer an interaction with a notice, whether or not it was acknowledged before."""
    say = words(str(interaction.locale))
    try:
        try:
            await _send(interaction, ephemeral, embed=card(notice, say))
        except discord.Forbidden:  # without the permission Embed Links
            await _send(interaction, ephemeral, content=in_text(notice, say))
    except discord.HTTPException as error:
        # Nothing else reaches the person any more; Discord itself says "did not respond".
        log.warning("notice lost interaction=%s key=%s: %s", interaction.id, notice.key, error)


async def _send(interaction: discord.Interaction, ephemeral: bool, **shown: Any) -> None:
    options: dict[str, Any] = {
        "ephemeral": ephemeral,
        "allowed_mentions": discord.AllowedMentions.none(),
    }
    if interaction.response.is_done():
        await interaction.followup.send(**shown, **options)
    else:
        await interaction.response.send_message(**shown, **options)
