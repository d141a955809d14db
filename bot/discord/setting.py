"""A control of the settings panel. Its id holds the place and the field, so that it works after
a restart; what it does is in `bot.discord.settings`."""

import re
from typing import TYPE_CHECKING, Any, Self

import discord

if TYPE_CHECKING:
    from bot.discord.client import Commonroom


class Setting(
    discord.ui.DynamicItem[discord.ui.Item[Any]],
    template=r"settings:(?P<place>server|\d+):(?P<field>\w+)",
):
    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,  # noqa: ARG003
        item: discord.ui.Item[Any],
        match: re.Match[str],  # noqa: ARG003
    ) -> Self:
        return cls(item)

    @property
    def place(self) -> str:
        return self.custom_id.split(":")[1]

    @property
    def field(self) -> str:
        return self.custom_id.split(":")[2]

    @property
    def values(self) -> list[str]:
        """What was chosen in a menu; of roles, their ids."""
        chosen = getattr(self.item, "values", [])
        return [each if isinstance(each, str) else str(each.id) for each in chosen]

    async def callback(self, interaction: "discord.Interaction[Commonroom]") -> None:  # type: ignore[override]
        try:
            await interaction.client.settings_desk.change(interaction, self)
        except Exception as error:  # the interaction's edge
            await interaction.client.explain(interaction, error)
