"""A server as GUILD_CREATE describes it to a bot."""

from playground.discord.intents import Intent
from playground.discord.json_types import THREADS, Json
from playground.discord.state import ServerState


def build_guild_create(state: ServerState, guild_id: str, intents: Intent) -> Json:
    """A server as GUILD_CREATE describes it."""
    bot = state.bot["id"]
    # Without the presence intent a bot is told of itself alone and asks for the others.
    everybody = Intent.GUILD_PRESENCES in intents
    members = [m for u, m in state.members[guild_id].items() if everybody or u == bot]
    mine = [c for c in state.channels.values() if c.get("guild_id") == guild_id]
    visible = [c for c in mine if state.can_view(bot, c["id"])]
    return {
        **state.guilds[guild_id],
        "unavailable": False,
        "large": False,
        "joined_at": state.members[guild_id][bot]["joined_at"],
        "member_count": len(state.members[guild_id]),
        "members": members,
        "channels": [c for c in visible if c["type"] not in THREADS],
        "threads": [
            c for c in visible if c["type"] in THREADS and not c["thread_metadata"]["archived"]
        ],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
