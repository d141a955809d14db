"""The local Discord as a container beside the bot, with people who follow scripts.

It reads names of scripts from standard input, plays each, and writes JSON lines: first the bot's
token, then what people see, and a summary at each script's end.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from playground.discord.json_types import UserError
from playground.discord.server import LocalDiscord
from playground.outcome_judge import summarize
from playground.script_actions import DEFAULT_WAIT_S, read_script
from playground.script_observer import ScriptObserver, has_delivered_all, read_result
from playground.script_player import ScriptPlayer
from playground.transcript import TranscriptPrinter

HOST, PORT = "discord", 8080
CONNECT_S = 120.0
SCRIPTS = Path(__file__).parent / "scripts"


class ComposedSystem:
    """The containers behind the bot, as a script sees them."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    async def control(self, verb: str, target: str) -> None:
        raise UserError(f"this script cannot {verb} {target}")

    async def is_idle(self) -> bool:
        return await has_delivered_all(self._queue)

    async def read_result(self, question: str) -> str | None:
        return await read_result(self._queue, question)


async def main() -> None:
    lines = await read_standard_input()
    async with LocalDiscord(PORT, host=HOST) as discord:
        write({"event": "token", "token": discord.token})
        await lines.readline()  # the stack is up
        async with connect(load_redis_url(os.environ)) as redis:
            system = ComposedSystem(JobQueue(redis))
            while name := (await lines.readline()).decode().strip():
                await play(SCRIPTS / name, discord, system)


def load_redis_url(environ: Mapping[str, str]) -> str:
    return Path(environ["REDIS_URL_FILE"]).read_text().strip()


async def play(path: Path, discord: LocalDiscord, system: ComposedSystem) -> None:
    """Play a script once the bot is connected, and wait until no question is open."""
    transcript = TranscriptPrinter(discord.backend.state, as_json=True)
    script = read_script(path)
    async with ScriptObserver(discord.world, system, transcript) as observer:
        gateway = discord.backend.gateway
        await observer.wait_for(lambda: list(gateway.live_sessions) or None, CONNECT_S)
        player = ScriptPlayer(discord, system, observer, transcript)
        for action in script:
            await player.perform(action)
        if script[-1].do != "wait":
            await observer.wait_until_idle(DEFAULT_WAIT_S)
        summary = summarize(await observer.collect_questions())
    transcript.print_summary(summary)


async def read_standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def write(line: dict[str, str]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
