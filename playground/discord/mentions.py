"""The users and roles that a message mentions, and the users that it pings.

https://discord.com/developers/docs/resources/message#allowed-mentions-object
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from playground.discord.json_types import ChannelType, Json
from playground.discord.permissions import Permission
from playground.discord.state import ServerState, StoredMessage

PARSE_ALL: Json = {"parse": ["users", "roles", "everyone"], "replied_user": True}
# Interactions and webhooks parse only users unless they say otherwise.
PARSE_USERS: Json = {"parse": ["users"], "replied_user": True}

_CODE = re.compile(r"```.*?```|``.*?``|`[^`\n]*`", re.DOTALL)
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Mentions:
    users: tuple[Json, ...] = ()
    roles: tuple[str, ...] = ()
    everyone: bool = False
    pinged: tuple[str, ...] = ()


def find_mentions(
    state: ServerState,
    author: str,
    channel: Json,
    text: str,
    allowed: Json,
    *,
    replied_to: StoredMessage | None = None,
) -> Mentions:
    """Find the mentions in a text, which is the content and the text displays together.

    Code mentions nobody.
    """
    plain = _CODE.sub(" ", text)
    users = [u for u in _filter_allowed(_USER.findall(plain), "users", allowed) if u in state.users]
    if replied_to is not None and allowed.get("replied_user", False):
        users += [replied_to.author] if replied_to.author in state.users else []  # no webhook
    roles = _mentionable_roles(state, author, channel, _ROLE.findall(plain), allowed)
    everyone = (
        bool(_EVERYONE.search(plain))
        and "everyone" in allowed.get("parse", ())
        and Permission.MENTION_EVERYONE in state.permissions(author, channel)
    )
    unique = tuple(dict.fromkeys(users))
    pinged = dict.fromkeys((*unique, *_members_of(state, channel, roles, everyone=everyone)))
    return Mentions(
        users=tuple(state.users[u] for u in unique),
        roles=tuple(roles),
        everyone=everyone,
        pinged=tuple(u for u in pinged if u != author and state.can_view(u, channel["id"])),
    )


def _filter_allowed(ids: Iterable[str], kind: str, allowed: Json) -> list[str]:
    listed = allowed.get(kind) or ()
    return [i for i in ids if kind in allowed.get("parse", ()) or i in listed]


def _mentionable_roles(
    state: ServerState, author: str, channel: Json, ids: list[str], allowed: Json
) -> list[str]:
    if channel["type"] == ChannelType.DM:
        return []
    roles = {r["id"]: r for r in state.guilds[channel["guild_id"]]["roles"]}
    may = Permission.MENTION_EVERYONE in state.permissions(author, channel)
    return [
        i
        for i in dict.fromkeys(_filter_allowed(ids, "roles", allowed))
        if i in roles and (may or roles[i]["mentionable"])
    ]


def _members_of(
    state: ServerState, channel: Json, roles: list[str], *, everyone: bool
) -> Iterable[str]:
    if channel["type"] == ChannelType.DM:
        return ()
    members = state.members[channel["guild_id"]]
    return [u for u, m in members.items() if everyone or set(roles) & set(m["roles"])]
