"""What Discord refuses of each kind of request, by its documentation, and what it just takes."""

from typing import Any

import pytest

from playground.discord.components import complete_components
from playground.discord.json_types import Json
from playground.discord.schema import is_emoji
from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions
from tests.playground.rest_client import Answer, RestClient

V2 = 1 << 15
PICTURE = {"media": {"url": "https://a.example/x.png"}}


def row(*parts: Json) -> Json:
    return {"type": 1, "components": list(parts)}


def button(**fields: Any) -> Json:
    return {"type": 2, "style": 2, "label": "b", "custom_id": "b", **fields}


def choice(value: str = "a", **fields: Any) -> Json:
    return {"label": value, "value": value, **fields}


def menu(*options: Json, **fields: Any) -> Json:
    offered = list(options or (choice("a"), choice("b")))
    return {"type": 3, "custom_id": "s", "options": offered, **fields}


def text(content: str = "x", **fields: Any) -> Json:
    return {"type": 10, "content": content, **fields}


def section(*texts: Json, **fields: Any) -> Json:
    return {"type": 9, "components": list(texts or (text(),)), "accessory": button(), **fields}


def plain(**fields: Any) -> Json:
    return {"content": "x", **fields}


def rows(*parts: Json) -> Json:
    return plain(components=[row(*parts)])


def layout(*parts: Json, **fields: Any) -> Json:
    return {"flags": V2, "components": list(parts), **fields}


def embed(**fields: Any) -> Json:
    return {"embeds": [fields]}


def mentions(**fields: Any) -> Json:
    return plain(allowed_mentions=fields)


def poll(**fields: Any) -> Json:
    asked = {"question": {"text": "q"}, "answers": [{"poll_media": {"text": "a"}}]}
    return {"poll": {**asked, **fields}}


