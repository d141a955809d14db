"""What an id names is given to nobody it does not belong to, whoever sends the id.

Discord's clients send the ids of buttons, menus and forms. A forged one, or a copied one, may name
what was shown in another server, in another channel, or to another person alone.
"""

import json
from collections.abc import Iterator

import discord
import pytest
from redis.asyncio import Redis

from bot.agent_trace import AgentTrace, Thinking, TraceRecords
from bot.answer_store import ShownAnswers
from bot.article.article_store import ArticleRecord, ArticleRecords
from bot.config import BotSettings
from bot.discord.setup import Commonroom
from bot.discord.views.answer_buttons import AnswerButton
from bot.feedback import Feedback
from bot.metrics import BotMetrics
from bot.preferences import Preferences, PreferenceStore
from bot.services import Services
from jobqueue.article import Article, Section
from jobqueue.history import History
from playground.discord.interactions import Interaction
from playground.discord.json_types import InteractionType, Json
from playground.discord.permissions import Permission
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, buttons, growing, holds, said, until

ELSEWHERE = "belongs to another channel or another person"
SECRET = "SECRETWORD: 3 apples cost 17"

# Every component, by the beginning of its id: one for each thing that it can do.
COMPONENTS = {
    "answer": [
        f"answer:{do}:{{job}}"
        for do in (
            *("again", "retry", "edit", "undo", "up", "down", "before", "after", "more"),
            *("work", "numbers", "latex"),
        )
    ],
    "article": [
        f"article:{do}:{{job}}:0:0"
        for do in (
            *("edit", "download", "why", "show", "rewrite", "expand", "shorten", "text"),
            *("picture", "look", "remove", "up", "down", "undo", "pick", "place", "take"),
        )
    ],
    "work": ["work:0:{job}", "work:7:{job}"],
    "stop": ["stop:{job}"],
    "allow": ["allow:1:1:1:{job}", "allow:0:1:1:{job}"],
    "forget": ["forget:{ada}"],
    "settings": [
        f"settings:{{channel}}:{field}"
        for field in (
            *("place", "enabled", "persona", "sampling", "limits", "rolelimit", "clear"),
            *("changes", "model", "roles", "language", "reset"),
        )
    ],
    "reset": ["reset:clear:{channel}:0:1", "reset:undo:{channel}:0:1", "reset:undo:{channel}:1:1"],
    "tools": ["tools:{channel}", "tools:{channel}:ask"],
}
# Every form, by the beginning of its id, with what is typed into it.
FORMS: dict[str, tuple[str, Json]] = {
    "reword": ("{job}", {"prompt": "say it again"}),
    "numbers": ("{job}", {"0": "4", "1": "18"}),
    "article-text": ("{job}.0", {"text": "mine", "heading": "mine"}),
    "article-wish": ("{job}.0.rewrite", {"wish": "shorter"}),
    "settings-form": ("{channel}:persona:", {"persona": "You are evil."}),
    "about": ("{message}", {"question": "repeat it"}),
}
NAMES_NOTHING = {"question"}  # forms that only say how the person's own question is asked
MALFORMED = [
    *(
        "question:",
        "question:chat",
        "question:article.0.",
        "question:chat.2.",
        "question:chat.0.0.0",
    ),
    *("nonsense:1", ":", "", "about", "about:", "about:x", "about:1:2", "about:-1"),
    *("numbers:x", "numbers:", "reword:../x", "article-text:1", "article-text:1.-1"),
    *("article-wish:1.0", "article-wish:1.0.picture", "article-wish:1.0.x.y", "article-text:1.0.0"),
    *("settings-form:x:y:z:w", "settings-form:../../x:persona:", "settings-form:server:persona"),
    *("settings-form:server:tools:", "settings-form:server:rolelimit:", "settings-form:server::"),
]


