"""`python -m bot doctor`: what prevents the bot from working, and what to do about it."""

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.config import BotSettings
from bot.discord.api_base import use_api
from bot.discord.doctor import check_discord
from bot.files.file_reader import FileReader
from common.doctor_report import Finding, fault, good, print_report, warning
from common.installation import describe_installation
from common.settings import SettingsError, load_settings
from jobqueue import doctor_checks
from jobqueue.embedded_redis import default_folder

if TYPE_CHECKING:
    import argparse
import discord
from redis.exceptions import RedisClusterException

from common.metrics_server import CannotListen
from jobqueue.embedded_redis import EmbeddedError
from jobqueue.redis_client import RedisAccessDenied

READING_TODO = "Linux 5.13 or newer with Landlock, and libseccomp2 (docs/security.md)"
LOG_BYTES = 512 << 20  # logs, and the embedded server's data, want some room


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `doctor` command; its namespace carries `run(arguments) -> exit code`."""
    parser = subparsers.add_parser("doctor", help="look for what keeps the bot from its work")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(
        run=lambda given: print_report(asyncio.run(examine(os.environ)), as_json=given.json)
    )


async def examine(environ: Mapping[str, str]) -> list[Finding]:
    return [
        describe_installation(),
        *await _check_settings(environ),
        await _check_reading(),
        *await doctor_checks.check_redis_server(environ),
        doctor_checks.check_disk(default_folder(environ), LOG_BYTES),
    ]


async def _check_reading() -> Finding:
    """Check what confines the process that reads people's files."""
    missing = await FileReader().missing_layers()
    if not missing:
        return good("reading files", "confined by Landlock and seccomp")
    layers = " and ".join(missing)
    return warning("reading files", f"without {layers}; limits hold", READING_TODO)


async def _check_settings(environ: Mapping[str, str]) -> list[Finding]:
    try:
        settings = load_settings(BotSettings, environ)
    except SettingsError as error:
        return [fault("settings", str(error), "python -m bot init writes a file that names all")]
    if settings.discord_api:
        use_api(settings.discord_api)
    host, port = settings.commonroom_metrics_host, settings.commonroom_metrics_port
    return [
        *await check_discord(settings),
        doctor_checks.check_metrics_port(host, port, "COMMONROOM_METRICS_PORT"),
    ]


# Checks at the bot's start: one sentence says what is wrong and what to do.
#
# Errors that only the operator can mend end the process with exit code 2. Errors that may pass,
# such as an unreachable Redis or Discord, are logged, and the bot tries again.

PORTAL = "https://discord.com/developers/applications"


# Errors that end the process; `describe_fatal` explains them.
FATAL = (
    discord.LoginFailure,
    discord.PrivilegedIntentsRequired,
    discord.ConnectionClosed,
    CannotListen,
    EmbeddedError,
    RedisClusterException,
    RedisAccessDenied,
)


def describe_fatal(error: BaseException) -> str:
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