MESSAGES = {
    "content: a number": {"content": 5},
    "content: a list": {"content": ["x"]},
    "content: half of a surrogate pair": {"content": "\ud83d"},
    "content of 2001 emoji": {"content": "😀" * 2001},
    "content: only zero-width spaces": {"content": "\u200b\u200b"},
    "content: only white space": {"content": "  \n\t"},
    "no content": {},
    "body: a list": [],
    "body: a text": "x",
    "tts: a text": plain(tts="yes"),
    "flags: a text": plain(flags="1"),
    "flags below zero": plain(flags=-1),
    "flags: true": plain(flags=True),
    "nonce of 26": plain(nonce="n" * 26),
    "nonce: a list": plain(nonce=[1]),
    "nonce beyond 64 bits": plain(nonce=2**63),
    "enforce_nonce: 1": plain(enforce_nonce=1),
    "reference of nothing": plain(message_reference={}),
    "reference that is no id": plain(message_reference={"message_id": "x"}),
    "reference of no message": plain(message_reference={"message_id": "1"}),
    "reference of type 7": plain(message_reference={"message_id": "1", "type": 7}),
    "sticker_ids: 4": plain(sticker_ids=["1", "2", "3", "4"]),
    "attachment without id": plain(attachments=[{"filename": "a.txt"}]),
    "attachment without its file": plain(attachments=[{"id": 0, "filename": "a.txt"}]),
    "attachment description of 1025": plain(attachments=[{"id": 0, "description": "x" * 1025}]),
    "embed that is empty": embed(),
    "embed of a colour alone": embed(color=1),
    "embed that is a text": {"embeds": ["x"]},
    "embeds: an object": {"embeds": {"title": "x"}},
    "embed: 11": {"embeds": [{"title": "x"}] * 11},
    "embed: url that is none": embed(title="x", url="nowhere"),
    "embed: url of a script": embed(title="x", url="javascript:alert(1)"),
    "embed: picture of a local file": embed(image={"url": "file:///etc/passwd"}),
    "embed: picture without url": embed(image={}),
    "embed: title of 257": embed(title="x" * 257),
    "embed: description of 4097": embed(description="x" * 4097),
    "embed: color 2^24": embed(title="x", color=2**24),
    "embed: color below zero": embed(title="x", color=-1),
    "embed: color as a text": embed(title="x", color="#fff"),
    "embed: timestamp that is none": embed(title="x", timestamp="later"),
    "embed: footer without text": embed(title="x", footer={}),
    "embed: footer of 2049": embed(footer={"text": "x" * 2049}),
    "embed: author of 257": embed(author={"name": "x" * 257}),
    "embed: 26 fields": embed(fields=[{"name": "n", "value": "v"}] * 26),
    "embed: field without value": embed(fields=[{"name": "n"}]),
    "embed: blank field": embed(fields=[{"name": " ", "value": "v"}]),
    "embed: blank description": embed(description=" \n"),
    "embed: field value of 1025": embed(fields=[{"name": "n", "value": "v" * 1025}]),
    "embeds: 6001 together": {"embeds": [{"description": "x" * 3000}, {"description": "x" * 3001}]},
    "allowed_mentions: parse and list": mentions(parse=["users"], users=["1"]),
    "allowed_mentions: parse and list of roles": mentions(parse=["roles"], roles=["1"]),
    "allowed_mentions: unknown parse": mentions(parse=["everybody"]),
    "allowed_mentions: parse twice": mentions(parse=["users", "users"]),
    "allowed_mentions: 101 users": mentions(users=[str(n) for n in range(101)]),
    "allowed_mentions: no id": mentions(users=["ada"]),
    "allowed_mentions: a list": plain(allowed_mentions=["users"]),
    "allowed_mentions: replied_user yes": mentions(replied_user="yes"),
    "poll without answers": poll(answers=[]),
    "poll of 11 answers": poll(answers=[{"poll_media": {"text": str(n)}} for n in range(11)]),
    "poll: question of 301": poll(question={"text": "q" * 301}),
    "poll: blank question": poll(question={"text": " "}),
    "poll: answer of 56": poll(answers=[{"poll_media": {"text": "a" * 56}}]),
    "poll of 33 days": poll(duration=769),
    "poll: no emoji": poll(answers=[{"poll_media": {"text": "a", "emoji": {"name": "a"}}}]),
    "button without label and emoji": rows({"type": 2, "style": 2, "custom_id": "b"}),
    "button: no custom_id": rows({"type": 2, "style": 2, "label": "b"}),
    "button: link without url": rows({"type": 2, "style": 5, "label": "b"}),
    "button: link with custom_id": rows(button(style=5, url="https://a.example")),
    "button: url and custom_id": rows(button(url="https://a.example")),
    "button: url of 513": rows(
        {"type": 2, "style": 5, "label": "b", "url": "https://a.example/" + "x" * 495}
    ),
    "button: url of a script": rows({"type": 2, "style": 5, "label": "b", "url": "javascript:1"}),
    "button: emoji that is none": rows(button(emoji={"name": "notanemoji"})),
    "button: emoji of two": rows(button(emoji={"name": "👍👎"})),
    "button: no style": rows({"type": 2, "label": "b", "custom_id": "b"}),
    "button: style 9": rows(button(style=9)),
    "button: style 0": rows(button(style=0)),
    "button: label of 81": rows(button(label="x" * 81)),
    "button: custom_id of 101": rows(button(custom_id="x" * 101)),
    "button: custom_id of nothing": rows(button(custom_id="")),
    "button: disabled maybe": rows(button(disabled="maybe")),
    "row: nothing": rows(),
    "row: 6 buttons": rows(*(button(custom_id=str(n)) for n in range(6))),
    "row: button and menu": rows(button(), menu()),
    "row: two menus": rows(menu(), menu(custom_id="s2")),
    "row: a text input": rows({"type": 4, "custom_id": "t", "style": 1, "label": "L"}),
    "row in a row": rows(row(button())),
    "rows: 6": plain(components=[row(button(custom_id=str(n))) for n in range(6)]),
    "custom_id in two rows": plain(components=[row(button()), row(button())]),
    "components: an object": plain(components={"type": 1}),
    "component: a text": plain(components=["x"]),
    "component without type": plain(components=[{"components": [button()]}]),
    "component of type true": plain(components=[{**row(button()), "type": True}]),
    "component id below zero": plain(components=[row(button(id=-1))]),
    "menu: no options": rows({"type": 3, "custom_id": "s", "options": []}),
    "menu: 26 options": rows(menu(*(choice(str(n)) for n in range(26)))),
    "menu: option label of 101": rows(menu(choice(label="x" * 101))),
    "menu: option value of 101": rows(menu(choice(value="x" * 101))),
    "menu: option description of 101": rows(menu(choice(description="x" * 101))),
    "menu: option without value": rows(menu({"label": "a"})),
    "menu: the same value twice": rows(menu(choice("a"), choice("a", label="b"))),
    "menu: max_values over its options": rows(menu(max_values=9)),
    "menu: max_values of 0": rows(menu(max_values=0)),
    "menu: min over max": rows(menu(min_values=2, max_values=1)),
    "menu: min over the default max": rows(menu(min_values=2)),
    "menu: placeholder of 151": rows(menu(placeholder="x" * 151)),
    "menu: two defaults": rows(menu(choice("a", default=True), choice("b", default=True))),
    "menu of roles: 26": rows({"type": 6, "custom_id": "r", "max_values": 26}),
    "menu of roles: more defaults than max_values": rows(
        {
            "type": 6,
            "custom_id": "r",
            "default_values": [{"id": "1", "type": "role"}, {"id": "2", "type": "role"}],
        }
    ),
    "menu of roles: a user as default": rows(
        {"type": 6, "custom_id": "r", "default_values": [{"id": "1", "type": "user"}]}
    ),
    "menu of channels: type 99": rows({"type": 8, "custom_id": "c", "channel_types": [99]}),
    "V2: nothing": layout(),
    "V2: section without accessory": layout({"type": 9, "components": [text()]}),
    "V2: section with 4 texts": layout(section(text(), text(), text(), text())),
    "V2: section with a row": layout(section(row(button(custom_id="c")))),
    "V2: section beside a menu": layout(section(accessory=menu())),
    "V2: thumbnail without media": layout(section(accessory={"type": 11})),
    "V2: empty gallery": layout({"type": 12, "items": []}),
    "V2: gallery of 11": layout({"type": 12, "items": [PICTURE] * 11}),
    "V2: description of 1025": layout(
        {"type": 12, "items": [{**PICTURE, "description": "x" * 1025}]}
    ),
    "V2: empty description": layout({"type": 12, "items": [{**PICTURE, "description": ""}]}),
    "V2: picture that is no url": layout({"type": 12, "items": [{"media": {"url": "nowhere"}}]}),
    "V2: picture as data": layout({"type": 12, "items": [{"media": {"url": "data:image/png,x"}}]}),
    "V2: file of a web address": layout({"type": 13, "file": {"url": "https://a.example/x.txt"}}),
    "V2: file that is not sent": layout({"type": 13, "file": {"url": "attachment://x.txt"}}),
    "V2: container in a container": layout(
        {"type": 17, "components": [{"type": 17, "components": [text()]}]}
    ),
    "V2: empty container": layout({"type": 17, "components": []}),
    "V2: the same id twice": layout(text("a", id=5), text("b", id=5)),
    "V2: button at the top": layout(button()),
    "V2: menu at the top": layout(menu()),
    "V2: thumbnail at the top": layout({"type": 11, **PICTURE}),
    "V2: label in a message": layout({"type": 18, "label": "L", "component": menu()}),
    "V2: separator spacing 3": layout(text(), {"type": 14, "spacing": 3}),
    "V2: accent_color 2^24": layout({"type": 17, "accent_color": 2**24, "components": [text()]}),
    "V2: 41 components": layout(*(text() for _ in range(41))),
    "V2: 41 components, nested": layout({"type": 17, "components": [text() for _ in range(40)]}),
    "V2: 4001 of text": layout(text("x" * 2001), text("x" * 2000)),
    "V2: content too": layout(text(), content="x"),
    "V2: an embed too": layout(text(), embeds=[{"title": "x"}]),
    "V2: a poll too": layout(text(), **poll()),
    "V2: blank text": layout(text(" ")),
    "V2: text of nothing": layout({"type": 10}),
    "V2: unknown type 99": layout({"type": 99}),
    "container without the flag": {"components": [{"type": 17, "components": [text()]}]},
}


