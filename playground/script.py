"""Plays a file of actions on a whole system without a browser.

Each line is an action; what people could see is printed, and last how many questions were
answered, told, lost or doubled. The exit code is 1 when any was lost or doubled.
"""

import argparse
import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jobqueue.errors import QueueError
from jobqueue.event_reader import EventReader
from jobqueue.schema import Finished
from playground import ensure_model, script_actions
from playground.data_dir import lock_data_dir
from playground.discord.server import LocalDiscord
from playground.managed_process import ProcessState
from playground.outcome_judge import summarize
from playground.script_actions import ScriptAction, ScriptError
from playground.script_observer import ScriptObserver, SystemUnderTest
from playground.script_player import ScriptPlayer
from playground.supervisor import READER, Supervisor
from playground.transcript import TranscriptPrinter

__all__ = ["ScriptError", "main"]

RESULT_S = 2.0  # to read one answer back from the queue
# What a process may be when nothing more is to come of it by itself.
IDLE_STATES = {ProcessState.READY, ProcessState.PAUSED, ProcessState.STOPPED, ProcessState.FAILED}


async def main(arguments: argparse.Namespace) -> int:
    script = script_actions.read_script(arguments.file)
    script_actions.check_references(script)
    await ensure_model.ensure_model(arguments)
    with _open_data_dir(arguments.folder) as folder:
        async with (
            LocalDiscord() as discord,
            Supervisor(
                folder, discord, engine=arguments.engine, model=arguments.model
            ) as supervisor,
        ):
            await supervisor.wait_until_ready()
            transcript = TranscriptPrinter(discord.backend.state, as_json=arguments.json)
            return await play(script, discord, SupervisedSystem(supervisor), transcript)


@contextlib.contextmanager
def _open_data_dir(chosen: Path | None) -> Iterator[Path]:
    """A folder that is thrown away afterwards, unless one was chosen."""
    with tempfile.TemporaryDirectory(prefix="commonroom-") as temporary:
        folder = chosen or Path(temporary)
        with lock_data_dir(folder):
            yield folder


async def play(
    script: list[ScriptAction],
    discord: LocalDiscord,
    system: SystemUnderTest,
    transcript: TranscriptPrinter,
) -> int:
    """The script, then a last wait until nothing is open; the exit code."""
    async with ScriptObserver(discord.world, system, transcript) as follower:
        player = ScriptPlayer(discord, system, follower, transcript)
        for action in script:
            await player.perform(action)
        if not script or script[-1].do != "wait":
            await follower.wait_until_idle(script_actions.DEFAULT_WAIT_S)
        summary = summarize(await follower.collect_questions())
    transcript.print_summary(summary)
    return 0 if summary.is_success else 1


class SupervisedSystem:
    """The processes of a supervisor and their queue."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    async def control(self, verb: str, target: str) -> None:
        await getattr(self._supervisor, verb)(target)

    async def is_idle(self) -> bool:
        states = {process.state for process in self._supervisor.processes.values()}
        if not states <= IDLE_STATES:
            return False
        try:
            return not await self._supervisor.queue.list_undelivered(READER)
        except QueueError:
            return False

    async def read_result(self, question: str) -> str | None:
        """What the worker finished with; None for a question that never became a job."""
        try:
            async with (
                asyncio.timeout(RESULT_S),
                EventReader(self._supervisor.queue, "script") as live,
            ):
                async for envelope in live.follow(question):
                    if isinstance(envelope.event, Finished):
                        return envelope.event.text
        except (QueueError, TimeoutError):
            return None
        return None
