"""Answers and events have the members that Discord's have, and none that they have not."""

import asyncio
from typing import Any

import pytest

from playground.discord.fault_injection import Fault
from playground.discord.gateway import CloseCode, Op
from playground.discord.intents import Intent
from playground.discord.json_types import File, Json
from playground.discord.permissions import Permission
from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions
from tests.playground.discord.test_gateway import Raw
from tests.playground.rest_client import RestClient

PING: list[Json] = [{"name": "ping", "description": "x"}]
BUTTONS = {"type": 1, "components": [{"type": 2, "style": 1, "label": "b", "custom_id": "b"}]}


async def ping(rest: RestClient, world: UserActions, where: str = "general", **more: Any) -> Any:
    path = f"/applications/{world.state.bot['id']}/commands"
    assert (await rest("PUT", path, PING)).status == 200
    return await world.slash("ada", where, "ping", **more)


async def test_messages_over_rest_carry_neither_member_nor_server(
    rest: RestClient, world: UserActions
) -> None:
    said = await world.say("ada", "general", "hello")
    reply = await rest.post({"content": "re", "message_reference": {"message_id": said.id}})
    here = f"/channels/{world.general['id']}/messages"
    listed = (await rest("GET", here)).body
    one = (await rest("GET", f"{here}/{said.id}")).body
    for message in (reply.body, reply.body["referenced_message"], *listed, one):
        assert not {"member", "guild_id", "channel_type"} & message.keys()
        assert {"flags", "primary_guild"} <= message["author"].keys()
        assert "reactions" not in message
    assert said.data["member"]["roles"] == []  # as the event has it
    assert said.data["guild_id"] == world.guild["id"]


async def test_a_reply_tells_what_became_of_the_message_replied_to(
    rest: RestClient, world: UserActions
) -> None:
    said = await world.say("ada", "general", "hello")
    body = {"content": "re", "message_reference": {"message_id": said.id}}
    reply = (await rest.post(body)).body["id"]
    path = f"/channels/{world.general['id']}/messages/{reply}"
    await world.edit_message("ada", "general", said.id, "hello there")
    quoted = (await rest("GET", path)).body["referenced_message"]
    assert quoted["content"] == "hello there"
    await world.delete_message("ada", "general", said.id)
    assert (await rest("GET", path)).body["referenced_message"] is None


async def test_components_have_ids_and_unicode_emoji_have_none(
    rest: RestClient, world: UserActions
) -> None:
    button = {"type": 2, "style": 1, "custom_id": "b", "emoji": {"id": None, "name": "👍"}}
    sent = await rest.post({"content": "x", "components": [{"type": 1, "components": [button]}]})
    (row,) = sent.body["components"]
    assert (row["id"], row["components"][0]["id"]) == (1, 2)
    assert row["components"][0]["emoji"] == {"name": "👍"}


async def test_attachments_are_those_that_nothing_else_shows(
    rest: RestClient, local_discord: LocalDiscord, world: UserActions
) -> None:
    def sent(body: Json, *names: str) -> Any:
        files = [File(name, b"x") for name in names]
        interactions, messages = local_discord.backend.interactions, local_discord.backend.messages
        return messages.present(interactions.follow_up(used, body, files))

    used = await ping(rest, world)
    path = f"/interactions/{used.id}/{used.token}/callback"
    assert (await rest("POST", path, {"type": 4, "data": {"content": "x"}})).status == 204
    picture = {"embeds": [{"image": {"url": "attachment://a.png"}}]}
    assert [a["filename"] for a in sent(picture, "a.png", "b.txt")["attachments"]] == ["b.txt"]
    shown = {"type": 13, "file": {"url": "attachment://c.txt"}}
    layout = sent({"flags": 1 << 15, "components": [shown]}, "c.txt")
    assert layout["attachments"] == []
    assert layout["components"][0]["name"] == "c.txt"
    assert layout["components"][0]["file"]["attachment_id"]


