"""Whether Discord lets the bot do its work. It asks and changes nothing, and opens no gateway, so
that it can run beside the bot."""

from asyncio import timeout
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bot.config import Settings
from bot.discord.commands.command_sync import is_current
from bot.discord.commands.command_translator import FluentTranslator
from bot.discord.permissions import NEEDED, invitation, missing
from bot.discord.setup import COMMANDS
from common.doctor_report import Finding, fault, good, warning

PORTAL = "https://discord.com/developers/applications"
PATIENCE_S = 60.0
PAGE = 200  # servers that one request may list


async def of_discord(settings: Settings) -> list[Finding]:
    """`use_api` comes before."""
    try:
        async with timeout(PATIENCE_S), discord.Client(intents=discord.Intents.none()) as client:
            return [finding async for finding in _ask(client, settings)]
    except discord.LoginFailure:
        todo = f"Copy the bot's token again from {PORTAL} (Bot, Reset Token)"
        return [fault("Discord: token", "Discord does not accept DISCORD_TOKEN", todo)]
    except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
        found = str(error) or "no answer"
        return [fault("Discord", found, "See that this machine reaches https://discord.com")]


async def _ask(client: discord.Client, settings: Settings) -> AsyncIterator[Finding]:
    await client.login(settings.discord_token)
    application = await client.application_info()
    yield good("Discord: token", f"{client.user} ({application.id})")
    yield _intents(application.flags, settings)
    yield await _commands(client, application.id)
    servers = [server async for server in _servers(client)]
    for finding in of_servers(servers, invitation(application.id)):
        yield finding


def _intents(flags: discord.ApplicationFlags, settings: Settings) -> Finding:
    what = "Discord: intents"
    granted = flags.gateway_message_content or flags.gateway_message_content_limited
    if not settings.commonroom_message_content:
        return good(what, "none that needs a grant; mentions, replies and direct messages work")
    if not granted:
        return fault(
            what,
            "COMMONROOM_MESSAGE_CONTENT is set, but Discord does not grant message content",
            f"Turn it on at {PORTAL} (Bot, Privileged Gateway Intents), or unset it",
        )
    return good(what, "message content is granted")


async def _commands(client: discord.Client, application_id: int) -> Finding:
    what = "Discord: commands"
    tree: app_commands.CommandTree[Any] = app_commands.CommandTree(client)
    for command in COMMANDS:
        tree.add_command(command)
    await tree.set_translator(FluentTranslator())
    if await is_current(tree, application_id):
        return good(what, f"Discord knows all {len(COMMANDS)}")
    found = "Discord knows none, or those of another version"
    return warning(what, found, "Start the bot, which tells them; or see its log")


async def _servers(client: discord.Client) -> AsyncIterator[dict[str, Any]]:
    """As Discord tells them, with the `permissions` that discord.py's own object leaves out."""
    after = 0
    while True:
        page = await client.http.get_guilds(PAGE, after=after)
        for server in page:
            yield dict(server)
        if len(page) < PAGE:
            return
        after = max(int(server["id"]) for server in page)


def of_servers(servers: list[dict[str, Any]], invite: str) -> list[Finding]:
    """One finding for each that lacks something; where none does, one for all."""
    what = "Discord: servers"
    if not servers:
        return [warning(what, "in none yet", f"Invite it: {invite}")]
    faulty = [found for server in servers if (found := _server(server, invite))]
    return [*(faulty or [good(what, f"{len(servers)}, all permissions held")]), _invite(invite)]


def _invite(invite: str) -> Finding:
    return good("Discord: invite", f"{invite} ({sum(held for _, held in NEEDED)} permissions)")


def _server(server: dict[str, Any], invite: str) -> Finding | None:
    held = discord.Permissions(int(server["permissions"]))
    what = f"Discord: {server['name']}"
    if lacking := missing(held):
        todo = f"Allow it to its role, or invite it again: {invite}"
        return fault(what, f"may not {', '.join(lacking)}", todo)
    if held.administrator:
        return warning(what, "is an administrator", "Take that from its role; it needs far less")
    return None
