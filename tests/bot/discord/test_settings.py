"""Admins set places up, and people see and take back what is kept of them."""

import json

import aiohttp
import pytest

from bot.answer_store import ShownAnswers
from bot.feedback import Feedback
from bot.preferences import SERVER, Preferences, PreferenceStore, RoleRate
from bot.user_records import RecentQuestions
from jobqueue.history import History
from jobqueue.job_records import JobRecords
from jobqueue.queue import JobQueue
from jobqueue.schema import Summary
from playground.discord.components import walk
from playground.discord.fault_injection import Fault
from playground.discord.interactions import Interaction
from playground.discord.json_types import File, Json
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, growing, holds, until


@pytest.fixture
def admin(world: UserActions) -> str:
    """Ada may manage the server; Bob may not."""
    world.make_admin("ada")
    return "ada"


@pytest.fixture
def store(room: Room) -> PreferenceStore:
    return PreferenceStore(room.redis, Preferences())


def _texts(message: StoredMessage) -> str:
    parts = [c.get("content", "") for c in walk(message.data["components"])]
    return "\n".join([message.data["content"], *parts])


def _files(message: StoredMessage) -> list[Json]:
    files: list[Json] = message.data["attachments"]
    return files


async def _fetched(message: StoredMessage) -> bytes:
    [file] = _files(message)
    async with aiohttp.ClientSession() as session, session.get(file["url"]) as response:
        return await response.read()


async def _panel(room: Room, part: str, viewer: str = "ada") -> StoredMessage:
    return await until(lambda: next((m for m in room.bot_says(viewer) if part in _texts(m)), None))


async def _fill(world: UserActions, opened: Interaction, values: Json) -> None:
    await until(lambda: opened.modal)
    await world.submit_modal(opened, values)


async def _ask(room: Room, user: str, prompt: str) -> None:
    await room.world.slash(user, "general", "chat", {"prompt": prompt})


async def _said(room: Room, text: str, viewer: str = "ada") -> StoredMessage:
    """The bot's message with this in it, once it is complete."""

    def look() -> StoredMessage | None:
        said = [m for m in room.bot_says(viewer) if text in m.data["content"]]
        return next((message for message in said if not growing(message)), None)

    return await until(look)


# --- the panel ----------------------------------------------------------------------------------


async def test_an_admin_sets_a_channel_up(
    room: Room, world: UserActions, admin: str, store: PreferenceStore
) -> None:
    await world.slash(admin, "general", "settings")
    page = await _panel(room, "## Settings")
    channel = world.channel("general")["id"]
    place = f"settings:{channel}"
    opened = await world.click(admin, "general", page.id, f"{place}:persona")
    await _fill(world, opened, {"persona": "A pirate."})
    await _panel(room, "A pirate.")
    opened = await world.click(admin, "general", page.id, f"{place}:sampling")
    await _fill(world, opened, {"temperature": "0,5", "top_p": "0.9", "max_tokens": "64"})
    await _panel(room, "temperature 0.5 · top-p 0.9 · up to 64 tokens")
    await world.click(admin, "general", page.id, f"{place}:language", ["zh-CN"])
    await _panel(room, "简体中文")
    guild = world.guild["id"]
    assert await store.get_explicit(guild, channel) == Preferences(
        persona="A pirate.", temperature=0.5, top_p=0.9, max_tokens=64, language="zh-CN"
    )
    asked = await world.slash("bob", "general", "chat", {"prompt": "hello"})
    await _said(room, "[turn 1] hello")
    job = (await JobQueue(room.redis).get_status(asked.id)).job
    assert job.system == "A pirate."
    assert (job.sampling.temperature, job.sampling.top_p, job.sampling.max_tokens) == (0.5, 0.9, 64)
    assert job.locale == "zh-CN"


async def test_admins_see_who_changed_what(room: Room, world: UserActions, admin: str) -> None:
    await world.slash(admin, "general", "persona", {"persona": "A @everyone pirate."})
    await room.notice("The persona is set", viewer=admin)
    await world.slash(admin, "general", "settings")
    ada, channel = world.user("ada")["id"], world.channel("general")["id"]
    page = await _panel(room, f"by <@{ada}>")
    assert "pirate" in _texts(page)
    await world.click(admin, "general", page.id, f"settings:{channel}:changes")
    log = await until(lambda: next(filter(_files, room.bot_says(admin)), None))
    assert (
        f"<@{ada}> <#{channel}>: **Persona**: default → A @everyone pirate." in log.data["content"]
    )
    assert (log.data["mentions"], log.data["mention_everyone"]) == ([], False)
    change = json.loads(await _fetched(log))
    assert (change["user"], change["after"]) == (ada, {"persona": "A @everyone pirate."})


