"""The whole way of a question: local Discord, the bot, Valkey, a worker with a scripted engine."""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.__main__ import serve
from bot.config import BotSettings
from bot.discord.api_base import use_api
from inference.engines.scripted import ScriptedEngine, tokenize
from inference.worker import Worker
from jobqueue.history import History
from jobqueue.queue import JobQueue
from playground.discord.json_types import Json
from playground.discord.server import LocalDiscord
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions

T = TypeVar("T")


def scripted(prompt: str, turn: int = 1) -> str:
    """The scripted engine's answer to a prompt, with `!tokens` or without."""
    echo = f"[turn {turn}] {prompt}"
    wanted = re.search(r"!tokens (\d+)", prompt)
    more = int(wanted[1]) - len(tokenize(echo)) if wanted else 0
    return echo + "".join(f" word{number + 1}" for number in range(more))


async def holds(question: Callable[[], Awaitable[object]], timeout_s: float = 30.0) -> None:
    """Returns once `question` has a true answer; fails when it has none in time."""
    async with asyncio.timeout(timeout_s):
        while not await question():  # noqa: ASYNC110 — Redis tells nobody of its keys
            await asyncio.sleep(0.02)


async def until(look: Callable[[], T | None], timeout_s: float = 30.0) -> T:
    """The first true value of `look`; fails when there is none in time."""
    give_up = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < give_up, f"not in {timeout_s} s"
        await asyncio.sleep(0.02)
    return found


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        if not task.done():
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def growing(message: StoredMessage) -> bool:
    """Whether the bot is still at it: the message can be stopped."""
    return any(b["custom_id"].startswith("stop:") for b in buttons(message))


def said(message: StoredMessage) -> str:
    """What the bot wrote below the question that it quotes."""
    return re.sub(r"\A(?:> .*(?:\n|\Z))+", "", str(message.data["content"]))


def buttons(message: StoredMessage) -> list[Json]:
    return [button for row in message.data["components"] for button in row["components"]]


@dataclass
class Room:
    """One channel as its people see it."""

    discord: LocalDiscord
    redis: Redis
    redis_url: str
    channel: str = "general"

    @property
    def world(self) -> UserActions:
        return self.discord.world

    @property
    def settings(self) -> BotSettings:
        return BotSettings(
            discord_token=self.discord.token,
            redis_url=self.redis_url,
            discord_api=self.discord.api_url,
        )

    def bot_says(self, viewer: str = "ada", channel: str | None = None) -> list[StoredMessage]:
        me = self.world.state.bot["id"]
        seen = self.world.messages(channel or self.channel, viewer)
        return [message for message in seen if message.author == me]

    async def answer(self, text: str, channel: str | None = None) -> StoredMessage:
        """The bot's message with exactly this content that grows no more."""

        def look() -> StoredMessage | None:
            for message in self.bot_says(channel=channel):
                if said(message) == text and not growing(message):
                    return message
            return None

        return await until(look)

    async def whole(self, text: str) -> list[StoredMessage]:
        """The messages that hold this answer, once they are complete and nothing else is there."""

        def look() -> list[StoredMessage] | None:
            seen = self.bot_says()
            shown = " ".join(map(said, seen))
            done = not any(map(growing, seen))
            return seen if done and shown.split() == text.split() else None

        return await until(look)

    async def notice(self, part: str, viewer: str = "ada") -> StoredMessage:
        """The bot's message with a card that says `part`."""

        def look() -> StoredMessage | None:
            for message in self.bot_says(viewer):
                if any(part in embed.get("description", "") for embed in message.data["embeds"]):
                    return message
            return None

        return await until(look)

    async def streaming(self) -> StoredMessage:
        """A message that shows text and can still be stopped."""
        return await until(
            lambda: next((m for m in self.bot_says() if said(m) and growing(m)), None)
        )

    async def bot_online(self) -> None:
        await until(lambda: self.discord.backend.gateway.is_online)

    @asynccontextmanager
    async def worker(self, engine: ScriptedEngine | None = None) -> AsyncIterator[None]:
        worker = Worker(
            JobQueue(self.redis),
            History(self.redis),
            engine or ScriptedEngine(),
            name="w0",
            system="",
            drain_s=0.1,
        )
        async with running(worker.run()):
            yield

    @asynccontextmanager
    async def bot(self, settings: BotSettings | None = None) -> AsyncIterator[None]:
        use_api(self.discord.api_url)
        async with running(serve(settings or self.settings)):
            await self.bot_online()
            yield

    @asynccontextmanager
    async def bot_process(
        self, *, stderr: int | None = None, **environ: str
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """`python -m bot`, killed at the end."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            env={
                **os.environ,
                "DISCORD_TOKEN": self.discord.token,
                "DISCORD_API": self.discord.api_url,
                "REDIS_URL": self.redis_url,
                **environ,
            },
            stderr=stderr,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


@pytest_asyncio.fixture
async def silent_room(redis: Redis, redis_url: str) -> AsyncIterator[Room]:
    """People and a channel; neither bot nor worker runs yet."""
    async with LocalDiscord() as discord:
        for name in ("ada", "bob"):
            discord.world.create_user(name)
        yield Room(discord, redis, redis_url)


@pytest_asyncio.fixture
async def room(silent_room: Room) -> AsyncIterator[Room]:
    """Everything runs."""
    async with silent_room.worker(), silent_room.bot():
        yield silent_room


@pytest.fixture
def world(silent_room: Room) -> UserActions:
    return silent_room.world
