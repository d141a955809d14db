"""`python -m bot`: run the messenger side until it is stopped."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from common.installation import require_extra

with require_extra("bot"):
    import aiohttp
    import discord
    from discord.http import Route
    from redis.exceptions import RedisClusterException, RedisError

    from bot import doctor
    from bot.config import BotSettings
    from bot.discord.api_base import use_api
    from bot.discord.presence import keep_presence
    from bot.discord.setup import Commonroom
    from bot.feedback import Feedback
    from bot.feedback import encode as encode_opinion
    from bot.metrics import BotMetrics
    from bot.services import Services
    from common import env_template, tracing
    from common.installation import add_version_option
    from common.metrics_server import serve_metrics
    from common.redact import RedactingFormatter, redact, silence_private_loggers
    from common.settings import load_or_exit
    from common.watchdog import watch_loop
    from jobqueue.embedded_redis import EmbeddedError, resolve_redis_url
    from jobqueue.errors import QueueError
    from jobqueue.redis_client import check_redis, connect

log = logging.getLogger("bot")

UNREACHABLE = (aiohttp.ClientError, OSError, discord.DiscordServerError, discord.GatewayNotFound)
FIRST_RETRY_S, LONGEST_RETRY_S = 5.0, 60.0

T = TypeVar("T")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bot", description=__doc__)
    add_version_option(parser)
    commands = parser.add_subparsers(metavar="init | doctor | feedback")
    env_template.add_init_command(commands, "bot", BotSettings)
    doctor.add_parser(commands)
    export = commands.add_parser(
        "feedback", help="print what people think of answers, as JSON lines"
    )
    export.set_defaults(run=_export_feedback)
    parser.set_defaults(run=_run)
    arguments = parser.parse_args(argv)
    return int(arguments.run(arguments) or 0)


def _export_feedback(_: argparse.Namespace) -> None:
    async def export() -> None:
        async with resolve_redis_url(os.environ) as url, connect(url) as redis:
            async for opinion in Feedback(redis).export():
                print(encode_opinion(opinion).decode())

    try:
        asyncio.run(export())
    except (QueueError, RedisError, RedisClusterException, OSError, EmbeddedError) as error:
        print(f"error: REDIS_URL: {redact(str(error))}", file=sys.stderr)
        raise SystemExit(2) from None


def _run(_: argparse.Namespace) -> None:
    settings = load_or_exit(BotSettings, os.environ)
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    silence_private_loggers()
    if settings.discord_api:
        use_api(settings.discord_api)
    fatal: list[str] = []
    try:
        with tracing.export_traces("commonroom-bot"):
            asyncio.run(_run_until_stopped(settings))
    except* doctor.FATAL as errors:
        fatal += map(doctor.describe_fatal, errors.exceptions)
    if fatal:
        print(f"error: {redact(fatal[0])}", file=sys.stderr)
        raise SystemExit(2)


async def _run_until_stopped(settings: BotSettings) -> None:
    """Run until SIGTERM or Ctrl-C. Unfinished answers wait in the ledger for the next start."""
    running = asyncio.create_task(serve(settings))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    async with watch_loop(settings.commonroom_stall_s):
        with suppress(asyncio.CancelledError):
            await running


async def serve(settings: BotSettings) -> None:
    """Run the bot against the queue and Discord until cancelled. Call `use_api` before."""
    environ = {**os.environ, "REDIS_URL": settings.redis_url}
    async with resolve_redis_url(environ) as url, connect(url) as redis:
        await check_redis(redis, url)
        services = Services.from_redis(redis, settings)
        async with (
            Commonroom(services, metrics := BotMetrics()) as client,
            _serve_metrics(settings, metrics, client),
            asyncio.TaskGroup() as group,
        ):
            await _retry_unreachable(lambda: client.login(settings.discord_token))
            group.create_task(client.answers.run(), name="answers")
            group.create_task(client.intake.run(), name="intake")
            group.create_task(client.missed_messages.run(), name="catch up")
            group.create_task(keep_presence(client, services.queue), name="presence")
            await _retry_unreachable(client.connect)


@asynccontextmanager
async def _serve_metrics(
    settings: BotSettings, metrics: BotMetrics, client: Commonroom
) -> AsyncIterator[None]:
    """Serve metrics and readiness, if a port was chosen for that."""

    async def refresh() -> None:
        metrics.answers.set(client.answers.count)
        metrics.servers.set(len(client.guilds))
        metrics.gateway.set(client.latency)

    if not settings.commonroom_metrics_port:
        yield
        return
    async with serve_metrics(
        metrics.registry,
        host=settings.commonroom_metrics_host,
        port=settings.commonroom_metrics_port,
        not_ready_reason=lambda: "" if client.is_ready() else "not connected to Discord",
        refresh=refresh,
    ):
        yield


async def _retry_unreachable(call: Callable[[], Awaitable[T]]) -> T:
    """Call until Discord can be reached, ever less often. What it refuses is final."""
    pause = FIRST_RETRY_S
    while True:
        try:
            return await call()
        except UNREACHABLE as error:
            log.warning(
                "Discord cannot be reached at %s, trying again in %g s: see that this machine "
                "reaches it, and that DISCORD_API is right where it is set (%r)",
                Route.BASE,
                pause,
                error,
            )
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RETRY_S)


if __name__ == "__main__":
    sys.exit(main())