def is_refused(answered: Answer) -> bool:
    """With Discord's own shape of an error."""
    assert answered.status in (400, 403, 404), answered
    assert isinstance(answered.body["message"], str)
    if answered.code == 50035:
        assert list(leaves(answered.body["errors"])), answered
    return True


def leaves(tree: Json) -> list[Json]:
    found = list(tree.get("_errors", ()))
    for key, value in tree.items():
        if key != "_errors":
            found += leaves(value)
    assert all({"code", "message"} <= error.keys() for error in found)
    return found


@pytest.mark.parametrize("body", MESSAGES.values(), ids=MESSAGES)
async def test_a_message_that_discord_refuses(
    rest: RestClient, world: UserActions, body: Any
) -> None:
    assert is_refused(await rest.post(body))
    assert not world.messages("general")


TAKEN = {
    "everything null": {
        "content": "x", "embeds": None, "components": None, "allowed_mentions": None, "nonce": None,
        "message_reference": None, "attachments": None, "sticker_ids": None, "flags": None,
    },
    "content of 2000": {"content": "x" * 2000},
    "nonce: a number": plain(nonce=2**63 - 1),
    "an unknown member": plain(colour="red"),
    "embed of a picture": embed(image={"url": "https://a.example/x.png"}),
    "embed: a field of a zero-width space": embed(fields=[{"name": "\u200b", "value": "\u200b"}]),
    "embed: all limits": embed(title="x" * 256, description="y" * 4096, footer={"text": "z" * 9}),
    "mentions of nobody": mentions(parse=[]),
    "mentions listed": mentions(parse=["roles"], users=["1"]),
    "button of an emoji alone": rows(
        {"type": 2, "style": 1, "custom_id": "b", "emoji": {"id": None, "name": "⏹️"}}
    ),
    "5 rows": plain(components=[row(button(custom_id=str(n))) for n in range(5)]),
    "menu of 25": rows(menu(*(choice(str(n)) for n in range(25)), min_values=0, max_values=25)),
    "link": rows({"type": 2, "style": 5, "label": "b", "url": "https://a.example"}),
    "layout": layout(
        {"type": 17, "accent_color": None, "components": [section(), {"type": 14}, text("x", id=9)]}
    ),
    "poll": poll(duration=768, answers=[{"poll_media": {"text": "a", "emoji": {"name": "🎉"}}}]),
}  # fmt: skip


