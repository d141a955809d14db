"""The buttons under a finished answer, and what pressing them does to the conversation."""

import asyncio

import pytest

from bot.feedback import Feedback
from bot.preferences import SERVER, Preferences, PreferenceStore
from jobqueue.history import History
from jobqueue.queue import JobQueue
from playground.discord.json_types import File
from playground.discord.permissions import Permission
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, buttons, holds, said, scripted, until

LONG = "!tokens 3000 !delay 20ms"


def labels(message: StoredMessage) -> list[str]:
    return [b.get("label") or b["emoji"]["name"] for b in buttons(message)]


async def ask(room: Room, prompt: str, turn: int = 1, user: str = "ada") -> StoredMessage:
    await room.world.slash(user, "general", "chat", {"prompt": prompt})
    return await pressable(room, scripted(prompt, turn))


async def pressable(room: Room, text: str, count: int = 5) -> StoredMessage:
    """The message that says `text` and has at least so many buttons."""
    return await until(
        lambda: next(
            (m for m in room.bot_says() if said(m) == text and len(buttons(m)) >= count),
            None,
        )
    )


async def _delivered(room: Room) -> bool:
    return not await JobQueue(room.redis).list_undelivered("bot-0")


async def press(room: Room, message: StoredMessage, do: str, user: str = "ada") -> None:
    (custom_id,) = [b["custom_id"] for b in buttons(message) if f":{do}:" in b["custom_id"]]
    interaction = await room.world.click(user, "general", message.id, custom_id)
    assert await interaction.wait_acknowledged()


async def asked(room: Room) -> list[str]:
    """The questions that the model remembers."""
    return [turn.prompt for turn in (await History(room.redis).load(channel(room))).turns]


def channel(room: Room) -> str:
    return str(room.world.channel("general")["id"])


async def test_the_latest_answer_has_the_buttons(room: Room) -> None:
    first = await ask(room, "one")
    assert labels(first) == ["Again", "Edit", "Undo", "👍", "👎"]
    await ask(room, "two", 2)
    await until(lambda: labels(first) == ["👍", "👎"])


async def test_again_keeps_both_answers_and_the_shown_one_counts(
    room: Room, world: UserActions
) -> None:
    await ask(room, "before")
    message = await ask(room, "one", 2)
    head = await History(room.redis).get_head(channel(room))
    await press(room, message, "again")
    await until(lambda: "2/2" in labels(message))
    assert said(message) == "[turn 2] one"
    second = await History(room.redis).get_head(channel(room))
    assert second != head

    await press(room, message, "before")
    await until(lambda: "1/2" in labels(message))
    assert await History(room.redis).get_head(channel(room)) == head
    await press(room, message, "after")
    await until(lambda: "2/2" in labels(message))
    assert await History(room.redis).get_head(channel(room)) == second
    assert await asked(room) == ["before", "one"]
    assert len(room.bot_says()) == 2


async def test_nothing_of_a_long_answer_is_left_beside_a_new_one(
    room: Room, world: UserActions
) -> None:
    prompt = "!tokens 300"
    await world.slash("ada", "general", "chat", {"prompt": prompt})
    first, last = await room.whole(scripted(prompt))
    await until(lambda: "Edit" in labels(last))
    (edit,) = [b["custom_id"] for b in buttons(last) if ":edit:" in b["custom_id"]]
    opened = await world.click("ada", "general", last.id, edit)
    await opened.wait_acknowledged()
    with world.subscribe() as changes:
        await world.submit_modal(opened, {"prompt": "!delay 200ms uno"})
        assert await room.whole("[turn 1] !delay 200ms uno") == [first]
    edits = [seen.data async for seen in changes if seen.data.get("id") == last.id]
    assert ("-# ⋯", []) in [(e.get("content"), e.get("components")) for e in edits]


async def test_an_old_answer_stands_under_its_own_question(
    silent_room: Room, world: UserActions
) -> None:
    room = silent_room
    async with room.bot():
        async with room.worker():
            message = await ask(room, "one")
        (edit,) = [b["custom_id"] for b in buttons(message) if ":edit:" in b["custom_id"]]
        opened = await world.click("ada", "general", message.id, edit)
        await opened.wait_acknowledged()
        await world.submit_modal(opened, {"prompt": "uno"})
        await until(lambda: message.data["embeds"])  # it waits
        assert message.data["content"] == "> one\n[turn 1] one"
        async with room.worker():
            await until(lambda: message.data["content"] == "> uno\n[turn 1] uno")


