"""`/status`: models, load and latency, for people who wait for an answer."""

import time
from collections.abc import Sequence

import discord

from bot.discord.commands.command_decorators import Command, slash_command, usable_everywhere
from bot.discord.host import Interaction
from bot.discord.views import components_panel
from bot.i18n import Words, words
from jobqueue.queue_stats import QueueStats, load_queue_stats
from jobqueue.schema import WorkerStatus

MAX_LATENCY_S = 20.0  # less than the time between two heartbeats, which is 41 s


@usable_everywhere
@slash_command("status")
async def status(interaction: Interaction) -> None:
    client = interaction.client
    began = time.perf_counter()
    stats = await load_queue_stats(client.services.queue)
    queue_ms = round(1000 * (time.perf_counter() - began))
    say = words(str(interaction.locale))
    await components_panel.send_panel(
        interaction, status_texts(stats, discord_latency_ms(client), queue_ms, say)
    )


def status_texts(
    stats: QueueStats, discord_ms: int | None, queue_ms: int, say: Words
) -> Sequence[str]:
    waiting = sum(capability.waiting for capability in stats.capabilities)
    workers = "\n".join(_line(worker, say) for worker in stats.workers)
    if discord_ms is None:
        latency = say("status-latency-queue", {"queue": queue_ms})
    else:
        latency = say("status-latency", {"discord": discord_ms, "queue": queue_ms})
    facts = (say("status-waiting", {"count": waiting}), latency)
    return (f"## {say('status-title')}", workers or say("status-no-worker"), "\n".join(facts))


def _line(worker: WorkerStatus, say: Words) -> str:
    ready = "●" if worker.phase == "ready" else "○"
    busy = {"running": worker.running, "slots": worker.slots}
    phase = say(f"phase-{worker.phase}")
    return f"{ready} `{worker.model or worker.engine}`　{phase} · {say('status-busy', busy)}"


def discord_latency_ms(client: discord.Client) -> int | None:
    """Return how long Discord takes to answer, or None where that is not known.

    discord.py knows nothing before the first heartbeat came back. Where an acknowledgement comes
    before it noted that it sent the heartbeat, it counts from the heartbeat before that one.
    """
    latency = client.latency
    return round(1000 * latency) if 0 <= latency <= MAX_LATENCY_S else None


ALL: tuple[Command, ...] = (status,)
