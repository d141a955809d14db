"""Reactions: one per user and emoji on a message."""

from playground.discord.errors import DiscordError, unknown_error
from playground.discord.state import ServerState, StoredMessage

MAX_EMOJI = 20  # of emoji on one message


def react(state: ServerState, message: StoredMessage, user: str, emoji: str) -> None:
    if emoji not in message.reactions and len(message.reactions) >= MAX_EMOJI:
        raise DiscordError(400, 30010, f"Maximum number of reactions reached ({MAX_EMOJI})")
    users = message.reactions.setdefault(emoji, [])
    if user not in users:
        users.append(user)
        _publish_change(state, "MESSAGE_REACTION_ADD", message, user, emoji)


def unreact(state: ServerState, message: StoredMessage, user: str, emoji: str) -> None:
    users = message.reactions.get(emoji, [])
    if user not in users:
        raise unknown_error("Emoji")
    users.remove(user)
    if not users:
        del message.reactions[emoji]
    _publish_change(state, "MESSAGE_REACTION_REMOVE", message, user, emoji)


def _publish_change(
    state: ServerState, event: str, message: StoredMessage, user: str, emoji: str
) -> None:
    bot = state.bot["id"]
    message.data["reactions"] = [
        {
            "emoji": {"id": None, "name": name},
            "count": len(users),
            "count_details": {"normal": len(users), "burst": 0},
            "burst_colors": [],
            "me": bot in users,
            "me_burst": False,
        }
        for name, users in message.reactions.items()
    ]
    data: dict[str, object] = {
        "user_id": user,
        "channel_id": message.channel,
        "message_id": message.id,
        "message_author_id": message.author,
        "emoji": {"id": None, "name": emoji},
        "burst": False,
        "type": 0,
    }
    if "guild_id" in message.data:
        data["guild_id"] = message.data["guild_id"]
        data["member"] = state.members[message.data["guild_id"]][user]
    state.publish(event, data, channel=message.channel)
