"""Messages: limits, nonces, mentions, permissions, threads, DMs, files."""

import asyncio
from typing import Any

import aiohttp
import discord
import pytest

from playground.discord.json_types import File, Json, UserError
from playground.discord.permissions import Permission
from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions
from tests.playground.rest_client import RestClient
from tests.playground.seeing import watching
from tests.playground.small_bot import SmallBot, running

TEXT = {"type": 10, "content": "x"}
V2 = 1 << 15


async def test_a_nonce_is_sent_once(rest: RestClient, world: UserActions) -> None:
    body = {"content": "once", "nonce": "123456789012345678.0", "enforce_nonce": True}
    first, second = await rest.post(body), await rest.post({**body, "content": "twice"})
    assert first.body["id"] == second.body["id"]
    assert [m.data["content"] for m in world.messages("general")] == ["once"]
    again = await rest.post({**body, "enforce_nonce": False})
    assert again.body["id"] != first.body["id"]
    world.state.clock.advance(301)
    assert (await rest.post(body)).body["id"] != first.body["id"]


async def test_a_nonce_names_the_question_it_answers(rest: RestClient, world: UserActions) -> None:
    asked = await world.say("ada", "general", "why?")
    with watching(world) as watch:
        await rest.post({"content": "because", "nonce": f"{asked.id[-18:]}.1"})
        assert (await watch.content("because")).responds_to == asked.id


def embeds(**fields: Any) -> Json:
    return {"embeds": [fields]}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"content": "x" * 2001}, ["content"]),
        ({"content": "x", "nonce": "n" * 26}, ["nonce"]),
        (embeds(description="x" * 4097), ["embeds", "0", "description"]),
        (embeds(fields=[{"name": "", "value": "x"}]), ["embeds", "0", "fields", "0", "name"]),
        ({"embeds": [{"description": "x" * 4000}] * 2}, ["embeds"]),
        ({"embeds": [{"title": "x"}] * 11}, ["embeds"]),
        ({"components": [TEXT]}, ["components", "0", "type"]),
        ({"components": [{"type": 1, "components": []}]}, ["components", "0", "components"]),
        ({"components": [TEXT] * 41, "flags": V2}, ["components"]),
        ({"components": [{"type": 10, "content": "x" * 4001}], "flags": V2}, ["components"]),
        ({"components": [TEXT], "content": "x", "flags": V2}, ["content"]),
        (
            {
                "components": [
                    {"type": 1, "components": [{"type": 2, "style": 1, "custom_id": "a"}] * 2}
                ]
            },
            ["components", "0", "components", "1", "custom_id"],
        ),
        ({"content": "x", "message_reference": {"message_id": "1"}}, ["message_reference"]),
    ],
)
async def test_what_is_over_a_limit_is_named(rest: RestClient, body: Json, path: list[str]) -> None:
    refused = await rest.post(body)
    assert (refused.status, refused.code) == (400, 50035)
    node = refused.body["errors"]
    for key in path:
        node = node[key]
    assert node["_errors"][0]["message"]


async def test_limits_count_code_points(rest: RestClient) -> None:
    assert (await rest.post({"content": "😀" * 2000})).status == 200
    assert (await rest.post({"content": " \n "})).code == 50006


@pytest.mark.parametrize(
    ("allowed", "pinged"),
    [
        (None, {"ada", "bob"}),
        ({"parse": []}, set()),
        ({"parse": [], "users": ["ada"]}, {"ada"}),
        ({"parse": ["roles", "everyone"]}, set()),
    ],
)
async def test_allowed_mentions(
    rest: RestClient, world: UserActions, allowed: Json | None, pinged: set[str]
) -> None:
    ids = {name: world.user(name)["id"] for name in ("ada", "bob")}
    body: Json = {"content": f"<@{ids['ada']}> <@{ids['bob']}> @everyone `<@{ids['ada']}>`"}
    if allowed is not None:
        users = [ids[name] for name in allowed.get("users", ())]
        body["allowed_mentions"] = {**allowed, "users": users} if users else allowed
    with watching(world) as watch:
        await rest.post(body)
        seen = await watch.event("MESSAGE_CREATE")
    assert {world.user(u)["username"] for u in seen.pinged} == pinged


async def test_everyone_pings_only_with_its_permission(
    rest: RestClient, world: UserActions
) -> None:
    with watching(world) as watch:
        await rest.post({"content": "@everyone"})
        assert (await watch.event("MESSAGE_CREATE")).pinged == ()
        bot = world.state.bot["id"]
        world.set_permissions("general", bot, allow=Permission.MENTION_EVERYONE)
        await rest.post({"content": "@everyone"})
        seen = await watch.event("MESSAGE_CREATE")
    assert world.user("bob")["id"] in seen.pinged
    assert seen.data["mention_everyone"]


