"""The sources of an answer's formulas, to be copied by whoever asks for them."""

import asyncio
from io import BytesIO

import discord

from bot.discord.access import require_here
from bot.discord.host import Interaction
from bot.notices import Notice, Refused
from bot.render.code_fences import code_block
from bot.render.formulas import sources
from bot.render.split import MESSAGE_UNITS, units

FORGOTTEN = Notice("latex-forgotten")
FILE = "formulas.tex"
NOBODY = discord.AllowedMentions.none()


async def show(interaction: Interaction, job_id: str) -> None:
    """A code block that clients copy with one press; a file where it is too long.

    Raises:
        Refused: the answer is not known any more.
    """
    found = await _sources(interaction, job_id)
    block = code_block("\n\n".join(found), "latex")
    if units(block) <= MESSAGE_UNITS:
        await interaction.response.send_message(block, ephemeral=True, allowed_mentions=NOBODY)
    else:
        file = discord.File(BytesIO("\n\n".join(found).encode()), FILE)
        await interaction.response.send_message(file=file, ephemeral=True)


async def _sources(interaction: Interaction, job_id: str) -> list[str]:
    service = interaction.client.services
    await interaction.client.answers.wait_until_recorded(job_id)
    shown = await service.answers.find(job_id)
    if shown:
        require_here(interaction, shown.job)
    turn = await service.history.get_turn(shown.job.channel, job_id) if shown else None
    found = await asyncio.to_thread(sources, turn.answer) if turn else []
    if not found:
        raise Refused(FORGOTTEN)
    return found