@pytest.mark.parametrize("body", TAKEN.values(), ids=TAKEN)
async def test_a_message_that_discord_takes(rest: RestClient, body: Any) -> None:
    answered = await rest.post(body)
    assert answered.status == 200, answered.body


async def test_errors_of_all_parts_are_told_at_once(rest: RestClient) -> None:
    refused = await rest.post({"content": "x" * 2001, **embed(title="t" * 257, color=-1)})
    codes = {error["code"] for error in leaves(refused.body["errors"])}
    assert codes == {"BASE_TYPE_MAX_LENGTH", "NUMBER_TYPE_MIN"}
    assert "color" in refused.body["errors"]["embeds"]["0"]


async def test_an_edit_is_held_to_the_same_rules(rest: RestClient, world: UserActions) -> None:
    message = (await rest.post({"content": "x"})).body["id"]
    path = f"/channels/{world.general['id']}/messages/{message}"
    refused: list[Any] = [
        {"content": ""},
        {"content": "x" * 2001},
        layout(text()),  # over content that stays
        rows({"type": 2, "style": 2, "custom_id": "b"}),
        {"embeds": [{}]},
        [],
    ]
    for body in refused:
        assert is_refused(await rest("PATCH", path, body))
    assert world.messages("general")[0].data["content"] == "x"
    assert (await rest("PATCH", path, {**layout(text()), "content": None})).status == 200


# --- interactions -----------------------------------------------------------------------------


def field(**fields: Any) -> Json:
    return {"type": 4, "custom_id": "t", "style": 1, **fields}


def label(component: Json | None = None, **fields: Any) -> Json:
    return {"type": 18, "label": "L", "component": component or field(), **fields}


def modal(*parts: Json, **fields: Any) -> Json:
    return {
        "type": 9,
        "data": {"custom_id": "m", "title": "T", "components": list(parts), **fields},
    }