async def test_a_response_is_told_of_where_it_made_a_message(
    rest: RestClient, world: UserActions
) -> None:
    for body, has_message in (
        ({"type": 4, "data": {"content": "x"}}, True),
        ({"type": 5}, False),
        ({"type": 9, "data": {"custom_id": "m", "title": "t", "components": [FIELD]}}, False),
    ):
        used = await ping(rest, world)
        path = f"/interactions/{used.id}/{used.token}/callback?with_response=true"
        told = (await rest("POST", path, body)).body
        assert ("resource" in told) is has_message
        if has_message:
            assert told["resource"]["message"]["id"] == told["interaction"]["response_message_id"]


FIELD: Json = {
    "type": 18,
    "label": "l",
    "component": {"type": 4, "custom_id": "t", "style": 1},
}


async def test_a_token_reaches_only_its_own_messages(rest: RestClient, world: UserActions) -> None:
    first, second = await ping(rest, world), await ping(rest, world)
    for used in (first, second):
        data = {"content": "x", "components": [BUTTONS]}
        path = f"/interactions/{used.id}/{used.token}/callback"
        assert (await rest("POST", path, {"type": 4, "data": data})).status == 204
    app = world.state.bot["id"]
    own = f"/webhooks/{app}/{first.token}/messages"
    for method, body in (("GET", None), ("PATCH", {"content": "y"}), ("DELETE", None)):
        refused = await rest(method, f"{own}/{second.response.id}", body)
        assert (refused.status, refused.code) == (404, 10008)
    pressed = await world.click("ada", "general", second.response.id, "b")
    theirs = f"/webhooks/{app}/{pressed.token}/messages"
    await rest("POST", f"/interactions/{pressed.id}/{pressed.token}/callback", {"type": 6})
    changed = await rest("PATCH", f"{theirs}/{second.response.id}", {"content": "y"})
    assert changed.body["content"] == "y"
    assert (await rest("PATCH", f"{theirs}/@original", {"content": "z"})).status == 200
    assert (await rest("PATCH", f"{theirs}/{first.response.id}", {"content": "z"})).code == 10008


async def test_what_an_application_may_do_in_a_dm(rest: RestClient, world: UserActions) -> None:
    with world.subscribe() as changes:
        dm = world.open_dm("ada")
        await ping(rest, world, dm["id"])
        async with asyncio.timeout(10):
            async for seen in changes:
                if seen.name == "INTERACTION_CREATE":
                    break
    held = world.backend.interactions._app_permissions(dm)
    assert held == (
        Permission.ATTACH_FILES
        | Permission.EMBED_LINKS
        | Permission.MENTION_EVERYONE
        | Permission.USE_EXTERNAL_EMOJIS
    )


async def test_a_dm_is_not_announced(local_discord: LocalDiscord, world: UserActions) -> None:
    async with Raw.connected(local_discord) as raw:
        await raw.identify(intents=int(Intent.GUILDS | Intent.DIRECT_MESSAGES))
        dm = world.open_dm("ada")
        await world.say("ada", dm["id"], "hello")
        async with asyncio.timeout(10):
            while (event := await raw.receive())["t"] != "MESSAGE_CREATE":
                assert event["t"] != "CHANNEL_CREATE"
    assert event["d"]["channel_type"] == 1
    assert "guild_id" not in event["d"]


@pytest.mark.parametrize("data", [{}, {"intents": "1"}, {"intents": -1}, {"intents": 2**40}, []])
async def test_gateway_payloads_that_discord_refuses(
    local_discord: LocalDiscord, data: Any
) -> None:
    async with Raw.connected(local_discord) as raw:
        if isinstance(data, dict):
            data = {"token": local_discord.token, **data}
        await raw.send(Op.IDENTIFY, data)
        assert await raw.close_code() in (CloseCode.INVALID_INTENTS, CloseCode.DECODE_ERROR)


@pytest.mark.parametrize("text", ["[" * 4000, "[" * 5000, "{", '{"op": 99}', '"x"', "5", "[]"])
async def test_gateway_texts_that_discord_refuses(local_discord: LocalDiscord, text: str) -> None:
    async with Raw.connected(local_discord) as raw:
        await raw.socket.send_str(text)
        assert await raw.close_code() in (CloseCode.DECODE_ERROR, CloseCode.UNKNOWN_OPCODE)


