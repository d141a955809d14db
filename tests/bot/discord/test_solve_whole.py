"""A problem's whole way: Discord, bot, queue, worker, agent, sandbox, and back with a plot."""

from bot.work import WorkRecords
from inference.agent.workshop import Workshop
from inference.engines.scripted import ScriptedEngine
from inference.sandbox.config import SandboxConfig
from inference.worker import Worker
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.queue import JobQueue
from playground.discord.world import World
from tests.bot.discord.conftest import Room, holds, running, until
from tests.bot.discord.test_actions import labels, press
from tests.bot.discord.test_solve import shows

PROBLEM = (
    r"2x + 3 = 10 !think I solve for x and draw it. !run prnt(1) "
    r"!run import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint((10 - 3) / 2) "
    r"!say x is {output}"
)


def _worker(room: Room, workshop: Workshop) -> Worker:
    return Worker(
        JobQueue(room.redis),
        History(room.redis),
        workshop.engine,
        name="w0",
        system="",
        drain_s=0.1,
        workshop=workshop,
    )


async def test_a_real_program_is_written_repaired_run_and_shown(
    silent_room: Room, world: World
) -> None:
    room = silent_room
    room.discord.backend.limits.enabled = False
    workshop = Workshop(
        ScriptedEngine(),
        History(room.redis),
        Blobs(room.redis),
        system="",
        sandbox=SandboxConfig(),
    )
    async with running(_worker(room, workshop).run()), room.bot():

        async def announced() -> bool:
            workers = await JobQueue(room.redis).workers()
            return any("solve" in worker.capabilities for worker in workers)

        await holds(announced, timeout_s=60)
        asked = await world.slash("ada", "general", "solve", {"problem": PROBLEM})
        solved = await shows(room, "x is 3.5", "2 steps, 1 with an error")
        await until(lambda: "Undo" in labels(solved))
        assert [file["filename"] for file in solved.data["attachments"]] == ["plot-1.png"]
        await holds(lambda: WorkRecords(room.redis).find(asked.id))
        await press(room, solved, "work", "bob")
        opened = await shows(room, "I solve for x", "NameError", "one plot", viewer="bob")
        assert len(opened.data["attachments"]) == 2
