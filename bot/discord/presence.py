"""The line below the bot's name, which says if a question would be answered now."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

import aiohttp
import discord

from bot.i18n import words
from bot.notices import Notice
from jobqueue.errors import QueueUnavailable
from jobqueue.queue import JobQueue
from jobqueue.schema import WorkerStatus, best_phase

POLL_S = 5.0
RENEW_S = 300.0  # a new gateway session forgets it


@dataclass(frozen=True)
class Presence:
    status: discord.Status
    line: Notice

    async def show(self, client: discord.AutoShardedClient) -> None:
        activity = discord.CustomActivity(self.line.text(words()))
        await client.change_presence(status=self.status, activity=activity)


async def keep_presence(client: discord.AutoShardedClient, queue: JobQueue) -> None:
    """Show the state of the service until cancelled. Only changes are sent to Discord."""
    shown, shown_at = None, -RENEW_S
    while True:
        await client.wait_until_ready()
        state = await _load_presence(queue)
        if state != shown or monotonic() - shown_at > RENEW_S:
            # A gateway that is reconnecting gets it at the next renewal.
            with suppress(discord.DiscordException, aiohttp.ClientError, OSError):
                await state.show(client)
            shown, shown_at = state, monotonic()
        await asyncio.sleep(POLL_S)


async def _load_presence(queue: JobQueue) -> Presence:
    try:
        workers = await queue.list_workers()
    except QueueUnavailable:
        return Presence(discord.Status.dnd, Notice("presence-queue"))
    return presence_of(workers)


def presence_of(workers: list[WorkerStatus]) -> Presence:
    phase, progress = best_phase(workers)
    if phase == "ready":
        return Presence(discord.Status.online, Notice("presence-ready"))
    if phase is None:
        return Presence(discord.Status.dnd, Notice("presence-no-worker"))
    if progress is None:
        return Presence(discord.Status.idle, Notice("presence-loading"))
    tens = 10 * int(10 * progress)  # few changes, since each is sent to every server
    line = Notice("presence-loading-progress", arguments={"percent": tens})
    return Presence(discord.Status.idle, line)
