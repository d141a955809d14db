"""The smallest bot with `/chat`: it acknowledges the command and shows one text.

Its times are the share of discord.py, the local Discord and the machine in every figure.
"""

import os

import discord
from discord import app_commands

from bot.discord.api_base import use_api


class BaselineBot(discord.Client):
    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.none())
        self.tree = app_commands.CommandTree(self)
        self.tree.add_command(chat)

    async def setup_hook(self) -> None:
        await self.tree.sync()


@app_commands.command(description="Ask")
async def chat(interaction: discord.Interaction, prompt: str) -> None:
    await interaction.response.defer()
    await interaction.edit_original_response(content=prompt)


if __name__ == "__main__":
    use_api(os.environ["DISCORD_API"])
    BaselineBot().run(os.environ["DISCORD_TOKEN"])