CALLBACKS = {
    "title of 46": modal(label(), title="x" * 46),
    "empty title": modal(label(), title=""),
    "no components": modal(),
    "6 components": modal(*(label(field(custom_id=f"t{n}")) for n in range(6))),
    "label of 46": modal(label(label="x" * 46)),
    "label without a component": modal({"type": 18, "label": "L"}),
    "label description of 101": modal(label(description="x" * 101)),
    "custom_id of 101": modal(label(), custom_id="x" * 101),
    "no custom_id": {"type": 9, "data": {"title": "T", "components": [label()]}},
    "no data": {"type": 9},
    "value of 4001": modal(label(field(value="x" * 4001))),
    "value longer than max_length": modal(label(field(value="x" * 30, max_length=20))),
    "value shorter than min_length": modal(label(field(value="x", min_length=2))),
    "min_length over max_length": modal(label(field(min_length=9, max_length=2))),
    "placeholder of 101": modal(label(field(placeholder="x" * 101))),
    "max_length of 5000": modal(label(field(max_length=5000))),
    "style 3": modal(label(field(style=3))),
    "label on a text input in a label": modal(label(field(label="again"))),
    "row without a label": modal(row(field())),
    "row of two": modal(row(field(label="a"), field(label="b", custom_id="u"))),
    "the same custom_id twice": modal(label(), label()),
    "a button": modal(row(button())),
    "a button in a label": modal(label(button())),
    "disabled menu": modal(label(menu(disabled=True))),
    "menu that needs nothing": modal(label(menu(min_values=0))),
    "files: 11": modal(label({"type": 19, "custom_id": "f", "max_values": 11})),
    "files: min over max": modal(label({"type": 19, "custom_id": "f", "min_values": 2})),
    "radio group of one": modal(label({"type": 21, "custom_id": "r", "options": [choice()]})),
    "radio group with two defaults": modal(
        label(
            {
                "type": 21,
                "custom_id": "r",
                "options": [choice("a", default=True), choice("b", default=True)],
            }
        )
    ),
    "checkbox group of 11": modal(
        label({"type": 22, "custom_id": "c", "options": [choice(str(n)) for n in range(11)]})
    ),
    "container": modal({"type": 17, "components": [text()]}),
    "update of a command": {"type": 7, "data": {"content": "x"}},
    "deferred update of a command": {"type": 6},
    "choices for a command": {"type": 8, "data": {"choices": []}},
    "pong": {"type": 1},
    "unknown type": {"type": 3},
    "type as a text": {"type": "4", "data": {"content": "x"}},
    "type: true": {"type": True, "data": {"content": "x"}},
    "no type": {},
    "a list": [],
    "message of nothing": {"type": 4},
    "message over the limit": {"type": 4, "data": {"content": "x" * 2001}},
    "message: data is a text": {"type": 4, "data": "x"},
    "deferral: flags as a text": {"type": 5, "data": {"flags": "64"}},
}


@pytest.mark.parametrize("body", CALLBACKS.values(), ids=CALLBACKS)
async def test_a_response_that_discord_refuses(
    rest: RestClient, world: UserActions, body: Any
) -> None:
    await rest("PUT", commands_path(world), [{"name": "ping", "description": "x"}])
    asked = await world.slash("ada", "general", "ping")
    path = f"/interactions/{asked.id}/{asked.token}/callback"
    assert is_refused(await rest("POST", path, body))
    assert (await rest("POST", path, {"type": 4, "data": {"content": "pong"}})).status == 204


FORMS = {
    "row": modal(row(field(label="L"))),
    "texts and fields": modal(text(), label(), label(menu(required=False, min_values=0))),
    "files": modal(label({"type": 19, "custom_id": "f", "min_values": 0, "required": False})),
    "boxes": modal(
        label({"type": 21, "custom_id": "r", "options": [choice("a"), choice("b")]}),
        label({"type": 22, "custom_id": "c", "options": [choice("a"), choice("b")]}),
        label({"type": 23, "custom_id": "x", "default": True}),
    ),
}


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
async def test_a_form_that_discord_takes(rest: RestClient, world: UserActions, body: Json) -> None:
    await rest("PUT", commands_path(world), [{"name": "ping", "description": "x"}])
    asked = await world.slash("ada", "general", "ping")
    path = f"/interactions/{asked.id}/{asked.token}/callback"
    assert (await rest("POST", path, body)).status == 204


