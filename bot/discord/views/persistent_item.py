"""The base of buttons and menus that work after a restart."""

import re
from typing import Any, Self

import discord

MATCHES_NOTHING = r"(?!)"  # matches nothing: the base is not a component


class PersistentItem(discord.ui.DynamicItem[discord.ui.Item[Any]], template=MATCHES_NOTHING):
    """A component whose id holds all that its handler needs.

    It only wraps what is shown. `bot.discord.setup` registers its handler on the host.
    """

    @property
    def fields(self) -> dict[str, str]:
        """The values of the template's named groups in this component's id."""
        match = self.template.fullmatch(self.custom_id)
        return match.groupdict("") if match else {}

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,  # noqa: ARG003
        item: discord.ui.Item[Any],
        match: re.Match[str],  # noqa: ARG003
    ) -> Self:
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.client.handle_component(interaction, self)
