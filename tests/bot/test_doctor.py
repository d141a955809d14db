"""`python -m bot doctor` against a local Discord and a real server, with faults provoked."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bench.redis_server import RedisServer
from bot.__main__ import main
from bot.discord.doctor import invitation
from bot.doctor import examine
from common.doctor_report import Finding, Severity
from jobqueue.doctor_checks import check_clock, check_disk, check_metrics_port
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from playground.discord.permissions import Permission
from playground.discord.server import LocalDiscord
from tests.bot.discord.conftest import Room, holds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("doctor")) as server:
        yield server


def environ(discord: LocalDiscord, server: RedisServer, **more: str) -> dict[str, str]:
    return {
        "HOME": os.environ["HOME"],
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API": discord.api_url,
        "REDIS_URL": server.url,
    } | more


def faults(findings: list[Finding]) -> dict[str, str]:
    """What was found, by what it is about; each says what to do."""
    assert all(finding.todo for finding in findings if finding.verdict is not Severity.GOOD)
    return {f.what: f.found for f in findings if f.verdict is Severity.FAULT}


async def serving(redis: Redis) -> bool:
    return any(worker.is_serving for worker in await JobQueue(redis).list_workers())


async def test_all_is_well_beside_a_running_bot_and_worker(server: RedisServer) -> None:
    async with LocalDiscord() as discord, connect(server.url) as redis:
        room = Room(discord, redis, server.url)
        async with room.worker(), room.bot():
            await holds(lambda: serving(redis))
            findings = await examine(environ(discord, server))
        assert {f.verdict for f in findings} == {Severity.GOOD}, findings
        found = {finding.what: finding.found for finding in findings}
        assert found["Discord: servers"] == "1, all permissions held"
        assert invitation(int(discord.backend.state.bot["id"])) in found["Discord: invite"]


async def test_what_discord_refuses(server: RedisServer) -> None:
    async with LocalDiscord(privileged_intents=0) as discord:
        wrong = await examine(environ(discord, server, DISCORD_TOKEN="no.such.token"))
        assert "Discord: token" in faults(wrong)
        everyone, *_ = discord.world.guild["roles"]
        everyone["permissions"] = str(int(everyone["permissions"]) & ~Permission.ATTACH_FILES)
        found = await examine(environ(discord, server, COMMONROOM_MESSAGE_CONTENT="1"))
        assert set(faults(found)) == {"Discord: intents", "Discord: playground"}
        assert faults(found)["Discord: playground"] == "may not attach files"
        # No bot has told Discord the commands: it does so itself when it starts.
        told = {finding.what: finding.verdict for finding in found}
        assert told["Discord: commands"] is Severity.WARNING


async def test_a_server_that_loses_what_it_holds(server: RedisServer) -> None:
    client = server.client()
    client.config_set("appendonly", "no")
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        async with LocalDiscord() as discord:
            found = faults(await examine(environ(discord, server)))
    finally:
        client.config_set("appendonly", "yes")
        client.config_set("maxmemory-policy", "noeviction")
        client.close()
    assert set(found) == {"Redis: persistence", "Redis: eviction"}
    assert "allkeys-lru" in found["Redis: eviction"]


async def test_a_server_that_does_not_let_us_in(tmp_path: Path) -> None:
    async with LocalDiscord() as discord:
        with RedisServer(tmp_path, options=("--protected-mode", "no")) as server:
            client = server.client()
            client.config_set("requirepass", "hidden")
            client.close()
            [refused] = faults(await examine(environ(discord, server))).values()
            assert refused.startswith("it wants another password")
            file = tmp_path / "url"
            file.write_text(f"{server.url.replace('//', '//:hidden@')}\n")
            file_set = environ(discord, server, REDIS_URL="", REDIS_URL_FILE=str(file))
            assert not faults(await examine(file_set))
            server.kill()
            [gone] = faults(await examine(environ(discord, server))).items()
            assert gone[0] == "Redis"
            server.start()


def test_the_command_prints_what_to_do_and_exits_with_1(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"DISCORD_TOKEN": "", "REDIS_URL": server.url, "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "DISCORD_TOKEN is not set" in told
    assert "python -m bot init" in told
    assert main(["doctor", "--json"]) == 1
    ours, settings, *_ = json.loads(capsys.readouterr().out)
    assert (ours["what"], settings["verdict"]) == ("commonroom", "fault")


def test_clock_disk_and_port(tmp_path: Path) -> None:
    assert check_clock(0.1).verdict is Severity.GOOD
    assert check_clock(-5).verdict is Severity.WARNING
    assert check_clock(600).verdict is Severity.FAULT
    assert check_disk(tmp_path / "not" / "yet", 1).verdict is Severity.GOOD
    assert check_disk(tmp_path / ("x" * 300), 1).verdict is Severity.GOOD  # no look at it works
    assert check_disk(tmp_path, 1 << 60).verdict is Severity.FAULT
    assert check_metrics_port("127.0.0.1", 0, "PORT").verdict is Severity.GOOD
    with RedisServer(tmp_path / "taken") as taken:
        found = check_metrics_port("127.0.0.1", taken.port, "PORT")
    assert found.verdict is Severity.FAULT
    assert "PORT" in found.todo
