"""A control of a panel, as it was sent. Its id holds all that it is about, so that it works after a
restart, and whatever it wraps is built anew from what was pressed."""

import re
from typing import TYPE_CHECKING, Any, Self

import discord

if TYPE_CHECKING:
    from bot.discord.client import Commonroom

NONE = r"(?!)"  # the template of what is no control itself


class Control(discord.ui.DynamicItem[discord.ui.Item[Any]], template=NONE):
    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,  # noqa: ARG003
        item: discord.ui.Item[Any],
        match: re.Match[str],  # noqa: ARG003
    ) -> Self:
        return cls(item)

    async def callback(self, interaction: "discord.Interaction[Commonroom]") -> None:  # type: ignore[override]
        try:
            await self.pressed(interaction)
        except Exception as error:  # the interaction's edge: its person is told
            await interaction.client.explain(interaction, error)

    async def pressed(self, interaction: "discord.Interaction[Commonroom]") -> None:
        raise NotImplementedError