async def test_a_version_that_breaks_off_leaves_the_old_one_to_be_changed(
    room: Room, world: UserActions
) -> None:
    message = await ask(room, "one")
    (edit,) = [b["custom_id"] for b in buttons(message) if ":edit:" in b["custom_id"]]
    opened = await world.click("ada", "general", message.id, edit)
    await opened.wait_acknowledged()
    await world.submit_modal(opened, {"prompt": "uno !fail"})
    await room.notice("several times")
    assert labels(message) == ["Again", "Edit", "Undo", "👍", "👎"]
    await press(room, message, "again")
    await until(lambda: said(message) == "[turn 1] one" and "2/2" in labels(message))


async def test_an_edited_question_is_answered_in_the_same_message(
    room: Room, world: UserActions
) -> None:
    await world.say("ada", "general", "@commonroom one")
    message = await pressable(room, "[turn 1] one")
    (edit,) = [b["custom_id"] for b in buttons(message) if ":edit:" in b["custom_id"]]
    opened = await world.click("ada", "general", message.id, edit)
    await opened.wait_acknowledged()
    assert opened.modal is not None
    assert "one" in str(opened.modal)
    await world.submit_modal(opened, {"prompt": "uno"})
    shown = "> uno\n[turn 1] uno"  # readers still see the old question above it
    await until(lambda: message.data["content"] == shown and "2/2" in labels(message))
    assert await asked(room) == ["uno"]
    assert len(room.bot_says()) == 1


async def test_a_question_with_a_file_is_edited_without_the_files_text(
    room: Room, world: UserActions
) -> None:
    await world.slash("ada", "general", "chat", {"prompt": "sum"}, [File("a.csv", b"1,2")])
    quoted = 'File "a.csv":\n```\n1,2\n```'
    message = await until(lambda: next((m for m in room.bot_says() if "Edit" in labels(m)), None))
    (edit,) = [b["custom_id"] for b in buttons(message) if ":edit:" in b["custom_id"]]
    opened = await world.click("ada", "general", message.id, edit)
    await opened.wait_acknowledged()
    assert "sum" in str(opened.modal)
    assert "1,2" not in str(opened.modal)
    await world.submit_modal(opened, {"prompt": "total"})
    await until(lambda: "2/2" in labels(message))
    assert await asked(room) == [f"total\n\n{quoted}"]


async def test_undo_takes_the_turn_back_and_the_one_before_is_the_latest(room: Room) -> None:
    first = await ask(room, "one")
    second = await ask(room, "two", 2)
    await until(lambda: labels(first) == ["👍", "👎"])
    await press(room, second, "undo")
    assert "is undone" in second.data["embeds"][0]["description"]
    assert second.data["components"] == []
    assert await asked(room) == ["one"]
    await until(lambda: "Undo" in labels(first))
    await press(room, first, "undo")
    assert await asked(room) == []


async def test_a_cut_answer_is_continued_in_place(room: Room, world: UserActions) -> None:
    prompt = "!tokens 60"
    await PreferenceStore(room.redis, Preferences()).change(
        str(world.guild["id"]), SERVER, max_tokens=40
    )
    await world.slash("ada", "general", "chat", {"prompt": prompt})
    (message,) = await until(room.bot_says)
    await until(lambda: "Continue" in labels(message))
    cut = said(message).partition("\n-# ")[0]
    assert scripted(prompt).startswith(cut)
    await press(room, message, "more")
    await until(lambda: said(message) == scripted(prompt) and "2/2" in labels(message))
    assert "Continue" not in labels(message)
    (turn,) = (await History(room.redis).load(channel(room))).turns
    assert turn.answer == scripted(prompt)


async def test_thumbs_are_counted_and_taken_back(room: Room, world: UserActions) -> None:
    message = await ask(room, "one")
    await press(room, message, "up")
    await press(room, message, "up", "bob")
    await until(lambda: labels(message)[3:] == ["2", "👎"])
    await press(room, message, "down", "bob")
    await until(lambda: labels(message)[3:] == ["1", "1"])
    await press(room, message, "down", "bob")
    await until(lambda: labels(message)[3:] == ["1", "👎"])
    (opinion,) = [o async for o in Feedback(room.redis).export()]
    assert (opinion.user, opinion.vote) == (world.user("ada")["id"], "up")


async def test_a_reply_to_an_older_answer_branches_from_there(
    room: Room, world: UserActions
) -> None:
    first = await ask(room, "one")
    await ask(room, "two", 2)
    await world.reply("bob", "general", first.id, "three")
    await pressable(room, "[turn 2] three")
    assert await asked(room) == ["one", "three"]


