"""Checks of the doctor on Discord: the token, intents, commands and permissions.

They change nothing and open no gateway, so that they can run beside the bot.
"""

from asyncio import timeout
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
from discord import app_commands

from bot.config import BotSettings
from bot.discord.commands.command_decorators import FluentTranslator
from bot.discord.commands.command_sync import is_current
from bot.discord.setup import COMMANDS
from common.doctor_report import Finding, fault, good, warning

PORTAL = "https://discord.com/developers/applications"
PATIENCE_S = 60.0
PAGE = 200  # servers that one request may list
NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,  # /ask and /thread
    embed_links=True,
    attach_files=True,
    read_message_history=True,
)


async def check_discord(settings: BotSettings) -> list[Finding]:
    """Check what Discord allows the bot. Call `use_api` before."""
    try:
        async with timeout(PATIENCE_S), discord.Client(intents=discord.Intents.none()) as client:
            return [finding async for finding in _check(client, settings)]
    except discord.LoginFailure:
        todo = f"Copy the bot's token again from {PORTAL} (Bot, Reset Token)"
        return [fault("Discord: token", "Discord does not accept DISCORD_TOKEN", todo)]
    except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
        found = str(error) or "no answer"
        return [fault("Discord", found, "See that this machine reaches https://discord.com")]


async def _check(client: discord.Client, settings: BotSettings) -> AsyncIterator[Finding]:
    await client.login(settings.discord_token)
    application = await client.application_info()
    yield good("Discord: token", f"{client.user} ({application.id})")
    yield _check_intents(application.flags, settings)
    yield await _check_commands(client, application.id)
    servers = [server async for server in _list_servers(client)]
    for finding in check_servers(servers, invitation(application.id)):
        yield finding


def _check_intents(flags: discord.ApplicationFlags, settings: BotSettings) -> Finding:
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


async def _check_commands(client: discord.Client, application_id: int) -> Finding:
    what = "Discord: commands"
    tree: app_commands.CommandTree[Any] = app_commands.CommandTree(client)
    for command in COMMANDS:
        tree.add_command(command)
    await tree.set_translator(FluentTranslator())
    if await is_current(tree, application_id):
        return good(what, f"Discord knows all {len(COMMANDS)}")
    found = "Discord knows none, or those of another version"
    return warning(what, found, "Start the bot, which tells them; or see its log")


async def _list_servers(client: discord.Client) -> AsyncIterator[dict[str, Any]]:
    """Yield the servers with their `permissions`, which discord.py's own object leaves out."""
    after = 0
    while True:
        page = await client.http.get_guilds(PAGE, after=after)
        for server in page:
            yield dict(server)
        if len(page) < PAGE:
            return
        after = max(int(server["id"]) for server in page)


def check_servers(servers: list[dict[str, Any]], invite: str) -> list[Finding]:
    """Return a finding for each server that lacks a permission, else one for all."""
    what = "Discord: servers"
    if not servers:
        return [warning(what, "in none yet", f"Invite it: {invite}")]
    faulty = [found for server in servers if (found := _check_server(server, invite))]
    needed = sum(is_needed for _, is_needed in NEEDED)
    link = good("Discord: invite", f"{invite} ({needed} permissions)")
    return [*(faulty or [good(what, f"{len(servers)}, all permissions held")]), link]


def _check_server(server: dict[str, Any], invite: str) -> Finding | None:
    granted = discord.Permissions(int(server["permissions"]))
    what = f"Discord: {server['name']}"
    if lacking := missing_permissions(granted):
        todo = f"Allow it to its role, or invite it again: {invite}"
        return fault(what, f"may not {', '.join(lacking)}", todo)
    if granted.administrator:
        return warning(what, "is an administrator", "Take that from its role; it needs far less")
    return None


def invitation(application_id: int) -> str:
    """Return the address where an admin invites the bot, with exactly these permissions."""
    scopes = ("bot", "applications.commands")
    return discord.utils.oauth_url(application_id, permissions=NEEDED, scopes=scopes)


def missing_permissions(granted: discord.Permissions) -> list[str]:
    """Return the needed permissions that are missing, in words such as `attach files`."""
    if granted.administrator:
        return []
    return [
        name.replace("_", " ") for name, needed in NEEDED if needed and not getattr(granted, name)
    ]
