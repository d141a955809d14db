"""Permissions of members, from roles and channel overwrites, as Discord computes them.

https://discord.com/developers/docs/topics/permissions#permission-overwrites
"""

from enum import IntFlag

from playground.discord.json_types import THREADS, Json


class Permission(IntFlag):
    NONE = 0
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    PIN_MESSAGES = 1 << 51


ALL = Permission((1 << 52) - 1)

# The permissions of @everyone in a new server.
EVERYONE = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.CREATE_PRIVATE_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
)


def guild_permissions(guild: Json, member: Json) -> Permission:
    """Compute a member's permissions without any channel's overwrites."""
    if guild["owner_id"] == member["user"]["id"]:
        return ALL
    held = {guild["id"], *member["roles"]}
    total = Permission.NONE
    for role in guild["roles"]:
        if role["id"] in held:
            total |= Permission(int(role["permissions"]))
    return ALL if Permission.ADMINISTRATOR in total else total


def channel_permissions(guild: Json, member: Json, channel: Json) -> Permission:
    """Compute a member's permissions in a channel. For a thread, pass its parent."""
    base = guild_permissions(guild, member)
    if base == ALL:
        return ALL
    overwrites = {o["id"]: o for o in channel["permission_overwrites"]}
    base = _apply_overwrites(base, [overwrites.get(guild["id"])])
    base = _apply_overwrites(base, [overwrites.get(role) for role in member["roles"]])
    base = _apply_overwrites(base, [overwrites.get(member["user"]["id"])])
    if Permission.VIEW_CHANNEL not in base:
        return Permission.NONE
    return base


def send_permission(channel: Json) -> Permission:
    """Return the permission that writing in this channel needs."""
    if channel["type"] in THREADS:
        return Permission.SEND_MESSAGES_IN_THREADS
    return Permission.SEND_MESSAGES


def _apply_overwrites(base: Permission, overwrites: list[Json | None]) -> Permission:
    deny = allow = Permission.NONE
    for overwrite in overwrites:
        if overwrite is not None:
            deny |= Permission(int(overwrite["deny"]))
            allow |= Permission(int(overwrite["allow"]))
    return (base & ~deny) | allow


def build_role(role_id: str, name: str, allow: Permission, *, position: int = 0) -> Json:
    """Build a role object."""
    return {
        "id": role_id,
        "name": name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": position,
        "permissions": str(int(allow)),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
