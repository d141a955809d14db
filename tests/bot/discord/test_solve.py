"""Solving a problem, as people see it: step by step, folded, opened again, with other numbers."""

import asyncio

import aiohttp
import pytest

from bot.agent_trace import TraceRecords
from jobqueue.approvals import Approvals
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.schema import (
    ApprovalRequest,
    CallStatus,
    Check,
    Delta,
    Failed,
    FailureCode,
    Finished,
    ReasoningDelta,
    ToolCallDelta,
    ToolResult,
)
from playground.discord.json_types import File
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, buttons, holds, until
from tests.bot.discord.solving import PROGRAM, Solver
from tests.bot.discord.test_actions import labels, press
from tests.playground.page_bot import picture

PROBLEM = "Solve x^2 - 5x + 6 = 0"
WRONG = "prnt(1)"
ANSWER = "x = 2 or x = 3"


@pytest.fixture
def solver(silent_room: Room) -> Solver:
    return Solver(silent_room.redis)


async def shows(room: Room, *parts: str, viewer: str = "ada") -> StoredMessage:
    """The bot's message whose text or card has all of this in it."""

    def look() -> StoredMessage | None:
        for message in room.bot_says(viewer):
            cards = [embed.get("description", "") for embed in message.data["embeds"]]
            seen = "\n".join([message.data["content"], *cards])
            if all(part in seen for part in parts):
                return message
        return None

    return await until(look)