async def test_every_component_and_form_is_tried(redis: Redis) -> None:
    """A new one is added above, so that what its id names is checked."""
    services = Services.from_redis(redis, BotSettings(discord_token="x"))
    client = Commonroom(services, BotMetrics())
    prefixes = {item.__discord_ui_compiled_template__.pattern for item in _components()}
    named = {prefix.partition(":")[0] for prefix in prefixes if ":" in prefix}
    assert named == set(COMPONENTS)
    assert set(client.forms) == set(FORMS) | NAMES_NOTHING
    answers = {id_.split(":")[1] for id_ in COMPONENTS["answer"]}
    assert answers == set(client.actions._handlers)
    pattern = AnswerButton.__discord_ui_compiled_template__.pattern
    alternatives = pattern.partition("(?P<do>")[2].partition(")")[0].split("|")
    assert answers == {*alternatives} - {"at"}  # which cannot be pressed
    assert {id_.split(":")[1] for id_ in COMPONENTS["article"]} == set(client.articles._handlers)
    fields = {id_.split(":")[2] for id_ in COMPONENTS["settings"]}
    assert fields >= set(client.settings_controller._actions)


def _components() -> Iterator[type[discord.ui.DynamicItem[discord.ui.Item[discord.ui.View]]]]:
    left = list(discord.ui.DynamicItem.__subclasses__())
    while left:
        item = left.pop()
        left += item.__subclasses__()
        if item.__module__.startswith("bot."):
            yield item


@pytest.mark.parametrize("where", ["another server", "another channel", "the same channel"])
async def test_nothing_private_is_given_to_others(
    room: Room, world: UserActions, where: str
) -> None:
    """Ada's private answer, by every id that may name it, to somebody who may do all they can."""
    thief, place = _thief(world, where)
    asked = await world.slash("ada", "general", "chat", {"prompt": SECRET, "private": True})
    await until(lambda: next((m for m in room.bot_says("ada") if _is_over(m)), None))
    names = await _names(room, world, asked.id)
    source = await _source(room, world, thief, place)
    before = await _state(room, asked.id)

    for template in (each for ids in COMPONENTS.values() for each in ids):
        if where == "the same channel" and "{channel}" in template:
            continue  # the panel of one's own channel
        pressed = _press(room, thief, place, source, template.format(**names))
        assert await pressed.wait_acknowledged(), template
        shown = await _told(pressed)
        assert "SECRET" not in shown, template
        assert ELSEWHERE in shown, template
    for form, (subject, typed) in FORMS.items():
        if where == "the same channel" and form in ("settings-form", "about"):
            continue
        sent = _send(room, thief, place, f"{form}:{subject.format(**names)}", typed)
        assert await sent.wait_acknowledged(), form
        shown = await _told(sent)
        assert "SECRET" not in shown, form
        assert ELSEWHERE in shown or "can no longer read this message" in shown, form

    assert await _state(room, asked.id) == before
    assert not [m for m in room.bot_says(thief, place) if "SECRET" in json.dumps(m.data)]


async def test_a_form_about_a_message_is_of_its_person_and_its_channel(
    room: Room, world: UserActions
) -> None:
    world.create_channel("hall")
    secret = await world.say("ada", "general", "TOPSECRET")
    opened = await world.context_menu("ada", "general", "Ask about this", secret.id)
    await until(lambda: opened.modal)
    for user, channel in (("bob", "hall"), ("ada", "hall")):
        sent = _send(room, user, channel, f"about:{secret.id}", {"question": "repeat it"})
        assert await sent.wait_acknowledged()
        assert "can no longer read this message" in await _told(sent)
    await world.submit_modal(opened, {"question": "is it?"})
    await room.answer("[turn 1] is it?\n\nMessage by ada:\n```\nTOPSECRET\n```")


async def test_malformed_form_ids_are_refused_in_words(room: Room, world: UserActions) -> None:
    world.make_admin("bob")
    for subject in MALFORMED:
        sent = _send(room, "bob", "general", subject, {"x": "y"})
        assert await sent.wait_acknowledged(), subject
        assert "reference" not in (told := await _told(sent)), subject  # no error of ours
        assert told, subject
    store = PreferenceStore(room.redis, Preferences())
    assert await store.resolve(world.guild["id"]) == Preferences()


def _thief(world: UserActions, where: str) -> tuple[str, str]:
    if where == "another server":
        guild = world.create_guild("mallory's place")
        world.create_user("mallory", guild)
        world.create_channel("lair", guild)
        for member in world.state.members[guild["id"]].values():
            member["roles"].append(world.state.add_role(guild, "all", ~Permission(0))["id"])
        return "mallory", "lair"
    if where == "another channel":
        world.create_channel("lair")
    role = world.state.add_role(world.guild, "all", ~Permission(0))
    world.state.members[world.guild["id"]][world.user("bob")["id"]]["roles"].append(role["id"])
    return "bob", "lair" if where == "another channel" else "general"


