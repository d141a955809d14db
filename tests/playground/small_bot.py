"""A small discord.py bot that does one of everything a bot can do here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import discord
import yarl
from discord import app_commands
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route

from playground.discord.server import LocalDiscord

OnMessage = Callable[["SmallBot", discord.Message], Awaitable[None]]
Interaction = discord.Interaction["SmallBot"]


class SmallBot(discord.Client):
    """Commands are added to `tree` before it starts; `heard` is what `on_message` saw."""

    def __init__(self, intents: discord.Intents | None = None) -> None:
        super().__init__(intents=intents or discord.Intents.all(), max_ratelimit_timeout=30.0)
        self.tree = app_commands.CommandTree(self)
        self.heard: asyncio.Queue[discord.Message] = asyncio.Queue()
        self.answer: OnMessage | None = None
        self.connected = asyncio.Event()
        self.resumed = asyncio.Event()

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        if message.author.bot:
            return
        self.heard.put_nowait(message)
        if self.answer is not None:
            await self.answer(self, message)

    async def on_connect(self) -> None:
        self.connected.set()

    async def on_resumed(self) -> None:
        self.resumed.set()


@asynccontextmanager
async def running(bot: SmallBot, server: LocalDiscord) -> AsyncIterator[SmallBot]:
    """Connected, and told READY, while the context is open."""
    old = (Route.BASE, Asset.BASE, DiscordWebSocket.DEFAULT_GATEWAY)
    Route.BASE = f"{server.api_url}/v10"
    Asset.BASE = f"{server.url}/cdn"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.backend.gateway.url)
    try:
        async with bot:
            await bot.login(server.token)
            task = asyncio.create_task(bot.connect())
            await asyncio.wait_for(bot.connected.wait(), 10)
            try:
                yield bot
            finally:
                await bot.close()
                await task
    finally:
        Route.BASE, Asset.BASE, DiscordWebSocket.DEFAULT_GATEWAY = old
