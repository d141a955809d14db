"""`/status`: how the service is, for whoever wonders why an answer takes its time."""

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.discord import panel
from bot.discord.everywhere import everywhere
from bot.discord.translate import text
from bot.words import Words, words
from jobqueue.overview import Overview, overview
from jobqueue.schema import WorkerStatus

if TYPE_CHECKING:
    from bot.discord.client import Commonroom

    Interaction = discord.Interaction[Commonroom]
else:
    Interaction = discord.Interaction


@everywhere
@app_commands.command(name=text("command-status"), description=text("command-status-about"))
async def status(interaction: Interaction) -> None:
    client = interaction.client
    began = time.perf_counter()
    seen = await overview(client.service.queue)
    queue_ms = round(1000 * (time.perf_counter() - began))
    say = words(str(interaction.locale))
    await panel.show(interaction, texts(seen, _milliseconds(client.latency), queue_ms, say))


def texts(seen: Overview, discord_ms: int, queue_ms: int, say: Words) -> Sequence[str]:
    waiting = sum(capability.waiting for capability in seen.capabilities)
    workers = "\n".join(_line(worker, say) for worker in seen.workers)
    facts = (
        say("status-waiting", {"count": waiting}),
        say("status-latency", {"discord": discord_ms, "queue": queue_ms}),
    )
    return (f"## {say('status-title')}", workers or say("status-no-worker"), "\n".join(facts))


def _line(worker: WorkerStatus, say: Words) -> str:
    ready = "●" if worker.phase == "ready" else "○"
    busy = {"running": worker.running, "slots": worker.slots}
    phase = say(f"phase-{worker.phase}")
    return f"{ready} `{worker.model or worker.engine}`　{phase} · {say('status-busy', busy)}"


def _milliseconds(latency_s: float) -> int:
    """discord.py has none before the first heartbeat came back."""
    return round(1000 * latency_s) if math.isfinite(latency_s) else 0


ALL: tuple[app_commands.Command[Any, ..., Any], ...] = (status,)
