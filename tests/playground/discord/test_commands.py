"""Registering commands, and where they are offered."""

from typing import Any

import pytest

from playground.discord.json_types import Json
from playground.discord.user_actions import UserActions
from tests.playground.rest_client import RestClient


def command(name: str = "chat", **more: Any) -> Json:
    return {"name": name, "description": "x", **more}


def path(world: UserActions, guild: str = "") -> str:
    scope = f"/guilds/{guild}" if guild else ""
    return f"/applications/{world.state.bot['id']}{scope}/commands"


async def test_replacing_keeps_the_ids_of_what_stays(rest: RestClient, world: UserActions) -> None:
    first = (await rest("PUT", path(world), [command("chat"), command("old")])).body
    second = (await rest("PUT", path(world), [command("chat"), command("new")])).body
    assert first[0]["id"] == second[0]["id"]
    assert first[0]["version"] != second[0]["version"]
    listed = (await rest("GET", path(world))).body
    assert [c["name"] for c in listed] == ["chat", "new"]


async def test_single_commands(rest: RestClient, world: UserActions) -> None:
    made = (await rest("POST", path(world), command())).body
    one = f"{path(world)}/{made['id']}"
    assert (await rest("PATCH", one, {"description": "y"})).body["description"] == "y"
    assert (await rest("DELETE", one)).status == 204
    assert (await rest("GET", one)).code == 10063


@pytest.mark.parametrize(
    "body",
    [
        command("Upper"),
        command("two words"),
        command(description=""),
        command(options=[command("a", type=3), command("b", type=3, required=True)]),
        command(options=[command(f"o{n}", type=3) for n in range(26)]),
    ],
)
async def test_malformed_commands_are_refused(
    rest: RestClient, world: UserActions, body: Json
) -> None:
    refused = await rest("PUT", path(world), [body])
    assert (refused.status, refused.code) == (400, 50035)
    assert world.snapshot("ada")["commands"][world.guild["id"]] == []


async def test_contexts_and_servers_decide_who_is_offered_what(
    rest: RestClient, world: UserActions
) -> None:
    other = world.create_guild("other")["id"]
    await rest("PUT", path(world), [command("everywhere"), command("servers", contexts=[0])])
    await rest("PUT", path(world, world.guild["id"]), [command("home")])
    usable = world.backend.commands.list_usable
    assert [c["name"] for c in usable(None)] == ["everywhere"]
    assert [c["name"] for c in usable(other)] == ["everywhere", "servers"]
    assert [c["name"] for c in usable(world.guild["id"])] == ["home", "everywhere", "servers"]


async def test_a_user_installed_command_works_where_the_bot_is_not(
    rest: RestClient, world: UserActions
) -> None:
    abroad = world.create_guild("abroad", with_bot=False)
    channel = world.create_channel("lobby", abroad)["id"]
    world.state.add_member(abroad, world.user("ada"))
    await rest("PUT", path(world), [command("chat", integration_types=[0, 1])])
    asked = await world.slash("ada", channel, "chat")
    assert asked.owners == {"1": world.user("ada")["id"]}
    webhook = f"/webhooks/{world.state.bot['id']}/{asked.token}"
    callback = f"/interactions/{asked.id}/{asked.token}/callback"
    await rest("POST", callback, {"type": 4, "data": {"content": "first"}})
    more = [await rest("POST", webhook, {"content": "x"}, token="") for _ in range(6)]
    assert [a.status for a in more] == [200] * 5 + [400]