async def test_limits_that_others_share_do_not_count_against_a_bot(
    rest: RestClient, local_discord: LocalDiscord, world: UserActions
) -> None:
    limits = local_discord.backend.rate_limits
    local_discord.backend.faults.add(Fault("status", times=20, status=429, retry_after=0))
    for _ in range(20):
        assert (await rest("GET", "/users/@me")).status == 429
    assert limits._invalid.remaining == 10_000
    assert (await rest("GET", "/users/@me", token="wrong")).status == 401
    assert limits._invalid.remaining == 9_999


async def test_replies_need_the_history(rest: RestClient, world: UserActions) -> None:
    said = await world.say("ada", "general", "hello")
    bot = world.state.bot["id"]
    world.set_permissions("general", bot, deny=Permission.READ_MESSAGE_HISTORY)
    refused = await rest.post({"content": "re", "message_reference": {"message_id": said.id}})
    assert (refused.status, refused.code) == (403, 160002)
    assert (await rest("GET", f"/channels/{world.general['id']}/messages")).body == []


async def test_what_cannot_be_answered_or_written_to(rest: RestClient, world: UserActions) -> None:
    pinned = await world.send_system_message("ada", "general", 6)
    refused = await rest.post({"content": "re", "message_reference": {"message_id": pinned.id}})
    assert "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE" in str(refused.body["errors"])
    forum = world.create_forum("help")
    assert (await rest.post({"content": "x"}, forum["id"])).code == 50008
    said = await world.say("ada", "general", "hello")
    path = f"/channels/{world.general['id']}/messages/{said.id}/reactions"
    for number in range(20):
        assert (await rest("PUT", f"{path}/{chr(0x1F600 + number)}/@me")).status == 204
    assert (await rest("PUT", f"{path}/👍/@me")).code == 30010
    assert (await rest("PUT", f"{path}/{chr(0x1F600)}/@me")).status == 204


async def test_archived_and_locked_threads(rest: RestClient, world: UserActions) -> None:
    thread = world.create_thread("ada", "general", "talk")["id"]
    bot = world.state.bot["id"]
    message = (await rest.post({"content": "x"}, thread)).body["id"]
    world.archive_thread(thread)
    for method, path in (
        ("PATCH", f"messages/{message}"),
        ("PUT", f"messages/{message}/reactions/👍/@me"),
        ("PUT", f"thread-members/{world.user('ada')['id']}"),
    ):
        refused = await rest(method, f"/channels/{thread}/{path}", {"content": "y"})
        assert (refused.status, refused.code) == (400, 50083), path
    world.archive_thread(thread, locked=True)
    assert (await rest.post({"content": "y"}, thread)).code == 160005
    world.set_permissions("general", bot, allow=Permission.MANAGE_THREADS)
    assert (await rest.post({"content": "y"}, thread)).status == 200


async def test_servers_where_the_bot_is_not_are_closed_to_it(
    rest: RestClient, world: UserActions
) -> None:
    elsewhere = world.create_guild("elsewhere", with_bot=False)["id"]
    for path in ("", "/channels", "/roles", "/members", "/threads/active"):
        assert (await rest("GET", f"/guilds/{elsewhere}{path}")).code == 50001
    assert (await rest("GET", "/guilds/1")).code == 10004


async def test_a_file_of_another_script_stays_in_a_layout_that_is_edited(
    rest: RestClient, local_discord: LocalDiscord, world: UserActions
) -> None:
    used = await ping(rest, world)
    path = f"/interactions/{used.id}/{used.token}/callback"
    assert (await rest("POST", path, {"type": 5})).status == 204
    shown = {"type": 13, "file": {"url": "attachment://图.txt"}}
    sent = {"flags": 1 << 15, "components": [shown]}
    interactions = local_discord.backend.interactions
    message = interactions.follow_up(used, sent, [File("图.txt", b"xyz")])
    body = {"components": [{"type": 10, "content": "x"}, shown]}
    edited = interactions.edit(used, message, body, ())
    file = local_discord.backend.messages.present(edited)["components"][1]
    assert (file["name"], file["size"]) == ("图.txt", 3)
