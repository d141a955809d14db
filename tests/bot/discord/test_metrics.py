"""What the bot tells Prometheus, after a real conversation."""

import asyncio
import socket
import urllib.error
import urllib.request

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from tests.bot.discord.conftest import Room, holds, scripted


def read(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        page: str = response.read().decode()
        return page


def is_ready(port: int) -> bool:
    try:
        return read(port, "/readyz") == "ok\n"
    except urllib.error.HTTPError as error:  # discord.py waits for more servers
        with error:
            return False


async def test_acknowledgements_requests_and_answers_are_told(silent_room: Room) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    settings = msgspec.structs.replace(silent_room.settings, commonroom_metrics_port=port)
    async with silent_room.worker(), silent_room.bot(settings):
        asked = "hi !tokens 30 !delay 10ms"
        await silent_room.world.slash("ada", "general", "chat", {"prompt": asked})
        await silent_room.answer(scripted(asked))
        await holds(lambda: asyncio.to_thread(is_ready, port))
        page = await asyncio.to_thread(read, port, "/metrics")

    samples = [s for family in text_string_to_metric_families(page) for s in family.samples]
    told = {(s.name, s.labels.get("kind"), s.labels.get("status")): s.value for s in samples}
    answered = ("commonroom_bot_requests_total", "acknowledge", "200")
    assert told["commonroom_bot_acknowledge_seconds_count", None, None] == 1
    assert 0 < told["commonroom_bot_acknowledge_seconds_sum", None, None] < 30
    assert told[answered] == 1
    assert told["commonroom_bot_requests_total", "edit", "200"] >= 1
    assert told["commonroom_bot_servers", None, None] == 1
    assert "hi" not in page.split()
