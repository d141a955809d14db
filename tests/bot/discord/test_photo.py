"""Photos of text in Discord, where no model sees."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from inference import ocr
from inference.engines.scripted import ScriptedEngine
from inference.worker import Worker
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.schema import CallStatus, Check, Finished, ToolCallDelta, ToolResult
from playground.discord.json_types import File
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, buttons, holds, running, until
from tests.bot.discord.solving import Solver
from tests.bot.discord.test_actions import labels, press
from tests.bot.discord.test_solve import shows
from tests.drawn import written

SIGN = File("sign.png", written("Room 12 is closed"))


@pytest_asyncio.fixture
async def reading_room(silent_room: Room) -> AsyncIterator[Room]:
    """A room whose model reads what is written in pictures."""
    await asyncio.to_thread(ocr._reader)  # seconds, while nobody waits for an answer
    queue = JobQueue(silent_room.redis)
    worker = Worker(
        queue,
        History(silent_room.redis),
        ScriptedEngine(),
        name="w0",
        system="",
        blobs=Blobs(silent_room.redis),
        drain_s=0.1,
    )

    async def reads() -> bool:
        return any("read" in each.capabilities for each in await queue.list_workers())

    async with running(worker.run()), silent_room.bot():
        await holds(reads)
        yield silent_room


@pytest.mark.parametrize(
    ("words", "asked"),
    [("What is closed?", "What is closed?"), ("", "Please look at what I posted")],
    ids=["words", "a-picture-alone"],
)
async def test_the_text_is_answered_about_and_the_person_told(
    reading_room: Room, world: UserActions, words: str, asked: str
) -> None:
    await world.say("ada", "general", f"@commonroom {words}", [SIGN])
    message = await shows(reading_room, f"[turn 1] {asked}", "`Room 12 is closed`")
    await until(lambda: "Undo" in labels(message))
    said = message.data["content"]
    assert "Room 12 is closed\n```" in said
    assert (
        "-# The model does not see the pictures `sign.png` themselves. It got only the text" in said
    )
    assert said.endswith("-# Text in the picture: `Room 12 is closed`")
    await press(reading_room, message, "work", "bob")
    await shows(reading_room, "Reading the picture", "Room 12 is closed", viewer="bob")


async def test_a_photo_alone_is_a_problem_that_can_be_put_right(
    silent_room: Room, world: UserActions
) -> None:
    room = silent_room
    room.discord.backend.rate_limits.enabled = False
    solver = Solver(room.redis, capabilities=("chat", "solve", "read"))
    async with room.bot():
        await solver.announce()
        await world.slash("ada", "general", "solve", {}, [SIGN])
        job = (await solver.take()).job
        assert (job.prompt, [each.name for each in job.attachments]) == ("", ["sign.png"])
        await solver.say(
            ToolCallDelta(step=1, tool="read_picture", text='{"picture":"sign.png"}'),
            ToolResult(step=1, status=CallStatus.OK, text="2x = l2"),
        )
        await shows(room, "**1** · Reading the picture", "2x = l2")
        await solver.end(Finished(text="no", check=Check.NONE), prompt="2x = l2")
        message = await shows(room, "Text in the picture: `2x = l2`", "**Not checked.**")
        await until(lambda: "Edit" in labels(message))
        (edit,) = [b["custom_id"] for b in buttons(message) if ":edit:" in b["custom_id"]]
        form = await world.click("ada", "general", message.id, edit)
        await form.wait_acknowledged()
        await world.submit_modal(form, {"prompt": "2x = 12"})
        again = (await solver.take()).job
        assert (again.prompt, again.attachments) == ("2x = 12", ())


async def test_history_shows_which_pictures_are_still_seen(
    silent_room: Room, world: UserActions
) -> None:
    room = silent_room
    solver = Solver(room.redis, capabilities=("chat", "vision"))
    async with room.bot():
        await solver.announce()
        for name in ("old.png", "new.png"):
            picture = File(name, written(name))
            await world.slash("ada", "general", "chat", {"prompt": "What is it?"}, [picture])
            job = (await solver.take()).job
            await solver.end(Finished(text=f"It is {name}."))
            await shows(room, f"It is {name}.")
            if name == "old.png":
                [key] = [k async for k in room.redis.scan_iter(f"*:{job.attachments[0].sha256}")]
                await room.redis.delete(key)
        await world.slash("ada", "general", "history")

        def panel() -> StoredMessage | None:
            return next((m for m in room.bot_says() if "What I remember" in str(m.data)), None)

        shown = await until(panel)
        said = str(shown.data["components"])
        assert "The model sees these pictures: Image-1 `new.png`." in said
        assert "The model no longer sees `old.png`." in said
        assert [file["filename"] for file in shown.data["attachments"]] == ["image-1.jpg"]
        assert "attachment://image-1.jpg" in said or "/image-1.jpg" in said


async def test_neither_words_nor_files_are_nothing_to_solve(
    silent_room: Room, world: UserActions
) -> None:
    solver = Solver(silent_room.redis)
    async with silent_room.bot():
        await solver.announce()
        opened = await world.slash("ada", "general", "solve", {})
        await until(lambda: opened.modal)
        await world.submit_modal(opened, {})
        await silent_room.notice("There is nothing to answer.")