async def test_choices_are_checked(rest: RestClient, world: UserActions) -> None:
    option = {"type": 3, "name": "o", "description": "d", "autocomplete": True}
    command = {"name": "ping", "description": "x", "options": [option]}
    assert (await rest("PUT", commands_path(world), [command])).status == 200
    for choices in (
        [{"name": "x" * 101, "value": "a"}],
        [{"name": "", "value": "a"}],
        [{"name": "a", "value": ""}],
        [{"name": "a"}],
        [{"name": "a", "value": True}],
        [{"name": "a", "value": "a", "name_localizations": {"xx": "a"}}],
        [{"name": str(n), "value": "a"} for n in range(26)],
        None,
        "a",
    ):
        asked = world.backend.interactions.open(4, world.user("ada")["id"], world.general, {})  # type: ignore[arg-type]
        path = f"/interactions/{asked.id}/{asked.token}/callback"
        assert is_refused(await rest("POST", path, {"type": 8, "data": {"choices": choices}}))
        assert is_refused(await rest("POST", path, {"type": 4, "data": {"content": "x"}}))
        good = {"type": 8, "data": {"choices": [{"name": "a", "value": 1.5}]}}
        assert (await rest("POST", path, good)).status == 204


# --- commands ---------------------------------------------------------------------------------


def commands_path(world: UserActions) -> str:
    return f"/applications/{world.state.bot['id']}/commands"


def option(**fields: Any) -> Json:
    return {"type": 3, "name": "o", "description": "d", **fields}


def command(*options: Json, **fields: Any) -> Json:
    return {"name": "p", "description": "x", "options": list(options), **fields}


def chosen(name: str, value: Any, **fields: Any) -> Json:
    return {"name": name, "value": value, **fields}


COMMANDS = {
    "a list of texts": "p",
    "upper case": command(name="Ping"),
    "upper case of another script": command(name="Ёлка"),
    "name of 33": command(name="p" * 33),
    "no name": {"description": "x"},
    "with a space": command(name="a b"),
    "with a dot": command(name="a.b"),
    "an emoji": command(name="🎉"),
    "description of 101": command(description="x" * 101),
    "no description": {"name": "p"},
    "26 options": command(*(option(name=f"o{n}") for n in range(26))),
    "option twice": command(option(), option()),
    "option without description": command({"type": 3, "name": "o"}),
    "option of upper case": command(option(name="O")),
    "option type 99": command(option(type=99)),
    "option type as a text": command(option(type="3")),
    "choices of a switch": command(option(type=5, choices=[{"name": "x"}])),
    "options of a text": command(option(options=[5])),
    "length of a number": command(option(type=4, min_length="a", max_length=1)),
    "value of a text": command(option(min_value=1)),
    "autocomplete of a person": command(option(type=6, autocomplete=True)),
    "choices of a subcommand": command(
        {"type": 1, "name": "s", "description": "d", "choices": [5]}
    ),
    "required after optional": command(option(), option(name="o2", required=True)),
    "localised name with a space": command(name_localizations={"de": "a b"}),
    "unknown language": command(name_localizations={"xx": "ab"}),
    "localised description of 101": command(description_localizations={"de": "x" * 101}),
    "localisations: a list": command(name_localizations=["de"]),
    "localised option names repeat": command(
        option(name_localizations={"de": "q"}), option(name="o2", name_localizations={"de": "q"})
    ),
    "localised name is another's": command(
        option(), option(name="b", name_localizations={"de": "o"})
    ),
    "choice of 101": command(option(choices=[chosen("x" * 101, "a")])),
    "choice value of 101": command(option(choices=[chosen("x", "a" * 101)])),
    "choice value of another type": command(option(choices=[chosen("x", 5)])),
    "choice of a number that is a text": command(option(type=4, choices=[chosen("x", "5")])),
    "choice of a large number": command(option(type=4, choices=[chosen("x", 2**53 + 1)])),
    "choices repeat": command(option(choices=[chosen("x", "a"), chosen("x", "b")])),
    "choice values repeat": command(option(choices=[chosen("x", "a"), chosen("y", "a")])),
    "26 choices": command(option(choices=[chosen(str(n), str(n)) for n in range(26)])),
    "autocomplete and choices": command(option(autocomplete=True, choices=[chosen("x", "a")])),
    "max_length 7000": command(option(max_length=7000)),
    "min_length over max_length": command(option(min_length=5, max_length=4)),
    "min_value over max_value": command(option(type=4, min_value=5, max_value=4)),
    "more than 8000": command(
        *(
            option(
                name=f"o{n}",
                choices=[chosen(f"{n}-{m}" + "x" * 80, "v" * 90 + str(m)) for m in range(25)],
            )
            for n in range(3)
        )
    ),
    "more than 8000 in one language": command(
        *(
            option(
                name=f"o{n}",
                choices=[
                    chosen(f"{n}-{m}", f"{m}", name_localizations={"ja": f"{m}" + "長" * 97})
                    for m in range(25)
                ],
            )
            for n in range(4)
        )
    ),
    "subcommand and option": command({"type": 1, "name": "s", "description": "d"}, option()),
    "group in a group": command(
        {
            "type": 2,
            "name": "g",
            "description": "d",
            "options": [{"type": 2, "name": "h", "description": "d", "options": []}],
        }
    ),
    "subcommand in a subcommand": command(
        {
            "type": 1,
            "name": "g",
            "description": "d",
            "options": [{"type": 1, "name": "h", "description": "d"}],
        }
    ),
    "menu with a description": {"name": "p", "type": 3, "description": "x"},
    "menu with options": {"name": "p", "type": 3, "options": [option()]},
    "menu without a name": {"name": "", "type": 3},
    "menu of 33": {"name": "p" * 33, "type": 2},
    "type 9": command(type=9),
    "contexts: 7": command(contexts=[7]),
    "contexts: twice": command(contexts=[0, 0]),
    "contexts: none": command(contexts=[]),
    "integration_types: 2": command(integration_types=[2]),
    "permissions: a word": command(default_member_permissions="manage"),
    "nsfw: a word": command(nsfw="no"),
}  # fmt: skip