@pytest.mark.parametrize(
    ("deny", "body", "code"),
    [
        (Permission.VIEW_CHANNEL, {"content": "x"}, 50001),
        (Permission.SEND_MESSAGES, {"content": "x"}, 50013),
        (Permission.EMBED_LINKS, {"embeds": [{"title": "x"}]}, 50013),
    ],
)
async def test_permissions(
    rest: RestClient, world: UserActions, deny: Permission, body: Json, code: int
) -> None:
    world.set_permissions("general", "@everyone", deny=deny)
    refused = await rest.post(body)
    assert (refused.status, refused.code) == (403, code)


async def test_unknown_and_foreign_things(rest: RestClient, world: UserActions) -> None:
    channel = world.general["id"]
    foreign = await world.say("ada", "general", "mine")
    assert (await rest.post({"content": "x"}, channel="1")).code == 10003
    assert (await rest("GET", f"/channels/{channel}/messages/1")).code == 10008
    edit = await rest("PATCH", f"/channels/{channel}/messages/{foreign.id}", {"content": "x"})
    assert (edit.status, edit.code) == (403, 50005)
    delete = await rest("DELETE", f"/channels/{channel}/messages/{foreign.id}")
    assert delete.code == 50013
    assert (await rest("GET", "/users/@me", token="wrong")).status == 401
    assert (await rest("GET", "/nothing")).status == 404


