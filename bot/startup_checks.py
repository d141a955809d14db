"""Checks at the bot's start: one sentence says what is wrong and what to do.

What only the operator can mend ends the process with exit code 2. What may pass by itself, such
as a Redis or a Discord that cannot be reached, is said and waited out.
"""

import discord
from redis.exceptions import RedisClusterException

from common.metrics_server import CannotListen
from jobqueue.embedded_redis import EmbeddedError
from jobqueue.redis_client import RedisAccessDenied

PORTAL = "https://discord.com/developers/applications"


# What ends the process, each with what the operator is told.
FATAL = (
    discord.LoginFailure,
    discord.PrivilegedIntentsRequired,
    discord.ConnectionClosed,
    CannotListen,
    EmbeddedError,
    RedisClusterException,
    RedisAccessDenied,
)


def sentence(error: BaseException) -> str:
    match error:
        case discord.LoginFailure():
            return (
                "Discord does not accept DISCORD_TOKEN. Copy the bot's token again from "
                f"{PORTAL} (Bot, Reset Token)."
            )
        case discord.PrivilegedIntentsRequired():
            return (
                f"Discord refuses the message-content intent. Turn it on at {PORTAL} (Bot, "
                "Privileged Gateway Intents), or unset COMMONROOM_MESSAGE_CONTENT."
            )
        case discord.ConnectionClosed(code=4010 | 4011):
            return (
                "Discord does not accept these shards. Name enough of them in COMMONROOM_SHARDS, "
                "such as 0-3/16, or unset it."
            )
        case _:
            return str(error)