@pytest.mark.parametrize("do", ["again", "undo", "edit"])
async def test_others_cannot_change_an_answer(room: Room, world: UserActions, do: str) -> None:
    message = await ask(room, "one")
    await press(room, message, do, "bob")
    told = await room.notice("Only the person who asked", viewer="bob")
    assert told.visible_to == world.user("bob")["id"]
    assert said(message) == "[turn 1] one"


async def test_a_moderator_may_but_not_reword(room: Room, world: UserActions) -> None:
    message = await ask(room, "one")
    world.set_permissions("general", "bob", allow=Permission.MANAGE_MESSAGES)
    await press(room, message, "edit", "bob")
    await room.notice("can edit the question", viewer="bob")
    await press(room, message, "again", "bob")
    await until(lambda: "2/2" in labels(message))


async def test_a_second_press_is_told_to_wait(silent_room: Room, world: UserActions) -> None:
    room = silent_room
    async with room.bot():
        async with room.worker():
            message = await ask(room, "one")
        again = next(b["custom_id"] for b in buttons(message) if ":again:" in b["custom_id"])
        await asyncio.gather(*(world.click("ada", "general", message.id, again) for _ in range(2)))
        await room.notice("writing an answer")
        async with room.worker():
            await until(lambda: "2/2" in labels(message))
    assert len([m for m in room.bot_says() if m.visible_to is None]) == 1


async def test_buttons_work_after_a_restart(silent_room: Room, world: UserActions) -> None:
    room = silent_room
    room.discord.backend.rate_limits.enabled = (
        False  # so many edits in so short a time are waited out
    )
    async with room.worker():
        async with room.bot():
            message = await ask(room, "one")
            await holds(lambda: _delivered(room))
        async with room.bot():
            await press(room, message, "again")
            await until(lambda: "2/2" in labels(message))
            await press(room, message, "up")
            await until(lambda: "1" in labels(message))
            (edit,) = [b["custom_id"] for b in buttons(message) if ":edit:" in b["custom_id"]]
            opened = await world.click("ada", "general", message.id, edit)
            await opened.wait_acknowledged()
        async with room.bot():
            await world.submit_modal(opened, {"prompt": "uno"})
            await until(lambda: "3/3" in labels(message))
            await press(room, message, "before")
            await until(lambda: "2/3" in labels(message))
            await press(room, message, "undo")
            assert message.data["components"] == []
    assert await asked(room) == []


async def test_a_new_version_that_fails_leaves_the_old_one(room: Room, world: UserActions) -> None:
    message = await ask(room, "one")
    edit = next(b["custom_id"] for b in buttons(message) if ":edit:" in b["custom_id"])
    opened = await world.click("ada", "general", message.id, edit)
    await opened.wait_acknowledged()
    await world.submit_modal(opened, {"prompt": "!refuse"})
    told = await room.notice("could not accept")
    assert told.id == message.id
    assert (said(message), labels(message)[0]) == ("[turn 1] one", "Again")
    assert await asked(room) == ["one"]


async def test_a_long_answer_is_renewed_in_all_its_messages(room: Room, world: UserActions) -> None:
    prompt = "!tokens 400"
    await world.slash("ada", "general", "chat", {"prompt": prompt})
    parts = await room.whole(scripted(prompt))
    await press(room, parts[-1], "again")
    await until(lambda: "2/2" in labels(parts[-1]))
    assert await room.whole(scripted(prompt)) == parts


async def test_the_buttons_speak_chinese(room: Room, world: UserActions) -> None:
    await world.slash("ada", "general", "chat", {"prompt": "你好"}, locale="zh-CN")
    message = await pressable(room, "[turn 1] 你好")
    assert labels(message)[:3] == ["重新生成", "编辑", "撤回"]


async def test_formulas_can_be_copied_by_anybody_also_later(
    silent_room: Room, world: UserActions
) -> None:
    room = silent_room
    async with room.worker():
        async with room.bot():
            await world.slash("ada", "general", "chat", {"prompt": r"$\frac{a}{b}$, `x`, $$x^2$$"})
            message = await until(
                lambda: next((m for m in room.bot_says() if "LaTeX" in labels(m)), None)
            )
            await ask(room, "it costs $5, not $6", 2)
            await until(lambda: labels(message) == ["👍", "👎", "LaTeX"])
        async with room.bot():
            await press(room, message, "latex", "bob")
    (copied,) = [m for m in room.bot_says("bob") if m.visible_to == world.user("bob")["id"]]
    assert copied.data["content"] == "```latex\n\\frac{a}{b}\n\nx^2\n```"
    assert not any("LaTeX" in labels(m) for m in room.bot_says() if m.id != message.id)
