"""The validator notices what is wrong, and its command says what it did."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from playground.discord.server import LocalDiscord
from tests.conformance import rules
from tests.conformance.__main__ import main
from tests.conformance.record import Exchange, recorded
from tests.conformance.specification import Specification
from tests.playground.discord.test_validation import CALLBACKS, COMMANDS, MESSAGES, TAKEN
from tests.playground.rest_client import RestClient

THING = {"$ref": "#/components/schemas/Thing"}
SMALL = {
    "paths": {
        "/things/{thing_id}": {
            "parameters": [
                {"name": "thing_id", "in": "path", "schema": {"type": "string"}},
                {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}},
            ],
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": THING}},
                },
                "responses": {
                    "200": {"content": {"application/json": {"schema": THING}}},
                    "204": {"description": "Nothing"},
                    "4XX": {
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "required": ["code", "message"]}
                            }
                        }
                    },
                },
            },
        },
        "/things/@me": {"get": {"responses": {"204": {"description": "Nothing"}}}},
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["part"],
                "properties": {
                    "id": {"type": "string", "format": "snowflake"},
                    "part": {
                        "oneOf": [
                            {"$ref": "#/components/schemas/A"},
                            {"$ref": "#/components/schemas/B"},
                        ]
                    },
                },
            },
            "A": {
                "type": "object",
                "required": ["type", "size"],
                "properties": {"type": {"const": 1}, "size": {"type": "integer"}},
            },
            "B": {
                "type": "object",
                "required": ["type", "name", "place"],
                "properties": {"type": {"const": 2}, "name": {"maxLength": 3}},
            },
        }
    },
}
SOUND = {"id": "1", "part": {"type": 1, "size": 2}}
GOOD = Exchange("POST", "/things/5", {"limit": "9"}, SOUND, None, 200, SOUND)


def faults(**changed: Any) -> list[str]:
    return list(Specification(SMALL).faults(replace(GOOD, **changed)))


def test_a_sound_exchange_has_no_fault() -> None:
    assert faults() == []
    assert faults(body={**SOUND, "id": 1}) == []  # Discord takes integers for ids
    assert faults(status=204, response=None) == []
    assert (
        faults(method="GET", path="/things/@me", query={}, body=None, status=204, response=None)
        == []
    )
    assert faults(body={}, status=400, response={"code": 1, "message": "x"}) == []


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"method": "PUT"}, "no such operation"),
        ({"path": "/things/5/more"}, "no such operation"),
        ({"query": {"limit": "10"}}, "limit=10"),
        ({"query": {"other": "1"}}, "unknown parameter other"),
        ({"body": None}, "lacks a body"),
        ({"body": {}}, "'part' is a required property"),
        ({"body": {"part": {"type": 1}}}, "'size' is a required property"),
        ({"body": {"part": {"type": 2, "name": "long", "place": 1}}}, "part/name"),
        ({"body": {**SOUND, "id": "x"}}, "id: "),
        ({"files": ["a.txt"]}, "multipart/form-data is not taken"),
        ({"response": {"part": {"type": 3}}}, "response 200"),
        ({"response": {**SOUND, "id": 1}}, "id: 1 is not of type"),
        ({"response": None}, "response 200"),
        ({"status": 204}, "has a body"),
        ({"status": 302}, "not foreseen"),
        ({"status": 400, "response": {}}, "'code' is a required property"),
    ],
)
def test_a_fault_is_named(changed: dict[str, Any], part: str) -> None:
    assert any(part in fault for fault in faults(**changed)), faults(**changed)


def message(**body: Any) -> Exchange:
    return Exchange("POST", "/channels/1234567/messages", {}, body, None, 200, {})


@pytest.mark.parametrize(
    "exchange",
    [
        message(content="😀" * 1001),
        message(embeds=[{"description": "😀" * 3001}]),
        message(embeds=[{"fields": [{"name": "n" * 3000, "value": "v" * 3001}]}]),
        message(flags=1 << 15, components=[{"type": 10, "content": "😀" * 2001}]),
        message(content="x", nonce="1"),
        replace(message(content="x"), files=["图.png"]),
        replace(message(), status=400, response={"code": 50006}),
        Exchange(
            "POST",
            "/interactions/1/t/callback",
            {},
            {"type": 4, "data": {"content": "😀" * 1001}},
            None,
            204,
            None,
        ),
        replace(message(content="😀" * 1001), path="/webhooks/1/t", method="POST"),
        replace(message(content="😀" * 1001), path="/webhooks/1/t/messages/@original"),
    ],
)
def test_a_broken_rule_is_named(exchange: Exchange) -> None:
    assert list(rules.broken(exchange))


def test_other_requests_break_no_rule() -> None:
    assert not list(rules.broken(message(content="x" * 2000, nonce="1", enforce_nonce=True)))
    assert not list(
        rules.broken(replace(message(content="x"), status=403, response={"code": 50013}))
    )


def test_the_command_counts_and_judges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--spec", str(tmp_path / "none.json")]) == 2
    assert "discord-api-spec" in capsys.readouterr().out
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(SMALL))
    given = ["--spec", str(spec), "--record", str(tmp_path)]
    assert main(given) == 1  # nothing was recorded, which proves nothing
    record = tmp_path / "1.jsonl"
    record.write_text(f"{json.dumps(asdict(GOOD))}\n")
    assert main(given) == 0
    assert capsys.readouterr().out.endswith("conformance: requests=1 responses=1 invalid=0\n")
    record.write_text(f"{json.dumps(asdict(GOOD))}\n{json.dumps(asdict(replace(GOOD, body={})))}\n")
    assert main(given) == 1
    assert capsys.readouterr().out.endswith("conformance: requests=2 responses=2 invalid=1\n")


async def test_every_request_is_recorded_with_its_body_and_files() -> None:
    seen: list[Exchange] = []
    with recorded(seen.append):
        discord = LocalDiscord()
    async with discord, aiohttp.ClientSession() as session:
        rest = RestClient(session, discord)
        await rest.post({"content": "x"})
        await rest.post({"content": 5})
        await rest("GET", "/users/@me?a=b", token="wrong")
        form = aiohttp.FormData()
        form.add_field("payload_json", '{"content": "y"}')
        form.add_field("files[0]", b"1", filename="a.txt")
        path = f"{discord.api_url}/v10/channels/{discord.world.general['id']}/messages"
        headers = {"Authorization": f"Bot {discord.token}"}
        async with session.post(path, data=form, headers=headers) as response:
            assert response.status == 200
    assert [(e.body, e.files, e.status) for e in seen] == [
        ({"content": "x"}, None, 200),
        ({"content": 5}, None, 400),
        (None, None, 401),
        ({"content": "y"}, ["a.txt"], 200),
    ]
    assert seen[2].query == {"a": "b"}
    assert seen[0].response["content"] == "x"
    assert LocalDiscord.extensions == []


# --- against Discord's own specification, where it lies beside the project ---------------------


@pytest.fixture(scope="module")
def specification() -> Specification:
    place = Specification.place()
    if not place.is_file():
        pytest.skip(f"Discord's specification is not there: {place}")
    return Specification.read(place)


def test_what_the_local_discord_takes_is_sound(specification: Specification) -> None:
    """And what the specification refuses is among what it refuses, which other tests show."""

    def is_sound(path: str, method: str, body: Any) -> bool:
        exchange = Exchange(method, path, {}, body, None, 204, None)
        return not [each for each in specification.faults(exchange) if "request:" in each]

    post = "/channels/1234567/messages"
    assert [name for name, body in TAKEN.items() if not is_sound(post, "POST", body)] == []
    answer, commands = "/interactions/1/t/callback", "/applications/1234567/commands"
    refused = (
        [name for name, body in MESSAGES.items() if not is_sound(post, "POST", body)],
        [name for name, body in CALLBACKS.items() if not is_sound(answer, "POST", body)],
        [name for name, body in COMMANDS.items() if not is_sound(commands, "PUT", [body])],
    )
    # The specification says less than the documentation, and still much.
    assert all(len(each) > 10 for each in refused), refused


async def test_responses_are_sound(specification: Specification) -> None:
    seen: list[Exchange] = []
    with recorded(seen.append):
        discord = LocalDiscord()
    async with discord, aiohttp.ClientSession() as session:
        rest, world = RestClient(session, discord), discord.world
        discord.backend.rate_limits.enabled = False
        ada = world.create_user("ada")["id"]
        here, guild = f"/channels/{world.general['id']}", f"/guilds/{world.guild['id']}"
        for body in TAKEN.values():
            await rest.post(body)
        for bad in MESSAGES.values():
            await rest.post(bad)
        said = await world.say("ada", "general", "hello")
        await rest.post({"content": "re", "message_reference": {"message_id": said.id}})
        await rest("PUT", f"{here}/messages/{said.id}/reactions/👍/@me")
        await rest("POST", f"{here}/messages/{said.id}/threads", {"name": "talk"})
        thread = f"/channels/{world.channel('talk')['id']}"
        await rest("POST", f"{here}/threads", {"name": "private"})
        for path in (
            here, f"{here}/messages", f"{here}/messages/{said.id}", thread,
            f"{thread}/thread-members", guild, f"{guild}/channels",
            f"{guild}/roles", f"{guild}/members?limit=9", f"{guild}/members/{ada}",
            f"{guild}/threads/active", f"/users/{ada}", "/users/@me", "/users/@me/guilds",
            "/oauth2/applications/@me", "/applications/@me", "/gateway", "/gateway/bot",
            "/channels/1", "/channels/x",
        ):  # fmt: skip
            await rest("GET", path)
        await rest("POST", "/users/@me/channels", {"recipient_id": ada})
    found = [fault for exchange in seen for fault in specification.faults(exchange)]
    assert sorted(set(found)) == []
