"""All that one person sees at a moment, as plain JSON in Discord's shapes."""

from playground.discord.backend import Backend
from playground.discord.json_types import THREADS, ChannelType, Json

MAX_MESSAGES = 200  # per channel, newest


def build_snapshot(backend: Backend, user: str) -> Json:
    """`guilds`, `dms`, `messages` by channel (oldest first), `commands` by guild ("" is DMs)."""
    state = backend.state
    guilds = [g for g in state.guilds if user in state.members[g]]
    visible = [c for c in state.channels.values() if state.can_view(user, c["id"])]
    return {
        "user": state.users[user],
        "bot": state.bot,
        "bot_online": backend.gateway.is_online,
        "guilds": [_guild(backend, g, visible) for g in guilds],
        "dms": [c for c in visible if c["type"] == ChannelType.DM],
        "messages": {c["id"]: _messages(backend, c["id"], user) for c in visible},
        "commands": {g: backend.commands.list_usable(g) for g in guilds}
        | {"": backend.commands.list_usable(None)},
        "presences": dict(state.presences),
    }


def _guild(backend: Backend, guild: str, visible: list[Json]) -> Json:
    state = backend.state
    mine = [c for c in visible if c.get("guild_id") == guild]
    return {
        **state.guilds[guild],
        "channels": [c for c in mine if c["type"] not in THREADS],
        "threads": [c for c in mine if c["type"] in THREADS],
        "members": list(state.members[guild].values()),
    }


def _messages(backend: Backend, channel: str, user: str) -> list[Json]:
    everything = backend.state.messages[channel].values()
    shown = [m for m in everything if m.visible_to in (None, user)]
    return [backend.messages.present(m) for m in shown[-MAX_MESSAGES:]]