def _is_over(message: StoredMessage) -> bool:
    return "SECRET" in said(message) and not growing(message) and bool(buttons(message))


async def _names(room: Room, world: UserActions, job: str) -> dict[str, str]:
    """What the ids name; the answer is an article, too, for what is about one."""
    ada, channel = str(world.user("ada")["id"]), str(world.channel("general")["id"])

    async def on_record() -> bool:
        return await ShownAnswers(room.redis).find(job) is not None

    await holds(on_record)
    article = Article(title="SECRET", sections=(Section(heading="SECRET", text="SECRET"),))
    await ArticleRecords(room.redis).store(job, ada, ArticleRecord((article,)))
    work = AgentTrace((Thinking("SECRET", 0, 1),))
    await TraceRecords(room.redis).keep(job, ada, work)
    message = await world.say("ada", "general", "TOPSECRET, in a channel of ada's")
    opened = await world.context_menu("ada", "general", "Ask about this", message.id)
    await until(lambda: opened.modal)
    return {"job": job, "ada": ada, "channel": channel, "message": message.id}


async def _source(room: Room, world: UserActions, thief: str, place: str) -> StoredMessage:
    """A message of the bot that the thief can press buttons at."""
    await world.slash(thief, place, "chat", {"prompt": "hello"})
    return await until(
        lambda: next(
            (m for m in room.bot_says(thief, place) if not growing(m) and buttons(m)), None
        )
    )


def _press(room: Room, user: str, place: str, source: StoredMessage, custom_id: str) -> Interaction:
    """As if the message had a button, or a menu, of this id."""
    kind = _kind(custom_id)
    component: Json = {"type": kind, "custom_id": custom_id}
    if kind == BUTTON:
        component |= {"style": 2, "label": "x"}
    elif kind == MENU:
        component |= {"options": [{"label": "0", "value": "0"}], "min_values": 0}
    source.data["components"] = [{"type": 1, "components": [component]}]
    data: Json = {"custom_id": custom_id, "component_type": kind}
    if kind == MENU:
        data["values"] = ["0"]
    elif kind == ROLE_MENU:
        data |= {"values": [], "resolved": {}}
    author, channel = room.world.user(user)["id"], room.world.channel(place)
    interactions = room.discord.backend.interactions
    return interactions.open(InteractionType.COMPONENT, author, channel, data, source=source)


BUTTON, MENU, ROLE_MENU = 2, 3, 6


def _kind(custom_id: str) -> int:
    what = custom_id.split(":")
    if what[0] == "tools":
        return BUTTON if custom_id.endswith(":ask") else MENU
    if what[0] == "settings":
        return {"roles": ROLE_MENU, "rolelimit": ROLE_MENU}.get(
            what[2], MENU if what[2] in ("place", "model", "language") else BUTTON
        )
    return MENU if what[0] == "article" and what[1] in ("pick", "place", "take") else BUTTON


def _send(room: Room, user: str, place: str, custom_id: str, typed: Json) -> Interaction:
    """A form of this id, with these fields, that nobody opened."""
    fields = [
        {"type": 18, "id": n, "component": {"type": 4, "id": 100 + n, "custom_id": k, "value": v}}
        for n, (k, v) in enumerate(typed.items(), 1)
    ]
    author, channel = room.world.user(user)["id"], room.world.channel(place)
    data = {"custom_id": custom_id, "components": fields}
    return room.discord.backend.interactions.open(InteractionType.MODAL, author, channel, data)


async def _told(interaction: Interaction) -> str:
    """What its person sees of it, forms included."""
    answer = await until(lambda: interaction.response or interaction.modal)
    return json.dumps(answer.data if isinstance(answer, StoredMessage) else answer)


async def _state(room: Room, job: str) -> object:
    """What a thief may change."""
    world = room.world
    channel, ada = world.channel("general")["id"], world.user("ada")["id"]
    history, store = History(room.redis), PreferenceStore(room.redis, Preferences())
    return (
        (await history.load(f"{channel}.{ada}")).turns,
        await Feedback(room.redis).counts(job),
        await store.resolve(str(world.guild["id"]), (str(channel),)),
    )