@pytest.mark.parametrize("body", COMMANDS.values(), ids=COMMANDS)
async def test_a_command_that_discord_refuses(
    rest: RestClient, world: UserActions, body: Any
) -> None:
    path = commands_path(world)
    assert is_refused(await rest("PUT", path, [body]))
    assert is_refused(await rest("POST", path, body))
    assert (await rest("GET", path)).body == []


async def test_a_command_that_discord_takes(rest: RestClient, world: UserActions) -> None:
    bodies = [
        command(
            option(required=True, name_localizations={"de": "größe", "hi": "आकार", "th": "ขนาด"}),
            option(name="n", type=10, choices=[chosen("half", 0.5), chosen("two", 2)]),
            name="größe",
            name_localizations={"zh-CN": "大小", "ru": "размер"},
            default_member_permissions="32",
            contexts=[0, 1, 2],
            integration_types=[0, 1],
        ),
        {
            "name": "g",
            "description": "x",
            "options": [
                {
                    "type": 2,
                    "name": "h",
                    "description": "d",
                    "options": [
                        {"type": 1, "name": "s", "description": "d", "options": [option()]}
                    ],
                }
            ],
        },
        {"name": "Ask about this", "type": 3, "description": ""},
        {"name": "g", "type": 2, "default_member_permissions": 32},
    ]  # fmt: skip
    made = await rest("PUT", commands_path(world), bodies)
    assert made.status == 200, made.body
    assert [each["default_member_permissions"] for each in made.body] == ["32", None, None, "32"]
    path = f"{commands_path(world)}/{made.body[0]['id']}"
    assert (await rest("PATCH", path, {"description": "y"})).body["description"] == "y"
    assert is_refused(await rest("PATCH", path, {"name": "a b"}))


async def test_another_application_s_commands_are_not_ours(rest: RestClient) -> None:
    refused = await rest("PUT", "/applications/1/commands", [])
    assert (refused.status, refused.code) == (403, 20012)


# --- everything else --------------------------------------------------------------------------


