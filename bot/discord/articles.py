"""What may be done about a finished article: by its author, and by whoever reads it."""

from typing import TYPE_CHECKING

import discord

from bot.discord.article_control import ArticleControl

if TYPE_CHECKING:
    from bot.discord.client import Commonroom

    Interaction = discord.Interaction[Commonroom]
else:
    Interaction = discord.Interaction


class Articles:
    def __init__(self, client: "Commonroom") -> None:
        self._client = client

    async def press(self, interaction: Interaction, control: ArticleControl) -> None:
        """Do what the control says."""