async def test_the_server_and_the_channel_are_two_places(
    room: Room, world: UserActions, admin: str, store: PreferenceStore
) -> None:
    await world.slash(admin, "general", "settings", locale="zh-CN")
    page = await _panel(room, "## 设置")
    channel, guild = world.channel("general")["id"], world.guild["id"]
    chosen = f"settings:{channel}:place"
    await world.click(admin, "general", page.id, chosen, [SERVER], locale="zh-CN")
    await _panel(room, "整个服务器")
    await world.click(admin, "general", page.id, "settings:server:enabled", locale="zh-CN")
    await _panel(room, "关闭")
    assert await store.get_explicit(guild, SERVER) == Preferences(enabled=False)
    await world.click(admin, "general", page.id, "settings:server:clear", locale="zh-CN")
    await _panel(room, "开启")


async def test_a_role_has_limits_of_its_own(
    room: Room, world: UserActions, admin: str, store: PreferenceStore
) -> None:
    role = world.state.add_role(world.guild, "patrons")["id"]
    await world.slash(admin, "general", "settings")
    page = await _panel(room, "## Settings")
    channel, guild = world.channel("general")["id"], world.guild["id"]
    field = f"settings:{channel}:rolelimit"
    opened = await world.click(admin, "general", page.id, field, [role])
    await _fill(world, opened, {"per_minute": "9"})
    await _panel(room, f"<@&{role}> 9 a minute")
    assert await store.get_explicit(guild, channel) == Preferences(role_rates=(RoleRate(role, 9),))
    opened = await world.click(admin, "general", page.id, field, [role])
    await _fill(world, opened, {"per_minute": ""})
    await until(lambda: f"<@&{role}>" not in _texts(page))
    store.refresh(guild)
    assert await store.get_explicit(guild, channel) == Preferences()


async def test_the_panel_outlives_the_process(
    silent_room: Room, world: UserActions, admin: str
) -> None:
    async with silent_room.bot():
        await world.slash(admin, "general", "settings")
        page = await _panel(silent_room, "**Answers**　on")
    async with silent_room.bot():
        channel = world.channel("general")["id"]
        await world.click(admin, "general", page.id, f"settings:{channel}:enabled")
        await _panel(silent_room, "**Answers**　off")


async def test_a_panel_that_discord_refuses_becomes_plain_text(
    room: Room, world: UserActions, admin: str
) -> None:
    room.discord.backend.faults.add(
        Fault("status", "POST /interactions/*", 1, status=400, retry_after=0)
    )
    await world.slash(admin, "general", "settings")
    await room.notice("**Persona**")


@pytest.mark.parametrize(
    "wrong",
    [
        ("sampling", {"temperature": "hot"}, "Temperature is a number"),
        ("sampling", {"top_p": "1.5"}, "Temperature is a number"),
        ("sampling", {"max_tokens": "1.5"}, "Temperature is a number"),
        ("sampling", {"temperature": "nan"}, "Temperature is a number"),
        ("limits", {"per_minute": "0"}, "Limits are whole numbers"),
    ],
)
async def test_what_is_out_of_bounds_is_told_and_changes_nothing(
    room: Room,
    admin: str,
    store: PreferenceStore,
    wrong: tuple[str, dict[str, str], str],
) -> None:
    world, (field, values, told) = room.world, wrong
    await world.slash(admin, "general", "settings")
    page = await _panel(room, "## Settings")
    channel = world.channel("general")["id"]
    opened = await world.click(admin, "general", page.id, f"settings:{channel}:{field}")
    await _fill(world, opened, values)
    await room.notice(told)
    assert await store.get_explicit(world.guild["id"], channel) == Preferences()


async def test_only_admins_may_change_anything(room: Room, world: UserActions, admin: str) -> None:
    await world.slash("bob", "general", "settings")
    await room.notice("Only people who may manage this server", viewer="bob")
    await world.slash("bob", "general", "persona", {"persona": "A thief."}, locale="zh-CN")
    await room.notice("只有可以管理本频道或本服务器的人", viewer="bob")


