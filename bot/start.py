"""What may be wrong when the bot starts, in one sentence that says the way out.

What only the operator can mend ends the process with exit code 2. What may pass by itself, such
as a Redis or a Discord that cannot be reached, is said and waited out.
"""

import asyncio
import logging

import discord
from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    RedisClusterException,
    RedisError,
)

from jobqueue.address import ENCODE, read_address
from jobqueue.embedded import EmbeddedError
from jobqueue.exposition import CannotListen
from jobqueue.redact import redact

PORTAL = "https://discord.com/developers/applications"
PATIENCE_S = 5.0

log = logging.getLogger("bot")


class RedisRefuses(Exception):
    """The server wants another password."""


# What ends the process, each with what the operator is told.
FATAL = (
    discord.LoginFailure,
    discord.PrivilegedIntentsRequired,
    discord.ConnectionClosed,
    CannotListen,
    EmbeddedError,
    RedisRefuses,
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


async def check_redis(redis: Redis, url: str) -> None:
    """Raises `RedisRefuses`; a server that is away is only told of."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await redis.ping()
    except (AuthenticationError, AuthorizationError) as error:
        raise RedisRefuses(
            f"Redis refuses REDIS_URL: {redact(str(error))} Put its password there: "
            f"redis://:PASSWORD@host:6379/0; {ENCODE}"
        ) from error
    except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
        log.warning(
            "Redis cannot be reached at %s, trying again: start it, or correct REDIS_URL (%s)",
            read_address(url),
            redact(repr(error)),
        )
