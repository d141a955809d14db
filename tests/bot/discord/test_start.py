"""How the bot starts: what is wrong is said in a sentence, and several processes share servers."""

import asyncio

import pytest

from bench.redis_server import RedisServer, free_port
from bot.__main__ import _retry_unreachable
from bot.config import BotSettings, Shards
from common.settings import SettingsError, load_settings
from playground.discord.clock import TIME_SHIFT
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, scripted, until

SLOW = "!tokens 120 !delay 25ms"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"DISCORD_TOKEN": "wrong"}, "Discord does not accept DISCORD_TOKEN."),
        ({"COMMONROOM_MESSAGE_CONTENT": "true"}, "Discord refuses the message-content intent."),
    ],
    ids=["token", "intent"],
)
async def test_what_the_operator_must_mend_ends_it(
    silent_room: Room, wrong: dict[str, str], sentence: str
) -> None:
    silent_room.world.state.privileged_intents = 0
    assert await _ended(silent_room, **wrong) == (2, f"error: {sentence}")


async def test_a_redis_that_wants_a_password(
    silent_room: Room, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with RedisServer(tmp_path_factory.mktemp("locked")) as server:
        with server.client() as client:
            client.config_set("requirepass", "secret")
        code, told = await _ended(silent_room, REDIS_URL=server.url)
    assert (code, told.partition(":")[2][:26]) == (2, " Redis refuses REDIS_URL: ")


async def _ended(room: Room, **environ: str) -> tuple[int | None, str]:
    """The exit code, and the first sentence of the last line."""
    async with room.bot_process(stderr=asyncio.subprocess.PIPE, **environ) as process:
        async with asyncio.timeout(60):
            _, told = await process.communicate()
    lines = told.decode().splitlines()
    assert not any("Traceback" in line for line in lines)
    return process.returncode, lines[-1].split(". ")[0] + "."


async def test_what_may_pass_is_said_and_waited_out(silent_room: Room) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    async with silent_room.bot_process(
        stderr=asyncio.subprocess.PIPE,
        REDIS_URL=f"redis://:secret@{nowhere}",
        DISCORD_API=f"http://{nowhere}/api",
    ) as process:
        assert process.stderr is not None
        told = ""
        async with asyncio.timeout(60):
            while "Discord cannot be reached at" not in told:
                told += (await process.stderr.readline()).decode()
        assert process.returncode is None
    assert f"Redis cannot be reached at redis://{nowhere}/0, trying again" in told
    assert "secret" not in told


async def test_discord_is_asked_ever_less_often(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []

    async def note(pause: float) -> None:
        pauses.append(pause)

    async def connect() -> str:
        if len(pauses) < 6:
            raise ConnectionRefusedError
        return "connected"

    monkeypatch.setattr("bot.__main__.asyncio.sleep", note)
    assert await _retry_unreachable(connect) == "connected"
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert len(caplog.records) == 6


# --- several processes --------------------------------------------------------------------------


def test_shards_are_read_from_the_setting() -> None:
    def settings(shards: str) -> BotSettings:
        return load_settings(BotSettings, {"DISCORD_TOKEN": "x", "COMMONROOM_SHARDS": shards})

    assert (settings("").shards, settings("").reader) == (None, "bot-0")
    assert settings("4-7/16").shards == Shards(4, 7, 16)
    assert settings("4-7/16").reader == "bot-4"
    assert settings("3/4").shards == Shards(3, 3, 4)
    with pytest.raises(SettingsError, match="COMMONROOM_SHARDS"):
        settings("7-4/16")


async def test_two_processes_share_the_servers(silent_room: Room, world: UserActions) -> None:
    room = silent_room
    places = [await _channel_of_shard(world, shard) for shard in (0, 1)]
    direct = world.open_dm("ada")["id"]
    async with room.worker(), room.bot_process(COMMONROOM_SHARDS="0/2"):
        async with room.bot_process(COMMONROOM_SHARDS="1/2") as second:
            await until(lambda: _shards(room) == {(0, 2), (1, 2)})
            await until(world.backend.commands.list_all)
            await world.slash("ada", places[0], "chat", {"prompt": "one"})
            await room.answer("[turn 1] one", places[0])
            await world.say("ada", direct, "to you alone")
            await room.answer("[turn 1] to you alone", direct)
            await world.slash("ada", places[1], "chat", {"prompt": SLOW})
            await until(lambda: any(m.data["content"] for m in room.bot_says(channel=places[1])))
            second.kill()
            await second.wait()
        await world.slash("ada", places[0], "chat", {"prompt": "two"})
        await room.answer("[turn 2] two", places[0])
        async with room.bot_process(COMMONROOM_SHARDS="1/2"):
            await room.answer(scripted(SLOW), places[1])
    for place in (*places, direct):
        asked = 2 if place == places[0] else 1
        assert len(room.bot_says(channel=place)) == asked


def _shards(room: Room) -> set[tuple[int, int]]:
    return {
        (session.shard, session.shards) for session in room.discord.backend.gateway.live_sessions
    }


async def _channel_of_shard(world: UserActions, shard: int) -> str:
    """A channel in a new server that the shard of two carries; its ids tell by their time."""
    for number in range(1_000):
        await asyncio.sleep(0.001)
        made = world.create_guild(f"server-{shard}-{number}")
        if (int(made["id"]) >> TIME_SHIFT) % 2 == shard:
            world.state.add_member(made, world.user("ada"))
            return str(world.create_channel(f"place-{shard}", made)["id"])
    raise AssertionError
