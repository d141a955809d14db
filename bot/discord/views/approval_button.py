"""A person's word on what a model wants to call, where the admins ask for one.

The buttons' ids hold all they need, so they work after a restart.
"""

import re
from typing import TYPE_CHECKING, Any, Self

import discord

from bot.discord.access import require_here
from bot.discord.respond import tell
from bot.i18n import Words
from bot.notices import Notice
from bot.render.message_view import Asked
from jobqueue.errors import UnknownJob

if TYPE_CHECKING:
    from bot.discord.client import Commonroom

NOT_YOURS = Notice("allow-not-yours")
OVER = Notice("stop-over")


class AllowButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"allow:(?P<allowed>[01]):(?P<attempt>\d+):(?P<step>\d+):(?P<job>\d+)",
):
    def __init__(self, asked: Asked, job_id: str, *, allowed: bool, label: str = "") -> None:
        super().__init__(
            discord.ui.Button(
                label=label,
                emoji="▶️" if allowed else "✖️",
                style=discord.ButtonStyle.green if allowed else discord.ButtonStyle.grey,
                custom_id=f"allow:{allowed:d}:{asked.attempt}:{asked.step}:{job_id}",
            )
        )
        self._asked = asked
        self._allowed = allowed
        self._job_id = job_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,  # noqa: ARG003
        item: discord.ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        asked = Asked(int(match["attempt"]), int(match["step"]))
        return cls(asked, match["job"], allowed=match["allowed"] == "1")

    async def callback(self, interaction: "discord.Interaction[Commonroom]") -> None:  # type: ignore[override]
        try:
            if refusal := await self._decide(interaction):
                await tell(interaction, refusal)
            else:
                await interaction.response.defer()  # the answer itself shows what came of it
        except Exception as error:  # the press's edge: its person is told
            await interaction.client.explain(interaction, error)

    async def _decide(self, interaction: "discord.Interaction[Commonroom]") -> Notice | None:
        """The reason if this person may not."""
        service, asked = interaction.client.service, self._asked
        try:
            job = (await service.queue.get_status(self._job_id)).job
        except UnknownJob:
            return OVER
        require_here(interaction, job)
        if job.user != str(interaction.user.id) and not interaction.permissions.manage_messages:
            return NOT_YOURS
        await service.approvals.decide(job.id, asked.attempt, asked.step, allowed=self._allowed)
        return None


def allowing(asked: Asked, job_id: str, words: Words) -> tuple[AllowButton, AllowButton]:
    return (
        AllowButton(asked, job_id, allowed=True, label=words("button-allow")),
        AllowButton(asked, job_id, allowed=False, label=words("button-forbid")),
    )