async def test_a_channel_is_switched_off(
    room: Room, world: UserActions, admin: str, store: PreferenceStore
) -> None:
    await store.change(world.guild["id"], world.channel("general")["id"], enabled=False)
    await _ask(room, "bob", "hello")
    await room.notice("switched off", viewer="bob")
    dm = world.open_dm("bob")["id"]
    await world.say("bob", dm, "psst")
    await until(lambda: [m for m in room.bot_says(channel=dm, viewer="bob") if m.data["content"]])


async def test_only_some_roles_may_ask(
    room: Room, world: UserActions, admin: str, store: PreferenceStore
) -> None:
    guild = world.guild["id"]
    [role] = [r["id"] for r in world.guild["roles"] if r["name"] == "admins"]
    await store.change(guild, SERVER, roles=(role,))
    await _ask(room, "bob", "hello")
    await room.notice("only some roles", viewer="bob")
    await _ask(room, "ada", "hello")
    await _said(room, "[turn 1] hello")


async def test_whoever_asks_too_often_is_told_when_to_go_on(
    room: Room, world: UserActions, admin: str, store: PreferenceStore
) -> None:
    await store.change(world.guild["id"], SERVER, per_minute=1)
    await _ask(room, "bob", "one")
    await _said(room, "[turn 1] one")
    await _ask(room, "bob", "two")
    await room.notice("one question a minute", viewer="bob")
    assert not [m for m in room.bot_says("ada") if m.data["embeds"]]
    await _ask(room, "ada", "three")
    await _said(room, "[turn 2] three")


async def test_files_and_tokens_of_a_day_are_limited_and_told_apart(
    room: Room, world: UserActions, admin: str, store: PreferenceStore
) -> None:
    await store.change(world.guild["id"], SERVER, megabytes_per_day=1, tokens_per_day=1)
    files = [File(f"{n}.txt", b"x" * 700_000) for n in range(2)]
    large = File("large.txt", b"x" * 1_400_000)
    await world.slash("bob", "general", "chat", {"prompt": "with a file"}, [large])
    await room.notice("exceed the limit of 1 MB in a day", viewer="bob")
    for file in files:  # one question, of two messages
        await world.say("bob", "general", "@commonroom with a file", [file])
    await until(lambda: len([m for m in room.bot_says("bob") if m.data["embeds"]]) == 2)
    await _ask(room, "bob", "without")
    await _said(room, "[turn 1] without")
    await _ask(room, "bob", "once more")
    await room.notice("used 1 tokens in a day", viewer="bob")
    await _ask(room, "ada", "hello")
    await _said(room, "[turn 2] hello")


# --- persona and model --------------------------------------------------------------------------


async def test_a_persona_is_shown_set_and_taken_back(
    room: Room, world: UserActions, admin: str
) -> None:
    await world.slash("bob", "general", "persona")
    await room.notice("No persona", viewer="bob")
    await world.slash(admin, "general", "persona", {"persona": "A *pirate*."})
    await room.notice("The persona is set")
    await world.slash("bob", "general", "persona")
    await room.notice("A \\*pirate\\*.", viewer="bob")
    await world.slash(admin, "general", "persona", {"persona": "-"})
    await room.notice("was removed")


async def test_in_a_direct_message_everybody_has_their_own_persona(
    room: Room, world: UserActions
) -> None:
    dm = world.open_dm("bob")["id"]
    room.channel = dm
    await world.slash("bob", dm, "persona", {"persona": "A poet."})
    await room.notice("The persona is set", viewer="bob")


async def test_a_model_is_chosen_among_those_that_run(
    room: Room, world: UserActions, admin: str
) -> None:
    [choice] = await world.autocomplete(admin, "general", "model", "model", {"model": ""})
    await world.slash(admin, "general", "model", {"model": "gpt-9"})
    await room.notice("No running model is called gpt-9")
    await world.slash(admin, "general", "model", {"model": choice["value"]})
    await room.notice("answers this channel")
    asked = await world.slash("bob", "general", "chat", {"prompt": "hello"})
    await _said(room, "[turn 1] hello")
    assert (
        await JobQueue(room.redis).get_status(asked.id)
    ).job.capability == f"chat@{choice['value']}"


