"""Plays a file of actions on the whole system, without a browser.

Each line is an action. The output is what people could see, and at the end the number of
questions that were answered, told, lost or doubled. The exit code is 1 when any was lost or
doubled.
"""

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playground.data_dir import lock_data_dir
from playground.discord.server import LocalDiscord
from playground.ensure_model import ensure_model
from playground.outcome_judge import summarize
from playground.script_actions import DEFAULT_WAIT_S, ScriptAction, check_references, read_script
from playground.script_observer import ScriptObserver, SystemUnderTest
from playground.script_player import ScriptPlayer
from playground.supervisor import Supervisor
from playground.transcript import TranscriptPrinter


async def main(arguments: argparse.Namespace) -> int:
    script = read_script(arguments.file)
    check_references(script)
    await ensure_model(arguments)
    with _open_data_dir(arguments.folder) as folder:
        async with (
            LocalDiscord() as discord,
            Supervisor(
                folder, discord, engine=arguments.engine, model=arguments.model
            ) as supervisor,
        ):
            await supervisor.wait_until_ready()
            transcript = TranscriptPrinter(discord.backend.state, as_json=arguments.json)
            return await play(script, discord, supervisor, transcript)


@contextlib.contextmanager
def _open_data_dir(chosen: Path | None) -> Iterator[Path]:
    """Lock the chosen folder, or a temporary one that is deleted at the end."""
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
    """Perform the script and wait until no question is open. Return the exit code."""
    async with ScriptObserver(discord.world, system, transcript) as observer:
        player = ScriptPlayer(discord, system, observer, transcript)
        for action in script:
            await player.perform(action)
        if not script or script[-1].do != "wait":
            await observer.wait_until_idle(DEFAULT_WAIT_S)
        summary = summarize(await observer.collect_questions())
    transcript.print_summary(summary)
    return 0 if summary.is_success else 1
