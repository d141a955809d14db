"""Bots of other libraries run unchanged on the local Discord: hikari and discord.js.

`make discord-clients` installs both, each in an environment of its own, and runs these tests.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from playground.discord.components import message_text, walk
from playground.discord.interactions import Interaction
from playground.discord.json_types import Callback, File, Json
from playground.discord.server import LocalDiscord
from playground.discord.state import StoredMessage

T = TypeVar("T")

HERE = Path(__file__).parents[1] / "clients"
INSTALLED = Path(
    os.environ.get("COMMONROOM_DISCORD_CLIENTS", Path(__file__).parents[3] / ".venv" / "clients")
)
WAIT_S = 60.0


def hikari() -> list[str]:
    python = INSTALLED / "hikari" / "bin" / "python"
    if not python.exists():
        pytest.skip("hikari is not installed; `make discord-clients` installs it")
    return [str(python), str(HERE / "hikari_bot.py")]


def discord_js() -> list[str]:
    node = shutil.which("node")
    if node is None or not (INSTALLED / "node_modules" / "discord.js").exists():
        pytest.skip("discord.js is not installed; `make discord-clients` installs it")
    return [node, str(HERE / "discordjs_bot.js")]


class People:
    """Those who use the bot, and what it printed."""

    def __init__(self, discord: LocalDiscord) -> None:
        self.discord = discord
        self.world = discord.world
        self.lines: list[Json] = []

    async def until(self, look: Callable[[], T | None]) -> T:
        async with asyncio.timeout(WAIT_S):
            while not (found := look()):  # noqa: ASYNC110 — another process tells nobody
                await asyncio.sleep(0.02)
        return found

    async def told(self, name: str, times: int = 1) -> Any:
        """What the bot printed under this name, the last of so many."""

        def look() -> list[Json] | None:
            failed = [line["failed"] for line in self.lines if "failed" in line]
            assert not failed, failed
            found = [line for line in self.lines if name in line]
            return found if len(found) >= times else None

        return (await self.until(look))[-1]

    async def message(self, text: str, channel: str = "general") -> StoredMessage:
        """The bot's latest message that says this."""
        me = self.world.state.bot["id"]

        def look() -> StoredMessage | None:
            mine = [m for m in self.world.messages(channel) if m.author == me]
            return next((m for m in reversed(mine) if message_text(m.data) == text), None)

        return await self.until(look)

    async def fill_in(self, opened: Interaction, text: str, times: int) -> None:
        """Send the form that an interaction opens, and be thanked in private."""
        assert await opened.wait_acknowledged()
        assert opened.modal is not None
        (field,) = (p["custom_id"] for p in walk(opened.modal["components"]) if "custom_id" in p)
        sent = await self.world.submit_modal(opened, {field: text})
        assert await sent.wait_acknowledged()
        assert (await self.told("form", times))["form"] == text
        thanks = await self.message("thanks")
        assert thanks.visible_to == self.world.user("ada")["id"]


@asynccontextmanager
async def serving(command: list[str]) -> AsyncIterator[People]:
    """A local Discord, its people and a bot, which has registered its commands."""
    async with LocalDiscord(heartbeat_s=5) as discord:
        for name in ("ada", "bob"):
            discord.world.create_user(name)
        people = People(discord)
        environ = {
            **os.environ,
            "API": discord.api_url,
            "TOKEN": discord.token,
            "NODE_PATH": str(INSTALLED / "node_modules"),
        }
        process = await asyncio.create_subprocess_exec(
            *command, env=environ, stdout=asyncio.subprocess.PIPE
        )
        reading = asyncio.create_task(read_lines(process, people.lines))
        try:
            yield people
        finally:
            process.kill()
            await process.wait()
            await reading


async def read_lines(process: asyncio.subprocess.Process, lines: list[Json]) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        if line.startswith(b"{"):
            lines.append(json.loads(line))  # noqa: PERF401 — they are read while they come


@pytest.mark.parametrize("library", [hikari, discord_js], ids=lambda each: each.__name__)
async def test_a_bot_of_another_library(library: Callable[[], list[str]]) -> None:
    async with serving(library()) as people:
        assert await people.told("commands") == {
            "commands": ["ping", "Look"],
            "guilds": ["playground"],
        }
        await commands_components_and_forms(people)
        await messages_files_and_threads(people)
        await reconnections(people)


async def commands_components_and_forms(people: People) -> None:
    world = people.world
    used = await world.slash("ada", "general", "ping", {"what": "x"})
    assert await used.wait_acknowledged()
    assert used.callback is Callback.DEFER
    assert (await people.told("options"))["options"] == ["x"]
    assert (await people.told("twice"))["twice"] == 40060
    assert (await people.told("initial"))["initial"] == "pong"
    pong, more = await people.message("pong"), await people.message("more, edited")
    assert pong.id == (used.response and used.response.id)
    assert more.visible_to == world.user("ada")["id"]
    assert [file["filename"] for file in more.data["attachments"]] == ["f.txt"]
    assert (await people.message("## In a box")).data["components"][0]["accent_color"] == 0x5865F2
    await world.click("ada", "general", more.id, "menu", ["b"])
    await people.message("chosen b")
    await people.fill_in(await world.click("ada", "general", pong.id, "Open"), "typed", 1)
    await world.click("ada", "general", pong.id, "Press")
    assert (await people.message("pressed")).data["components"] == []
    said = await world.say("bob", "general", "look at this")
    await people.fill_in(await world.context_menu("ada", "general", "Look", said.id), "looked", 2)
    assert (await people.told("looked"))["looked"] == ["look at this"]


async def messages_files_and_threads(people: People) -> None:
    world = people.world
    await world.say("ada", "general", "@bot answer me", [File("a.txt", b"hello")])
    assert (await people.told("thread"))["thread"] == "a thread"
    assert (await people.told("member"))["member"] == "ada"
    assert await people.told("fetched") == {"fetched": "answer edited", "quoted": True}
    assert (await people.told("file"))["file"] == "abc"
    assert (await people.told("history"))["history"]
    assert (await people.told("deleted"))["deleted"] == 10008
    assert await people.told("refused") == {"refused": 50035, "errors": ["content"]}
    await people.message("in it", "a thread")
    direct = world.open_dm("ada")["id"]
    await world.say("ada", direct, "in private")
    await people.message("in private too", direct)


async def reconnections(people: People) -> None:
    gateway, world = people.discord.backend.gateway, people.world
    (session,) = gateway.sessions
    await gateway.disconnect(4000)
    await world.say("bob", "general", "@bot answer me, who was away")
    await people.told("resumed", 1)
    await people.told("thread", 2)
    gateway.abort_connections()
    await people.told("resumed", 2)
    gateway.request_reconnect()
    await people.told("resumed", 3)
    assert list(gateway.sessions) == [session]
    gateway.invalidate_sessions()
    await people.until(lambda: gateway.is_online and list(gateway.sessions) != [session])
    used = await world.slash("ada", "general", "ping")
    assert await used.wait_acknowledged()
    assert (await people.told("options", 2))["options"] == []
    await people.told("twice", 2)