async def test_replies_threads_reactions_and_typing(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    async def answer(bot: SmallBot, message: discord.Message) -> None:
        async with message.channel.typing():
            await message.add_reaction("👀")
        thread = await message.create_thread(name="Deep talk")
        await thread.send("in here")
        await message.reply("see the thread")

    bot = SmallBot()
    bot.answer = answer
    async with running(bot, local_discord):
        with watching(world) as watch:
            asked = await world.say("ada", "general", "@commonroom talk")
            await watch.event("TYPING_START")
            await watch.event("MESSAGE_REACTION_ADD")
            thread = await watch.event("THREAD_CREATE")
            inside = await watch.content("in here")
            reply = await watch.content("see the thread")
        bot.answer = None
        await world.say("bob", "Deep talk", "me too")
        while (heard := await asyncio.wait_for(bot.heard.get(), 30)).content != "me too":
            pass
    (reaction,) = asked.data["reactions"]
    assert reaction["emoji"] == {"id": None, "name": "👀"}
    assert (reaction["count"], reaction["me"]) == (1, True)
    assert thread.data["id"] == asked.id == inside.channel == str(heard.channel.id)
    assert (reply.responds_to, reply.pinged) == (asked.id, (world.user("ada")["id"],))


async def test_direct_messages_stay_between_two(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    async def answer(_: SmallBot, message: discord.Message) -> None:
        await message.channel.send("just us")

    bot = SmallBot()
    bot.answer = answer
    async with running(bot, local_discord):
        dm = world.open_dm("ada")
        with watching(world) as watch:
            await world.say("ada", dm["id"], "psst")
            seen = await watch.content("just us")
    assert world.can_see(world.user("ada")["id"], seen)
    assert not world.can_see(world.user("bob")["id"], seen)
    with pytest.raises(UserError):
        await world.say("bob", dm["id"], "me too")


async def test_files_are_served_behind_expiring_addresses(
    rest: RestClient, world: UserActions, local_discord: LocalDiscord
) -> None:
    sent = await world.say("ada", "general", "look", [File("../a b.png", b"\x89PNG\r\n\x1a\n")])
    (attachment,) = sent.data["attachments"]
    assert (attachment["filename"], attachment["content_type"]) == ("a_b.png", "image/png")
    async with aiohttp.ClientSession() as session:

        async def status(url: str) -> int:
            async with session.get(url) as response:
                return response.status

        assert await status(attachment["url"]) == 200
        assert await status(attachment["url"].replace("hm=", "hm=0")) == 404
        world.state.clock.advance(25 * 3600)
        assert await status(attachment["url"]) == 404
        channel = world.general["id"]
        fresh = await rest("GET", f"/channels/{channel}/messages/{sent.id}")
        assert await status(fresh.body["attachments"][0]["url"]) == 200


async def test_history_pages(rest: RestClient, world: UserActions) -> None:
    ids = [(await world.say("ada", "general", str(n))).id for n in range(5)]
    path = f"/channels/{world.general['id']}/messages"

    async def page(query: str) -> list[str]:
        return [m["content"] for m in (await rest("GET", f"{path}?{query}")).body]

    assert await page("limit=2") == ["4", "3"]
    assert await page(f"before={ids[2]}&limit=2") == ["1", "0"]
    assert await page(f"after={ids[1]}&limit=2") == ["3", "2"]
    assert await page(f"around={ids[2]}&limit=3") == ["3", "2", "1"]


# --- what messages point at ---------------------------------------------------------------------


async def test_a_forward_is_a_copy_without_an_author(rest: RestClient, world: UserActions) -> None:
    said = await world.say("ada", "general", "first", [File("a.txt", b"x")], stickers=["Wave"])
    once = await world.forward("bob", "general", said.id, "general")
    twice = await world.forward("bob", "general", once.id, "general")
    for message in (once, twice):
        [snapshot] = message.data["message_snapshots"]
        assert snapshot["message"]["content"] == "first"
        assert snapshot["message"]["attachments"][0]["filename"] == "a.txt"
        assert snapshot["message"]["sticker_items"][0]["name"] == "Wave"
        assert "author" not in snapshot["message"]
        assert message.data["content"] == ""
        assert message.data["flags"] == 1 << 14
    assert twice.data["message_reference"]["message_id"] == once.id


async def test_a_reply_to_a_deleted_message_has_none(rest: RestClient, world: UserActions) -> None:
    said = await world.say("ada", "general", "gone")
    reply = await world.reply("bob", "general", said.id, "what?")
    path = f"/channels/{said.channel}/messages/{reply.id}"
    assert (await rest("GET", path)).body["referenced_message"]["content"] == "gone"
    await world.delete_message("ada", "general", said.id)
    assert (await rest("GET", path)).body["referenced_message"] is None


async def test_what_others_say_is_hidden_within_what_can_be_read(
    rest: RestClient, world: UserActions
) -> None:
    world.state.privileged_intents = 0
    said = await world.say("ada", "general", "secret")
    reply = await world.reply("bob", "general", said.id, "@bot what?")
    forward = await world.forward("bob", "general", said.id, "general")
    places = f"/channels/{said.channel}/messages"
    shown = (await rest("GET", f"{places}/{reply.id}")).body
    assert shown["content"].endswith("what?")
    assert shown["referenced_message"]["content"] == ""
    [snapshot] = (await rest("GET", f"{places}/{forward.id}")).body["message_snapshots"]
    assert snapshot["message"]["content"] == ""
    assert not {"member", "guild_id"} & set(shown)


async def test_without_the_history_permission_a_list_is_empty(
    rest: RestClient, world: UserActions
) -> None:
    said = await world.say("ada", "general", "earlier")
    world.set_permissions("general", "@everyone", deny=Permission.READ_MESSAGE_HISTORY)
    listed = await rest("GET", f"/channels/{said.channel}/messages")
    assert (listed.status, listed.body) == (200, [])
    assert (await rest("GET", f"/channels/{said.channel}/messages/{said.id}")).status == 403


async def test_an_archived_thread_takes_no_edit_and_a_new_message_reopens_it(
    rest: RestClient, world: UserActions
) -> None:
    thread = world.create_thread("ada", "general", "talk")["id"]
    message = (await rest.post({"content": "one"}, thread)).body["id"]
    path = f"/channels/{thread}/messages/{message}"
    world.archive_thread(thread)
    edit = await rest("PATCH", path, {"content": "two"})
    assert (edit.status, edit.code) == (400, 50083)
    assert (await rest("PATCH", f"/channels/{thread}", {"archived": False})).status == 200
    assert (await rest("PATCH", path, {"content": "two"})).status == 200
    world.archive_thread(thread)
    assert (await rest.post({"content": "three"}, thread)).status == 200
    assert not world.channel(thread)["thread_metadata"]["archived"]
    world.archive_thread(thread, locked=True)
    assert (await rest.post({"content": "four"}, thread)).code == 160005
    assert (await rest("PATCH", f"/channels/{thread}", {"archived": False})).status == 403


async def test_the_first_message_of_a_forums_post_has_its_id(
    rest: RestClient, world: UserActions
) -> None:
    forum = world.create_forum("help", ["solved", "network"])
    first = await world.create_forum_post(
        "ada", "help", "Router reboots", "every hour", tags=["network"]
    )
    post = (await rest("GET", f"/channels/{first.id}")).body
    assert (post["name"], post["parent_id"]) == ("Router reboots", forum["id"])
    assert post["applied_tags"] == [forum["available_tags"][1]["id"]]
    assert (await rest("GET", f"/channels/{first.id}/messages/{first.id}")).status == 200
