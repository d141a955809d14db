"""Stopping an answer: the button under it, and who may press it.

The button's id holds all it needs, so it works after a restart.
"""

import re
from typing import TYPE_CHECKING, Self

import discord

from bot import notices
from bot.discord.access import require_here
from bot.discord.respond import tell
from bot.notices import Notice, Refused
from jobqueue.errors import QueueUnavailable, UnknownJob

if TYPE_CHECKING:
    from bot.discord.client import Commonroom

NOT_YOURS = Notice("stop-not-yours")
OVER = Notice("stop-over")


class StopButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"stop:(?P<job>\d+)"
):
    def __init__(self, job_id: str, label: str = "") -> None:
        super().__init__(
            discord.ui.Button(
                label=label, emoji="⏹️", style=discord.ButtonStyle.grey, custom_id=f"stop:{job_id}"
            )
        )
        self._job_id = job_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,  # noqa: ARG003
        item: discord.ui.Item[discord.ui.View],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(match["job"])

    async def callback(self, interaction: "discord.Interaction[Commonroom]") -> None:  # type: ignore[override]
        if refusal := await stop(interaction, self._job_id):
            await tell(interaction, refusal)
        else:
            await interaction.response.defer()  # the answer itself shows that it ended


async def stop(interaction: "discord.Interaction[Commonroom]", job_id: str) -> Notice | None:
    """Stop the job if this person may; the reason if not."""
    queue = interaction.client.service.queue
    try:
        job = (await queue.get_status(job_id)).job
        require_here(interaction, job)
        if job.user != str(interaction.user.id) and not interaction.permissions.manage_messages:
            return NOT_YOURS
        state = await queue.cancel(job_id)
    except UnknownJob:
        return OVER
    except QueueUnavailable:
        return notices.UNAVAILABLE
    except Refused as refused:
        return refused.notice
    answered = state.is_terminal and job_id not in interaction.client.answers
    return OVER if answered else None
