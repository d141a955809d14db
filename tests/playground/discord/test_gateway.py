"""The gateway as discord.py and as a bare socket meet it."""

import asyncio
import json
from typing import Any

import aiohttp
import discord
import pytest

from playground.discord.gateway import CloseCode, Op
from playground.discord.intents import Intent
from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions
from tests.playground.seeing import watching
from tests.playground.small_bot import SmallBot, running

HELLO_S = 5


async def test_cut_socket_is_resumed_and_missed_events_replayed(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot = SmallBot()
    async with running(bot, local_discord):
        (session,) = local_discord.backend.gateway.sessions.values()
        local_discord.backend.gateway.abort_connections()
        missed = await world.say("ada", "general", "while you were away")
        heard = await asyncio.wait_for(bot.heard.get(), 10)
        await asyncio.wait_for(bot.resumed.wait(), 10)
        assert str(heard.id) == missed.id
        assert list(local_discord.backend.gateway.sessions.values()) == [session]


@pytest.mark.parametrize("how", ["closed", "told"])
async def test_orderly_disconnect_is_resumed(
    local_discord: LocalDiscord, world: UserActions, how: str
) -> None:
    bot, gateway = SmallBot(), local_discord.backend.gateway
    async with running(bot, local_discord):
        if how == "closed":
            await gateway.disconnect()
        else:
            gateway.request_reconnect()
        await asyncio.wait_for(bot.resumed.wait(), 10)
        assert gateway.is_online


async def test_invalid_session_begins_a_new_one(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot, gateway = SmallBot(), local_discord.backend.gateway
    async with running(bot, local_discord):
        (old,) = gateway.sessions
        bot.connected.clear()
        gateway.invalidate_sessions()
        await asyncio.wait_for(bot.connected.wait(), 10)
        assert old not in gateway.sessions
        assert not bot.resumed.is_set()


async def test_without_the_content_intent_only_what_concerns_the_bot_is_read(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot = SmallBot(discord.Intents.default())
    async with running(bot, local_discord):
        await world.say("ada", "general", "among ourselves")
        await world.say("ada", "general", "@commonroom hello")
        dm = world.open_dm("ada")
        await world.say("ada", dm["id"], "in private")
        heard = [(await asyncio.wait_for(bot.heard.get(), 30)).content for _ in range(3)]
    assert heard == ["", f"<@{world.state.bot['id']}> hello", "in private"]


async def test_without_an_intent_its_events_do_not_come(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot = SmallBot(discord.Intents(guilds=True, dm_messages=True))
    async with running(bot, local_discord):
        await world.say("ada", "general", "@commonroom hello")
        dm = world.open_dm("ada")
        await world.say("ada", dm["id"], "in private")
        assert (await asyncio.wait_for(bot.heard.get(), 30)).content == "in private"


async def test_presence_is_seen_and_ends_with_the_connection(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    bot = SmallBot()
    with watching(world) as watch:
        async with running(bot, local_discord):
            await bot.change_presence(activity=discord.CustomActivity("2 waiting"))
            await watch.until(
                lambda seen: seen.name == "PRESENCE_UPDATE" and seen.data["activities"] != []
            )
            shown = world.snapshot("ada")["presences"][world.state.bot["id"]]
            assert shown["activities"][0]["state"] == "2 waiting"
        await watch.until(lambda seen: seen.data.get("status") == "offline")
    assert not world.snapshot("ada")["bot_online"]


@pytest.mark.parametrize("presences", [True, False])
async def test_members_come_at_once_or_in_chunks(
    local_discord: LocalDiscord, world: UserActions, presences: bool
) -> None:
    intents = discord.Intents(guilds=True, members=True, presences=presences)
    async with running(SmallBot(intents), local_discord) as bot:
        await asyncio.wait_for(bot.wait_until_ready(), 10)
        guild = bot.guilds[0]
        assert {m.name for m in guild.members} >= {"ada", "bob", "commonroom"}
        (found,) = await guild.query_members("ad")
        assert found.name == "ada"


async def test_shards_get_only_their_servers(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    servers = [world.create_guild(f"server {n}") for n in range(8)]
    expected = {g["id"] for g in [*servers, world.guild] if (int(g["id"]) >> 22) % 2 == 1}
    async with Raw.connected(local_discord) as raw:
        ready = await raw.identify(shard=[1, 2])
    assert {g["id"] for g in ready["guilds"]} == expected


class Raw:
    """A client that says what it likes."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, token: str) -> None:
        self.socket = socket
        self.token = token

    @classmethod
    def connected(cls, server: LocalDiscord) -> "_Connected":
        return _Connected(server)

    async def send(self, op: Op, data: Any) -> None:
        await self.socket.send_json({"op": op, "d": data})

    async def receive(self) -> Any:
        return json.loads(await asyncio.wait_for(self.socket.receive_str(), HELLO_S))

    async def identify(self, **more: Any) -> Any:
        intents = int(Intent.GUILDS | Intent.GUILD_MESSAGES)
        await self.send(Op.IDENTIFY, {"token": self.token, "intents": intents, **more})
        return (await self.receive())["d"]

    async def close_code(self) -> int | None:
        while (await self.socket.receive(HELLO_S)).type != aiohttp.WSMsgType.CLOSE:
            pass
        return self.socket.close_code


class _Connected:
    def __init__(self, server: LocalDiscord) -> None:
        self._server = server

    async def __aenter__(self) -> Raw:
        self._session = aiohttp.ClientSession()
        socket = await self._session.ws_connect(
            self._server.backend.gateway.url, headers={"Origin": "x"}
        )
        raw = Raw(socket, self._server.token)
        assert (await raw.receive())["op"] == Op.HELLO
        return raw

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()


@pytest.mark.parametrize(
    ("op", "data", "code"),
    [
        (Op.IDENTIFY, {"token": "wrong", "intents": 0}, CloseCode.AUTHENTICATION_FAILED),
        (Op.PRESENCE_UPDATE, {"status": "idle"}, CloseCode.NOT_AUTHENTICATED),
        (99, {}, CloseCode.DECODE_ERROR),
    ],
)
async def test_misbehaviour_closes_with_its_code(
    local_discord: LocalDiscord, op: Op, data: Any, code: CloseCode
) -> None:
    async with Raw.connected(local_discord) as raw:
        await raw.send(op, data)
        assert await raw.close_code() == code


async def test_privileged_intents_must_be_enabled() -> None:
    async with LocalDiscord(privileged_intents=0) as server, Raw.connected(server) as raw:
        await raw.send(Op.IDENTIFY, {"token": server.token, "intents": int(Intent.MESSAGE_CONTENT)})
        assert await raw.close_code() == CloseCode.DISALLOWED_INTENTS


async def test_silent_client_is_dropped() -> None:
    async with LocalDiscord(heartbeat_s=0.1) as server, Raw.connected(server) as raw:
        assert await raw.close_code() == CloseCode.SESSION_TIMED_OUT


async def test_resume_from_before_the_log_is_refused(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    async with Raw.connected(local_discord) as raw:
        session = (await raw.identify())["session_id"]
    local_discord.backend.gateway.sessions[session].log.clear()
    async with Raw.connected(local_discord) as raw:
        await raw.send(Op.RESUME, {"token": raw.token, "session_id": session, "seq": 0})
        answer = await raw.receive()
    assert (answer["op"], answer["d"]) == (Op.INVALID_SESSION, False)


async def test_latency_is_that_of_the_last_heartbeat() -> None:
    """discord.py notes only after a heartbeat is sent when that was."""
    async with LocalDiscord(heartbeat_s=1.0) as server:
        server.world.create_user("ada")
        async with running(SmallBot(), server) as bot:
            keeper = bot.ws._keep_alive
            assert keeper is not None
            seen: list[float] = []
            for _ in range(4):
                before = keeper._last_ack
                async with asyncio.timeout(10):
                    while keeper._last_ack == before:  # noqa: ASYNC110 — it tells nobody
                        await asyncio.sleep(0.005)
                seen.append(keeper.latency)
            assert sum(each < 0.75 for each in seen) >= 2, seen


async def test_heartbeats_are_acknowledged_unless_the_server_plays_dead(
    local_discord: LocalDiscord,
) -> None:
    async with Raw.connected(local_discord) as raw:
        await raw.send(Op.HEARTBEAT, None)
        assert (await raw.receive())["op"] == Op.HEARTBEAT_ACK
        local_discord.backend.gateway.sends_heartbeat_acks = False
        await raw.send(Op.HEARTBEAT, None)
        ready = await raw.identify()
    assert ready["session_id"]