async def test_requests_about_channels(rest: RestClient, world: UserActions) -> None:
    here = f"/channels/{world.general['id']}"
    message = (await rest.post({"content": "x"})).body["id"]
    start = f"{here}/messages/{message}/threads"
    for method, path, body in (
        ("POST", start, {"name": "   "}),
        ("POST", start, {"name": "x" * 101}),
        ("POST", start, {"name": 5}),
        ("POST", start, {}),
        ("POST", start, {"name": "x", "auto_archive_duration": 77}),
        ("POST", start, {"name": "x", "rate_limit_per_user": 21_601}),
        ("POST", f"{here}/threads", {"name": "x", "type": 0}),
        ("POST", f"{here}/messages/bulk-delete", {"messages": [message]}),
        ("POST", f"{here}/messages/bulk-delete", {"messages": [message, message]}),
        ("POST", f"{here}/messages/bulk-delete", {}),
        ("GET", f"{here}/messages?limit=500", None),
        ("GET", f"{here}/messages?limit=0", None),
        ("GET", f"{here}/messages?limit=many", None),
        ("GET", f"{here}/messages?before={message}&after={message}", None),
        ("GET", f"{here}/messages?around=now", None),
        ("GET", f"{here}/messages/x", None),
        ("GET", f"{here}/messages/{2**64}", None),
        ("GET", "/channels/general", None),
        ("GET", "/users/ada", None),
        ("GET", f"/guilds/{world.guild['id']}/members?limit=1001", None),
        ("POST", "/users/@me/channels", {}),
        ("POST", "/users/@me/channels", {"recipient_id": "ada"}),
        ("PUT", f"{here}/messages/{message}/reactions/nothing/@me", None),
        ("PUT", f"{here}/messages/{message}/reactions/name:123/@me", None),
    ):  # fmt: skip
        assert is_refused(await rest(method, path, body)), (method, path)
    assert not world.state.thread_members
    assert (
        await rest("POST", start, {"name": " talk ", "auto_archive_duration": 60})
    ).status == 201
    assert world.channel("talk")["thread_metadata"]["auto_archive_duration"] == 60


async def test_old_messages_are_not_deleted_together(rest: RestClient, world: UserActions) -> None:
    world.set_permissions("general", world.state.bot["id"], allow=1 << 13)  # type: ignore[arg-type]
    path = f"/channels/{world.general['id']}/messages/bulk-delete"
    ids = [(await rest.post({"content": "x"})).body["id"] for _ in range(2)]
    world.state.clock.advance(15 * 24 * 3600)
    assert (await rest("POST", path, {"messages": ids})).code == 50034
    ids = [(await rest.post({"content": "x"})).body["id"] for _ in range(2)]
    assert (await rest("POST", path, {"messages": [*ids, "1"]})).code == 50034
    assert (await rest("POST", path, {"messages": ids})).status == 204
    assert len(world.messages("general")) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        b'{"embeds":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"content": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"content": NaN}',
        b'{"flags": 1e999}',
        b'{"flags": ' + b"9" * 5_000 + b"}",
        b'{"content": "\xff"}',
        b"{",
        b'{"content": "\\ud800"}',
    ],
    ids=range(9),
)
async def test_a_body_that_is_no_sound_json(
    rest: RestClient, local_discord: LocalDiscord, world: UserActions, raw: bytes
) -> None:
    for path in (f"/channels/{world.general['id']}/messages", commands_path(world)):
        assert is_refused(await rest.raw("POST", path, raw, "application/json"))
    form = (
        b'--b\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n'
        + raw
        + b"\r\n--b--\r\n"
    )
    path = f"/channels/{world.general['id']}/messages"
    assert is_refused(await rest.raw("POST", path, form, "multipart/form-data; boundary=b"))
    broken = form.replace(b"--b--", b"")
    assert is_refused(await rest.raw("POST", path, broken, "multipart/form-data; boundary=c"))


def test_emoji() -> None:
    for text in ("⏹️", "👍🏽", "🇩🇪", "1️⃣", "👩‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️‍🔥", "🏳️‍🌈", "ℹ️", "✅", "↩️"):
        assert is_emoji(text), text
    for text in ("", "a", ":x:", "★", "👍👍", "1", "\u200d", "\ufe0f", "👍 ", "notanemoji"):
        assert not is_emoji(text), text


def test_components_are_numbered_and_completed() -> None:
    kept = complete_components(
        [row(button(id=2, emoji={"id": None, "name": "⏹️"}), button()), section()]
    )
    ids = [kept[0]["id"], *(part["id"] for part in kept[0]["components"]), kept[1]["id"]]
    assert ids == [1, 2, 3, 4]
    assert kept[0]["components"][0]["emoji"] == {"name": "⏹️"}
    assert kept[1]["accessory"]["disabled"] is False
    assert kept[1]["components"][0]["id"] == 5
