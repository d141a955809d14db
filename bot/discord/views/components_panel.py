"""Panels: pages of text and controls for one person, made of Discord's newer components."""

import logging
from collections.abc import Sequence
from typing import Any

import discord

from bot.render.link_defang import harmless_links

log = logging.getLogger(__name__)

ACCENT = discord.Colour.blurple()
ControlRow = discord.ui.ActionRow[discord.ui.LayoutView]


def build_panel(
    texts: Sequence[str], rows: Sequence[ControlRow] = (), pictures: Sequence[discord.File] = ()
) -> discord.ui.LayoutView:
    """Build a view of the texts, then the pictures, then the rows of controls."""
    view = discord.ui.LayoutView(timeout=None)
    box: discord.ui.Container[discord.ui.LayoutView] = discord.ui.Container(accent_colour=ACCENT)
    for text in texts:
        box.add_item(discord.ui.TextDisplay(harmless_links(text)))
    if pictures:
        box.add_item(discord.ui.MediaGallery(*map(discord.MediaGalleryItem, pictures)))
    if rows:
        box.add_item(discord.ui.Separator(spacing=discord.SeparatorSpacing.large))
    for row in rows:
        box.add_item(row)
    view.add_item(box)
    return view


def action_row(*items: "discord.ui.Item[Any]") -> ControlRow:
    row: ControlRow = discord.ui.ActionRow()
    for item in items:
        row.add_item(item)
    return row


async def edit_panel(
    interaction: discord.Interaction, texts: Sequence[str], rows: Sequence[ControlRow]
) -> None:
    """Show other texts and controls in the panel whose control was used."""
    await interaction.response.edit_message(
        view=build_panel(texts, rows),
        attachments=[],
        allowed_mentions=discord.AllowedMentions.none(),
    )


async def send_panel(
    interaction: discord.Interaction,
    texts: Sequence[str],
    rows: Sequence[ControlRow] = (),
    pictures: Sequence[discord.File] = (),
) -> None:
    """Send a panel to the person alone; where Discord refuses it, send only its texts."""
    nobody = discord.AllowedMentions.none()
    try:
        await interaction.response.send_message(
            view=build_panel(texts, rows, pictures),
            files=list(pictures),
            ephemeral=True,
            allowed_mentions=nobody,
        )
    except discord.HTTPException as error:
        if error.status not in (400, 403):
            raise
        log.warning("panel refused interaction=%s: %s", interaction.id, error)
        text = harmless_links("\n\n".join(texts)[:4000])
        plain = discord.Embed(description=text, colour=ACCENT)
        await interaction.response.send_message(
            embed=plain, ephemeral=True, allowed_mentions=nobody
        )
