"""At no level does a log or a trace hold what people or models wrote, nor a secret."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.redis_server import RedisServer
from jobqueue.redis_client import connect
from playground.discord.fault_injection import Fault
from playground.discord.json_types import File
from playground.discord.server import LocalDiscord
from tests.bot.discord.conftest import Room, holds, until
from tests.traces import receive_traces

PASSWORD = "hidden-password-of-redis"
KEY = "sk-hidden-key"
TOKEN = re.compile(r"/(?:webhooks|interactions)/\d+/[\w.-]{8}|'token': '\w")  # of an interaction
# In a prompt, in an answer (which echoes it), in a file, as a name.
PLANTED = ("platypus", "quokka", "wombat", "numbat")


@asynccontextmanager
async def logged(file: Path, *arguments: str, **environment: str) -> AsyncIterator[None]:
    with file.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *arguments),
            env=os.environ | environment,
            stdout=out,
            stderr=out,
        )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
async def test_neither_words_nor_secrets(tmp_path: Path, level: str) -> None:
    bot, worker = tmp_path / "bot.log", tmp_path / "worker.log"
    with RedisServer(tmp_path / "redis", options=("--protected-mode", "no")) as server:
        client = server.client()
        client.config_set("requirepass", PASSWORD)
        client.close()
        url = server.url.replace("//", f"//:{PASSWORD}@")
        async with LocalDiscord() as discord, connect(url) as redis, receive_traces() as traces:
            for name in ("ada", "numbat"):
                discord.world.create_user(name)
            room = Room(discord, redis, url)
            secrets = {"REDIS_URL": url, "INFERENCE_API_KEY": KEY}
            secrets |= {"LOG_LEVEL": level, "INFERENCE_LOG_LEVEL": level}
            secrets |= {"OTEL_EXPORTER_OTLP_ENDPOINT": traces.url}
            told = {"DISCORD_TOKEN": discord.token, "DISCORD_API": discord.api_url}
            async with (
                logged(worker, "inference", "serve", "--engine", "scripted", **secrets),
                logged(bot, "bot", **secrets, **told),
            ):
                await room.bot_online()
                await holds(lambda: _serving(worker))
                await _everything_goes_wrong(room)
    logs = bot.read_text() + worker.read_text()
    # They do tell of what happened, by ids.
    assert "attempt" in logs
    assert "Traceback" in logs
    services = {name: {span.name for span in spans} for name, spans in traces.spans.items()}
    assert {"question", "intake", "submit", "answer"} <= services["commonroom-bot"]
    assert {"queue", "attempt", "generate"} <= services["commonroom-inference"]
    assert " trace=" in bot.read_text()
    assert " trace=" in worker.read_text()
    for hidden in (*PLANTED, PASSWORD, KEY, discord.token):
        assert hidden not in logs, [line for line in logs.splitlines() if hidden in line]
        assert hidden.encode() not in traces.raw
    assert not TOKEN.search(logs)


async def _serving(log: Path) -> bool:
    return "ready: scripted" in log.read_text()  # noqa: ASYNC240  (a few lines)


async def _everything_goes_wrong(room: Room) -> None:
    """An answer, a file, a crash of the engine, a question that is refused, and what Discord does
    to a bot."""
    world, faults = room.world, room.discord.backend.faults
    await world.slash("numbat", "general", "chat", {"prompt": "platypus"})
    await room.answer("[turn 1] platypus")
    await world.say("numbat", "general", "<@bot> quokka", [File("wombat.txt", b"wombat")])
    await said(room, "quokka")
    refused = faults.add(Fault(route="PATCH /webhooks/*", status=400, times=3))
    await world.slash("numbat", "general", "chat", {"prompt": "platypus !fail"})
    await world.slash("numbat", "general", "chat", {"prompt": "platypus !refuse"})
    await until(lambda: refused.hits == 3)  # an answer whose text is refused becomes a file
    faults.add(Fault(route="POST /interactions/*", status=500, times=1))
    await world.slash("numbat", "general", "history", {})
    await world.slash("numbat", "general", "chat", {"prompt": "quokka once more"})
    await said(room, "once more")


async def said(room: Room, words: str) -> None:
    await until(lambda: any(words in message.data["content"] for message in room.bot_says()))
