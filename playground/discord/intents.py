"""Gateway intents: the events that a bot gets, and the message content that it may read.

https://discord.com/developers/docs/events/gateway#list-of-intents
"""

from enum import IntFlag

from playground.discord.event_bus import DiscordEvent
from playground.discord.json_types import Json
from playground.discord.state import ServerState


class Intent(IntFlag):
    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
# The "limited" application flags, which verified and small bots alike carry.
APPLICATION_FLAGS = {
    Intent.GUILD_PRESENCES: 1 << 13,
    Intent.GUILD_MEMBERS: 1 << 15,
    Intent.MESSAGE_CONTENT: 1 << 19,
}

# Without the content intent: https://discord.com/developers/docs/events/gateway#message-content-intent
_HIDDEN: Json = {"content": "", "embeds": [], "attachments": [], "components": []}
_NEVER = Intent(0)
# event: the intent for servers, the one for DMs
_REQUIRED_INTENTS: dict[str, tuple[Intent, Intent]] = {
    "GUILD_CREATE": (Intent.GUILDS, _NEVER),
    "GUILD_DELETE": (Intent.GUILDS, _NEVER),
    "GUILD_ROLE_CREATE": (Intent.GUILDS, _NEVER),
    "GUILD_ROLE_UPDATE": (Intent.GUILDS, _NEVER),
    "CHANNEL_CREATE": (Intent.GUILDS, _NEVER),  # none for DMs, since version 8 of the API
    "CHANNEL_UPDATE": (Intent.GUILDS, _NEVER),
    "CHANNEL_DELETE": (Intent.GUILDS, _NEVER),
    "THREAD_CREATE": (Intent.GUILDS, _NEVER),
    "THREAD_UPDATE": (Intent.GUILDS, _NEVER),
    "THREAD_DELETE": (Intent.GUILDS, _NEVER),
    "THREAD_MEMBERS_UPDATE": (Intent.GUILDS | Intent.GUILD_MEMBERS, _NEVER),
    "GUILD_MEMBER_ADD": (Intent.GUILD_MEMBERS, _NEVER),
    "GUILD_MEMBER_REMOVE": (Intent.GUILD_MEMBERS, _NEVER),
    "PRESENCE_UPDATE": (Intent.GUILD_PRESENCES, _NEVER),
    "MESSAGE_CREATE": (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    "MESSAGE_UPDATE": (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    "MESSAGE_DELETE": (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    "MESSAGE_REACTION_ADD": (Intent.GUILD_MESSAGE_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS),
    "MESSAGE_REACTION_REMOVE": (Intent.GUILD_MESSAGE_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS),
    "TYPING_START": (Intent.GUILD_MESSAGE_TYPING, Intent.DIRECT_MESSAGE_TYPING),
}


def filter_event(event: DiscordEvent, intents: Intent, state: ServerState) -> Json | None:
    """Return the data that a session with these intents gets, or None for no event."""
    in_guild, in_dm = _REQUIRED_INTENTS.get(event.name, (_NEVER, _NEVER))
    needed = in_guild if event.guild is not None else in_dm
    if not needed & intents or not _can_bot_see(event, state):
        return None
    if event.name in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
        return hide_content(event.data, intents, state.bot["id"])
    return event.data


def _can_bot_see(event: DiscordEvent, state: ServerState) -> bool:
    if event.guild is not None and not state.has_bot(event.guild):
        return False
    if event.channel is None or event.channel not in state.channels:
        return True
    return state.can_view(state.bot["id"], event.channel)


def hide_content(message: Json, intents: Intent, bot: str) -> Json:
    """Empty the contents that a bot without the content intent may not read.

    It may read DMs, its own messages and those that mention it. The same holds for the message
    that is replied to.
    """
    if Intent.MESSAGE_CONTENT in intents or "guild_id" not in message:
        return message
    shown = dict(message)
    if shown.get("referenced_message"):
        quoted = hide_content({**message["referenced_message"], "guild_id": "0"}, intents, bot)
        shown["referenced_message"] = {k: v for k, v in quoted.items() if k != "guild_id"}
    if message["author"]["id"] == bot or any(user["id"] == bot for user in message["mentions"]):
        return shown
    shown.pop("poll", None)
    if "message_snapshots" in shown:
        copies = [
            {"message": {**each["message"], **_HIDDEN}} for each in shown["message_snapshots"]
        ]
        shown["message_snapshots"] = copies
    return {**shown, **_HIDDEN}