# --- what is kept -------------------------------------------------------------------------------


async def test_history_shows_what_is_remembered(room: Room, world: UserActions) -> None:
    await world.slash("ada", "general", "history")
    await _panel(room, "I remember nothing yet")
    await _ask(room, "ada", "**hello**")
    channel = world.channel("general")["id"]
    await holds(lambda: History(room.redis).get_head(channel))
    await world.slash("ada", "general", "history")
    shown = _texts(await _panel(room, "One turn"))
    assert "▰▱" in shown
    assert "> **ada**　\\*\\*hello\\*\\*" in shown
    assert not any("One turn" in _texts(message) for message in room.bot_says("bob"))


async def test_history_shows_the_summary_of_older_turns(room: Room, world: UserActions) -> None:
    await _ask(room, "ada", "hello")
    channel, history = world.channel("general")["id"], History(room.redis)
    await holds(lambda: history.get_head(channel))
    turns = (await history.load_since_summary(channel)).turns
    summary = Summary(turn=turns[-1].job, text="**Ada** greets.\nAll are well.", turns=1, tokens=9)
    assert await history.store_summary(channel, summary, turns, None)
    await world.slash("ada", "general", "history")
    shown = _texts(await _panel(room, "Summary of"))
    assert "> \\*\\*Ada\\*\\* greets.\n> All are well." in shown


async def test_export_is_all_of_mine_and_nothing_of_others(room: Room, world: UserActions) -> None:
    await _ask(room, "ada", "mine")
    await _said(room, "[turn 1] mine")
    await _ask(room, "bob", "yours")
    await _said(room, "[turn 2] yours")
    await holds(lambda: RecentQuestions(room.redis).list_of(world.user("ada")["id"]))
    await world.slash("ada", "general", "export")
    message = await until(lambda: next(filter(_files, room.bot_says()), None))
    kept = json.loads(await _fetched(message))
    [turns] = kept["conversations"].values()
    assert [turn["prompt"] for turn in turns] == ["mine"]
    assert kept["recent_questions"] == ["mine"]
    assert [record["prompt"] for record in kept["records"]] == ["mine"]
    assert "reply" not in kept["records"][0]
    assert message.visible_to == world.user("ada")["id"]


async def test_what_reads_everything_is_done_once_in_a_while(
    room: Room, world: UserActions
) -> None:
    await world.slash("ada", "general", "export")
    await until(lambda: next(filter(_files, room.bot_says()), None))
    await world.slash("ada", "general", "export")
    await room.notice("You did that a moment ago")
    assert len([m for m in room.bot_says() if _files(m)]) == 1
    await world.slash("bob", "general", "export")
    await until(lambda: next(filter(_files, room.bot_says("bob")), None))


async def test_forgetting_asks_first_and_then_removes_everything(
    room: Room, world: UserActions
) -> None:
    history, me = History(room.redis), world.user("ada")["id"]
    await _ask(room, "ada", "mine")
    answer = await _said(room, "[turn 1] mine")
    shown, feedback = ShownAnswers(room.redis), Feedback(room.redis)
    await holds(lambda: shown.find(answer.id))
    await holds(lambda: _delivered(room))
    await holds(lambda: RecentQuestions(room.redis).list_of(me))
    await feedback.vote("job", "channel", me, "up", press="1")
    await world.slash("ada", "general", "forget")
    asking = await _panel(room, "cannot undo")
    assert await history.export(me)
    await world.click("ada", "general", asking.id, "Forget everything")
    await _panel(room, "I forgot one turn")
    assert await history.export(me) == {}
    assert await RecentQuestions(room.redis).list_of(me) == []
    assert await JobRecords(JobQueue(room.redis)).list_for(me) == []
    assert await feedback.list_of(me) == []
    assert await shown.find(answer.id) is None


async def _delivered(room: Room) -> bool:
    return not await JobQueue(room.redis).list_undelivered("bot-0")


async def test_status_tells_of_workers_in_both_languages(room: Room, world: UserActions) -> None:
    await world.slash("ada", "general", "status")
    assert "slots in use" in _texts(await _panel(room, "## Status"))
    await world.slash("ada", "general", "status", locale="zh-CN")
    assert "就绪" in _texts(await _panel(room, "## 状态"))
