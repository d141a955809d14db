"""Solving a problem, as people see it: step by step, folded, opened again, with other numbers."""

import pytest

from jobqueue.schema import Call, CallStatus, Check, Delta, Finished, Returned, Thought
from playground.discord.state import Message
from playground.discord.world import World
from tests.bot.discord.conftest import Room, until
from tests.bot.discord.solving import PROGRAM, Solver
from tests.bot.discord.test_actions import labels

PROBLEM = "Solve x^2 - 5x + 6 = 0"
WRONG = "prnt(1)"
ANSWER = "x = 2 or x = 3"


@pytest.fixture
def solver(silent_room: Room) -> Solver:
    return Solver(silent_room.redis)


async def shows(room: Room, *parts: str, viewer: str = "ada") -> Message:
    """The bot's message whose text or card has all of this in it."""

    def look() -> Message | None:
        for message in room.bot_says(viewer):
            cards = [embed.get("description", "") for embed in message.data["embeds"]]
            seen = "\n".join([message.data["content"], *cards])
            if all(part in seen for part in parts):
                return message
        return None

    return await until(look)


async def test_a_problem_is_solved_before_everybodys_eyes(
    silent_room: Room, world: World, solver: Solver
) -> None:
    room = silent_room
    room.discord.backend.limits.enabled = False
    async with room.bot():
        await solver.announce()
        await world.slash("ada", "general", "solve", {"problem": PROBLEM})
        lease = await solver.take()
        assert (lease.job.capability, lease.job.prompt) == ("solve", PROBLEM)
        await solver.say(Thought(text="A quadratic. Let me factor it."))
        await shows(room, "💭 Thinking…", "> A quadratic.")
        await solver.say(Call(step=1, tool="python", text=WRONG))
        await shows(room, "⏳ **1** · Python", f"```python\n{WRONG}\n```")
        failed = "Traceback…\nNameError: name 'prnt' is not defined"
        await solver.say(Returned(step=1, status=CallStatus.FAILED, text=failed, duration_ms=300))
        await shows(room, "⚠️ **1** · Python", failed, "Repairing…")
        await solver.say(Call(step=2, tool="python", text=PROGRAM))
        await shows(
            room,
            "⚠️ **1** · Python · 0.3 s → `NameError: name 'prnt' is not defined`\n-# ⏳ **2**",
            f"```python\n{PROGRAM}\n```",
        )
        await solver.say(
            Returned(step=2, status=CallStatus.OK, text="[2, 3]", duration_ms=900),
            Delta(text=ANSWER),
        )
        await shows(room, "✅ **2** · Python · 0.9 s → `[2, 3]`", ANSWER)
        await solver.end(Finished(text=ANSWER, check=Check.VERIFIED))
        solved = await shows(room, f"> ## {ANSWER}", "**Verified.**", "2 steps, 1 with an error")
        assert "Traceback" not in solved.data["content"]
        assert labels(solved)[-2:] == ["Steps", "Other numbers"]
