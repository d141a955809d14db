"""Registration of the commands with Discord, only where Discord knows others.

Each registration counts against a daily limit and makes people's clients reload the list.
"""

import logging
from typing import Any

import discord
from discord import app_commands
from discord.http import Route

log = logging.getLogger(__name__)

Json = Any


async def sync_if_changed(tree: app_commands.CommandTree[Any], application_id: int) -> bool:
    """Register the commands where Discord knows others. Return whether that was needed."""
    if await is_current(tree, application_id):
        return False
    await tree.sync()
    log.info("commands registered with Discord count=%d", len(tree.get_commands()))
    return True


async def is_current(tree: app_commands.CommandTree[Any], application_id: int) -> bool:
    """Return whether Discord knows these commands with these texts."""
    translator = tree.translator
    if translator is None:
        wanted = [command.to_dict(tree) for command in tree.get_commands()]
    else:
        wanted = [await c.get_translated_payload(tree, translator) for c in tree.get_commands()]
    return _same_commands(await _fetch_commands(tree.client, application_id), wanted)


async def _fetch_commands(client: discord.Client, application_id: int) -> list[Json]:
    # discord.py's own call omits the translations.
    route = Route("GET", "/applications/{application_id}/commands", application_id=application_id)
    known: list[Json] = await client.http.request(route, params={"with_localizations": "true"})
    return known


def _same_commands(known: list[Json], wanted: list[Json]) -> bool:
    def by_name(command: Json) -> tuple[int, str]:
        return command.get("type", 1), command["name"]

    return _includes(sorted(known, key=by_name), sorted(wanted, key=by_name))


def _includes(known: Json, wanted: Json) -> bool:
    """Return whether Discord's object has all of our fields; it may have more, such as ids."""
    if isinstance(wanted, dict):
        known = known if isinstance(known, dict) else {}
        return all(_includes(known.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list | tuple):
        known = known if isinstance(known, list) else []
        pairs = zip(known, wanted, strict=False)
        return len(known) == len(wanted) and all(_includes(k, w) for k, w in pairs)
    if not wanted and not known:  # null, false and absent are the same to Discord
        return True
    return str(known) == str(wanted)  # permissions are numbers here and strings there
