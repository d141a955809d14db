"""Threads that are opened below questions."""

import logging
from typing import cast

import aiohttp
import discord
from msgspec.structs import replace

from bot import notices
from bot.discord.delivery import reply_target
from bot.discord.delivery.reply_target import InteractionTarget, MessageTarget
from bot.notices import Refused
from bot.pending_questions import Question

TITLE_CHARS = 80  # Discord takes 100
ALREADY_OPEN = 160004  # Discord's code

log = logging.getLogger(__name__)


async def open_thread(client: discord.Client, question: Question) -> Question:
    """The question, to be answered in a thread below the response that shows it.

    An earlier process may have opened it. Where none can be had the answer goes below the question
    itself.

    Raises:
        Refused: the response is not there any more, or never was.
    """
    job, below = question.job, reply_target.decode(question.job.reply)
    if not isinstance(below, InteractionTarget):
        return question
    response = await _response(client, below)
    channel = client.get_partial_messageable(int(below.channel), guild_id=int(job.server))
    to = MessageTarget(channel=str(response), message="")
    try:
        await channel.get_partial_message(response).create_thread(name=title_of(job.prompt))
    except (discord.HTTPException, aiohttp.ClientError) as error:
        if getattr(error, "code", 0) != ALREADY_OPEN:
            log.warning("no thread job=%s: %r", job.id, error)
            to = MessageTarget(channel=below.channel, message=str(response))
    job = replace(job, channel=to.channel, reply=reply_target.encode(to).decode())
    return replace(question, job=job)


async def _response(client: discord.Client, below: InteractionTarget) -> int:
    """Its id; a thread below a message has the same."""
    webhook = discord.Webhook.partial(int(below.application), below.token, client=client)
    try:
        # Its type asks for a number, its route takes Discord's name as well.
        return (await webhook.fetch_message(cast("int", "@original"))).id
    except (discord.NotFound, discord.Forbidden) as error:
        raise Refused(notices.LOST) from error
    except discord.HTTPException as error:
        if error.status != 401:
            raise
        raise Refused(notices.LOST) from error


def title_of(prompt: str) -> str:
    first = " ".join(prompt.split())
    return first if len(first) <= TITLE_CHARS else f"{first[: TITLE_CHARS - 1].rstrip()}…"