async def test_a_problem_is_solved_before_everybodys_eyes(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    room = silent_room
    room.discord.backend.rate_limits.enabled = False
    async with room.bot():
        await solver.announce()
        await world.slash("ada", "general", "solve", {"problem": PROBLEM})
        lease = await solver.take()
        assert (lease.job.capability, lease.job.prompt) == ("solve", PROBLEM)
        await solver.say(ReasoningDelta(text="A quadratic. Let me factor it."))
        await shows(room, "💭 Thinking…", "> A quadratic.")
        await solver.say(ToolCallDelta(step=1, tool="python", text=WRONG))
        await shows(room, "⏳ **1** · Python", f"```python\n{WRONG}\n```")
        failed = "Traceback…\nNameError: name 'prnt' is not defined"
        await solver.say(ToolResult(step=1, status=CallStatus.FAILED, text=failed, duration_ms=300))
        await shows(room, "⚠️ **1** · Python", failed, "The model repairs it…")
        await solver.say(ToolCallDelta(step=2, tool="python", text=PROGRAM))
        await shows(
            room,
            "⚠️ **1** · Python · 0.3 s → `NameError: name 'prnt' is not defined`\n-# ⏳ **2**",
            f"```python\n{PROGRAM}\n```",
        )
        await solver.say(
            ToolResult(step=2, status=CallStatus.OK, text="[2, 3]", duration_ms=900),
            Delta(text=ANSWER),
        )
        await shows(room, "✅ **2** · Python · 0.9 s → `[2, 3]`", ANSWER)
        await solver.end(Finished(text=ANSWER, check=Check.VERIFIED))
        solved = await shows(room, f"> ## {ANSWER}", "**Verified.**", "2 steps, 1 with an error")
        assert "Traceback" not in solved.data["content"]
        assert labels(solved)[-2:] == ["Steps", "Other numbers"]


async def solved(
    room: Room, solver: Solver, problem: str = PROBLEM, **options: object
) -> StoredMessage:
    """A problem with one thought, one program that draws a plot, and a verified answer."""
    await solver.announce()
    await room.world.slash("ada", "general", "solve", {"problem": problem, **options})
    await solver.take()
    figure = await solver.figure(picture())
    await solver.say(
        ReasoningDelta(text="Factor it."),
        ToolCallDelta(step=1, tool="python", text=PROGRAM),
        ToolResult(step=1, status=CallStatus.OK, text="[2, 3]", figures=(figure,), duration_ms=9),
        Delta(text=ANSWER),
    )
    await solver.end(Finished(text=ANSWER, check=Check.VERIFIED))
    message = await shows(room, f"> ## {ANSWER}", "**Verified.**", "One step")
    await until(lambda: "Undo" in labels(message))
    return message


async def test_the_steps_are_opened_by_whoever_wants_to_know(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    room = silent_room
    room.discord.backend.rate_limits.enabled = False
    async with room.bot():
        message = await solved(room, solver)
        (plot,) = message.data["attachments"]
        assert (plot["filename"], plot["description"]) == (
            "plot-1.png",
            "Plot 1, drawn by the program of step 1",
        )
    async with room.bot():
        await press(room, message, "work", "bob")
        opened = await shows(room, "Thought for", "> Factor it.", PROGRAM, "[2, 3]", viewer="bob")
        assert opened.visible_to == world.user("bob")["id"]
        (program,) = opened.data["attachments"]
        assert program["filename"] == "program.py"
        async with aiohttp.ClientSession() as session, session.get(program["url"]) as read:
            assert await read.text() == f"{PROGRAM}\n"


async def test_long_steps_have_pages_that_turn_after_a_restart(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    room = silent_room
    program = "\n".join(f"print({number})" for number in range(400))
    async with room.bot():
        await solver.announce()
        await world.slash("ada", "general", "solve", {"problem": PROBLEM})
        await solver.take()
        await solver.say(
            ToolCallDelta(step=1, tool="python", text=program),
            ToolResult(step=1, status=CallStatus.OK, text="the end"),
        )
        await solver.end(Finished(text=ANSWER))
        message = await shows(room, ANSWER, "**Not checked.**")
        await until(lambda: "Undo" in labels(message))
        await press(room, message, "work")
        opened = await shows(room, "print(0)")
        assert labels(opened) == ["◀️", "1/3", "▶️"]
    async with room.bot():
        for place in ("2/3", "3/3"):
            forward = buttons(opened)[-1]["custom_id"]
            turning = await world.click("ada", "general", opened.id, forward)
            assert await turning.wait_acknowledged()
            assert labels(opened)[1] == place
        assert "the end" in opened.data["content"]
        assert [file["filename"] for file in opened.data["attachments"]] == ["program.py"]


async def test_a_problem_is_solved_again_with_other_numbers(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    room = silent_room
    room.discord.backend.rate_limits.enabled = False
    async with room.bot():
        message = await solved(room, solver)
        (numbers,) = [b["custom_id"] for b in buttons(message) if ":numbers:" in b["custom_id"]]
        opened = await world.click("bob", "general", message.id, numbers)
        await opened.wait_acknowledged()
        assert "Solve x^2 - «5»x + 6 =" in str(opened.modal)
        same = await world.click("bob", "general", message.id, numbers)
        await same.wait_acknowledged()
        await world.submit_modal(same, {"0": "2", "1": "5", "2": "6", "3": "0"})
        await room.notice("numbers are the same", viewer="bob")
    async with room.bot():
        await world.submit_modal(opened, {"0": "2", "1": "7", "2": "12", "3": "0"})
        lease = await solver.take()
        assert lease.job.prompt == "Solve x^2 - 7x + 12 = 0"
        assert (lease.job.capability, lease.job.user) == ("solve", world.user("bob")["id"])
        await solver.end(Finished(text="x = 3 or x = 4", check=Check.VERIFIED))
        anew = await shows(room, "x = 3 or x = 4", "With other numbers: 5 → 7, 6 → 12")
        assert anew.id != message.id
        assert anew.data["interaction_metadata"]["interacted_message_id"] == message.id


async def test_versions_keep_their_checks(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    room = silent_room
    room.discord.backend.rate_limits.enabled = False
    async with room.bot():
        message = await solved(room, solver)
        await press(room, message, "again")
        await solver.take()
        await solver.end(Finished(text="x = 5", check=Check.REFUTED))
        await until(lambda: "2/2" in labels(message))
        assert "**Refuted.**" in message.data["embeds"][0]["description"]
        assert "Steps" not in labels(message)
        await press(room, message, "before")
        await until(lambda: "1/2" in labels(message))
        assert "**Verified.**" in message.data["embeds"][0]["description"]
        assert "One step" in message.data["embeds"][0]["description"]
        assert [file["filename"] for file in message.data["attachments"]] == ["plot-1.png"]


async def test_a_killed_bot_goes_on_with_the_steps(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    room = silent_room
    async with room.bot_process() as first:
        await room.bot_online()
        await solver.announce()
        await world.slash("ada", "general", "solve", {"problem": PROBLEM})
        await solver.take()
        await solver.say(ToolCallDelta(step=1, tool="python", text=PROGRAM))
        begun = await shows(room, "⏳ **1** · Python", PROGRAM)
        first.kill()
        await first.wait()
    await solver.say(ToolResult(step=1, status=CallStatus.OK, text="[2, 3]"), Delta(text=ANSWER))
    async with room.bot():
        await shows(room, "✅ **1** · Python → `[2, 3]`", ANSWER)
        await solver.end(Finished(text=ANSWER, check=Check.VERIFIED))
        done = await shows(room, f"> ## {ANSWER}", "**Verified.**", "One step")
    assert done.id == begun.id
    assert len(room.bot_says()) == 1


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_person_decides_whether_a_program_is_run(
    silent_room: Room, world: UserActions, solver: Solver, allowed: bool
) -> None:
    room, approvals = silent_room, Approvals(silent_room.redis)
    async with room.bot():
        await solver.announce()
        await world.slash("ada", "general", "solve", {"problem": PROBLEM})
        job = (await solver.take()).job.id
        await solver.say(
            ToolCallDelta(step=1, tool="python", text=PROGRAM), ApprovalRequest(step=1, attempt=1)
        )
        message = await shows(room, PROGRAM, "Do you want to run this?")
        assert labels(message) == ["Run it", "Do not run it", "Stop"]
    async with room.bot():
        button = buttons(message)[0 if allowed else 1]["custom_id"]
        await world.click("bob", "general", message.id, button)
        await room.notice("Only the person who asked", viewer="bob")
        pressed = await world.click("ada", "general", message.id, button)
        assert await pressed.wait_acknowledged()
        async with asyncio.timeout(30):
            assert await approvals.wait_for_decision(job, 1, 1) is allowed
        status = CallStatus.OK if allowed else CallStatus.REFUSED
        await solver.say(ToolResult(step=1, status=status, text="[2, 3]"))
        await until(lambda: labels(message) == ["Stop"])
        assert "Do you want to run this?" not in message.data["content"]
        await solver.end(Finished(text=ANSWER))
        await shows(room, f"> ## {ANSWER}")


async def test_a_problem_without_an_answer_says_what_was_tried(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    async with silent_room.bot():
        await solver.announce()
        await world.slash("ada", "general", "solve", {"problem": PROBLEM}, locale="zh-CN")
        await solver.take()
        await solver.say(
            ToolCallDelta(step=1, tool="python", text=WRONG),
            ToolResult(step=1, status=CallStatus.TIMEOUT),
        )
        await solver.end(Failed(code=FailureCode.NO_ANSWER))
        told = await shows(silent_room, "⏱️ **1** · Python → 用时过长", "都没有得出答案")
        assert labels(told) == ["重试", "步骤"]
        await press(silent_room, told, "work", "bob")
        await shows(silent_room, WRONG, viewer="bob")


async def test_where_nobody_can_solve_it_says_what_to_do(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    solver.capabilities = ("chat",)
    async with silent_room.bot():
        await solver.announce()
        await world.slash("ada", "general", "solve", {"problem": PROBLEM})
        told = await silent_room.notice("ask with /chat")
        assert told.visible_to == world.user("ada")["id"]
        await solver.announce()
        await world.slash("ada", "general", "solve", {"problem": PROBLEM}, locale="zh-CN")
        await silent_room.notice("请改用 /聊天")


async def test_a_message_is_solved_with_its_data(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    table = "day,rain\n" + "\n".join(f"{day},{day % 7}" for day in range(1_000))
    async with silent_room.bot():
        await solver.announce()
        said = await world.say(
            "bob", "general", "Plot the rain", [File("rain.csv", table.encode())]
        )
        await world.context_menu("ada", "general", "Solve this", said.id)
        job = (await solver.take()).job
        assert job.prompt.startswith('Plot the rain\n\nFile "rain.csv" (its first ')
        assert len(job.prompt) < len(table)
        (data,) = job.attachments
        assert (data.name, data.media_type) == ("rain.csv", "text/plain")
        assert await Blobs(silent_room.redis).get(data.sha256) == table.encode()
        await solver.end(Finished(text="Drawn."))
        await shows(silent_room, "> ## Drawn.", "The programs can read all of `rain.csv`")


async def test_thoughts_are_beside_the_answer_and_never_in_it(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    room = silent_room
    async with room.bot():
        await solver.announce()
        await world.slash("ada", "general", "chat", {"prompt": "why?", "thinking": True})
        assert (await solver.take()).job.thinking is True
        await solver.say(ReasoningDelta(text="Hm, "), ReasoningDelta(text="because."))
        await shows(room, "💭 Thinking…", "> Hm, because.")
        await solver.say(Delta(text="So it is."))
        await solver.end(Finished(text="So it is."))
        answer = await shows(room, "-# 💭 Thought for 0.1 s\nSo it is.")
        await until(lambda: "Thoughts" in labels(answer))
        assert answer.data["embeds"] == []
        await press(room, answer, "work")
        await shows(room, "> Hm, because.")
        (turn,) = (await History(room.redis).load(str(world.channel("general")["id"]))).turns
        assert turn.answer == "So it is."


async def test_who_is_forgotten_leaves_no_steps(
    silent_room: Room, world: UserActions, solver: Solver
) -> None:
    room = silent_room
    async with room.bot():
        message = await solved(room, solver)
        works, ada = TraceRecords(room.redis), str(world.user("ada")["id"])
        await holds(lambda: works.find(solver.job))
        assert [work.programs for work in (await works.list_of(ada)).values()] == [(PROGRAM,)]
        await works.erase(ada)
        assert await works.list_of(ada) == {}
        await press(room, message, "work")
        await room.notice("no longer stored")
