"""A problem's whole way: Discord, bot, queue, worker, agent, sandbox, and back with a plot."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.agent_trace import TraceRecords
from bot.preferences import SERVER, Preferences, PreferenceStore
from inference.agent.tool_runtime import ToolRuntime
from inference.engines.scripted import ScriptedEngine
from inference.sandbox.config import SandboxConfig
from inference.worker import Worker
from jobqueue.approvals import Approvals
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.queue import JobQueue
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, buttons, holds, running, until
from tests.bot.discord.test_actions import labels, press
from tests.bot.discord.test_solve import shows

PROBLEM = (
    r"2x + 3 = 10 !think I solve for x and draw it. !run prnt(1) "
    r"!run import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint((10 - 3) / 2) "
    r"!say x is {output}"
)


@asynccontextmanager
async def solving(room: Room) -> AsyncIterator[None]:
    """The bot, and a worker that can solve."""
    queue, history = JobQueue(room.redis), History(room.redis)
    tool_runtime = ToolRuntime(
        ScriptedEngine(),
        history,
        Blobs(room.redis),
        system="",
        sandbox=SandboxConfig(),
        approvals=Approvals(room.redis),
    )
    worker = Worker(
        queue,
        history,
        tool_runtime.engine,
        name="w0",
        system="",
        drain_s=0.1,
        tool_runtime=tool_runtime,
    )

    async with running(worker.run()), room.bot():
        await until(lambda: bool(tool_runtime.capabilities), 60)
        yield


async def test_real_programs_are_allowed_run_repaired_and_shown(
    silent_room: Room, world: UserActions
) -> None:
    room = silent_room
    room.discord.backend.rate_limits.enabled = False
    preferences = PreferenceStore(room.redis, Preferences())
    await preferences.change(str(world.guild["id"]), SERVER, approval=True)
    async with solving(room):
        asked = await world.slash("ada", "general", "solve", {"problem": PROBLEM})
        for program in ("prnt(1)", "plt.plot([1, 2])"):
            asking = await shows(room, program, "Do you want to run this?")
            await world.click("ada", "general", asking.id, buttons(asking)[0]["custom_id"])
        solved = await shows(room, "x is 3.5", "2 steps, 1 with an error")
        await until(lambda: "Undo" in labels(solved))
        assert [file["filename"] for file in solved.data["attachments"]] == ["plot-1.png"]
        await holds(lambda: TraceRecords(room.redis).find(asked.id))
        await press(room, solved, "work", "bob")
        opened = await shows(room, "I solve for x", "NameError", "one plot", viewer="bob")
        assert len(opened.data["attachments"]) == 2
