"""The state of the local Discord: users, servers, channels and messages, in Discord's shapes.

A lookup of an unknown id raises the error that Discord would answer.
"""

import base64
import copy
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playground.discord import permissions
from playground.discord.clock import Clock, Snowflakes, format_timestamp
from playground.discord.components import media_items
from playground.discord.errors import missing_access_error, missing_permissions_error, unknown_error
from playground.discord.event_bus import DiscordEvent, EventBus
from playground.discord.json_types import THREADS, ChannelType, Json, MessageFlag
from playground.discord.permissions import Permission

if TYPE_CHECKING:
    from playground.discord.fault_injection import MessageFilter

# The fields of a new server.
NEW_GUILD: Json = {
    "icon": None,
    "description": None,
    "home_header": None,
    "splash": None,
    "discovery_splash": None,
    "banner": None,
    "application_id": None,
    "region": "deprecated",
    "features": [],
    "preferred_locale": "en-US",
    "afk_channel_id": None,
    "afk_timeout": 300,
    "system_channel_id": None,
    "system_channel_flags": 0,
    "rules_channel_id": None,
    "public_updates_channel_id": None,
    "safety_alerts_channel_id": None,
    "widget_enabled": False,
    "widget_channel_id": None,
    "verification_level": 0,
    "default_message_notifications": 0,
    "explicit_content_filter": 0,
    "mfa_level": 0,
    "nsfw": False,
    "nsfw_level": 0,
    "premium_tier": 0,
    "premium_subscription_count": 0,
    "premium_progress_bar_enabled": False,
    "vanity_url_code": None,
    "max_presences": None,
    "max_members": 500_000,
    "max_video_channel_users": 25,
    "max_stage_video_channel_users": 50,
    "hub_type": None,
    "incidents_data": None,
    "emojis": [],
    "stickers": [],
}


@dataclass(slots=True, eq=False)
class StoredMessage:
    data: Json  # Discord's message object
    visible_to: str | None = None  # of an ephemeral message, the one user who sees it
    responds_to: str | None = None  # the interaction or message it responds to
    pinged: tuple[str, ...] = ()
    reactions: dict[str, list[str]] = field(default_factory=dict)  # users by emoji

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def channel(self) -> str:
        return str(self.data["channel_id"])

    @property
    def author(self) -> str:
        return str(self.data["author"]["id"])

    @property
    def flags(self) -> MessageFlag:
        return MessageFlag(self.data["flags"])

    def to_json(self) -> Json:
        """Return Discord's message object.

        `attachments` has the files that no component and no embed shows. `reactions` is left out
        where there are none.
        """
        data: Json = copy.deepcopy(self.data)
        places = list(media_items(data["components"]))
        places += [e[key] for e in data["embeds"] for key in ("image", "thumbnail") if key in e]
        used = {place.get("attachment_id") for place in places}
        data["attachments"] = [a for a in data["attachments"] if a["id"] not in used]
        if not data["reactions"]:
            del data["reactions"]
        return data


def new_token(bot: str) -> str:
    """Create a token like Discord's. Libraries read the bot's id from its first part."""
    name = base64.urlsafe_b64encode(bot.encode()).decode().rstrip("=")
    return f"{name}.{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(28)}"


@dataclass
class ServerState:
    """Everything in memory. `url` is the server's address, which is known once it listens."""

    clock: Clock = field(default_factory=Clock)
    bus: EventBus = field(default_factory=EventBus)
    url: str = ""
    bot_name: str = "commonroom"
    privileged_intents: int = -1  # those that the application may use; -1 is all

    def __post_init__(self) -> None:
        self.snowflakes = Snowflakes(self.clock)
        self.users: dict[str, Json] = {}
        self.guilds: dict[str, Json] = {}
        self.members: dict[str, dict[str, Json]] = {}  # by guild, by user
        self.channels: dict[str, Json] = {}
        self.messages: dict[str, dict[str, StoredMessage]] = {}  # by channel, by id, oldest first
        self.thread_members: dict[str, dict[str, str]] = {}  # when each user joined, by thread
        self.presences: dict[str, Json] = {}
        self.filters: list[MessageFilter] = []
        self._positions: Counter[str] = Counter()  # of each guild's next channel
        self.bot = self.add_user(self.bot_name, bot=True)
        self.token = new_token(self.bot["id"])

    # --- people and servers -------------------------------------------------------------------

    def add_user(self, name: str, *, bot: bool = False) -> Json:
        user: Json = {
            "id": self.snowflakes.next(),
            "username": name,
            "global_name": None if bot else name,
            "discriminator": "0",
            "avatar": None,
            "bot": bot,
            "flags": 0,
            "public_flags": 0,
            "banner": None,
            "accent_color": None,
            "avatar_decoration_data": None,
            "collectibles": None,
            "primary_guild": None,
        }
        self.users[user["id"]] = user
        return user

    def add_guild(self, name: str, *, with_bot: bool = True) -> Json:
        guild_id = self.snowflakes.next()
        owner = self.add_user(f"{name}-owner")
        guild: Json = {
            **copy.deepcopy(NEW_GUILD),
            "id": guild_id,
            "name": name,
            "owner_id": owner["id"],
            "roles": [permissions.build_role(guild_id, "@everyone", permissions.EVERYONE)],
        }
        self.guilds[guild_id] = guild
        self.members[guild_id] = {}
        self.add_member(guild, owner)
        if with_bot:
            self.add_member(guild, self.bot)
        return guild

    def add_member(self, guild: Json, user: Json) -> Json:
        member: Json = {
            "user": user,
            "nick": None,
            "avatar": None,
            "banner": None,
            "roles": [],
            "joined_at": format_timestamp(self.clock.now()),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
        }
        self.members[guild["id"]][user["id"]] = member
        if user["bot"]:
            member["roles"].append(self._add_managed_role(guild, user)["id"])
        self.publish("GUILD_MEMBER_ADD", {**member, "guild_id": guild["id"]}, guild=guild["id"])
        return member

    def add_role(self, guild: Json, name: str, allow: Permission = Permission.NONE) -> Json:
        role = permissions.build_role(
            self.snowflakes.next(), name, allow, position=len(guild["roles"])
        )
        guild["roles"].append(role)
        self.publish(
            "GUILD_ROLE_CREATE", {"guild_id": guild["id"], "role": role}, guild=guild["id"]
        )
        return role

    def _add_managed_role(self, guild: Json, bot: Json) -> Json:
        """Add the role with the bot's name. Discord creates it, and no other member can have it."""
        role = permissions.build_role(
            self.snowflakes.next(), bot["username"], Permission.NONE, position=len(guild["roles"])
        )
        role |= {"managed": True, "mentionable": True, "tags": {"bot_id": bot["id"]}}
        guild["roles"].append(role)
        return role

    def has_bot(self, guild: str) -> bool:
        return self.bot["id"] in self.members[guild]

    def guild(self, guild_id: str) -> Json:
        if guild_id not in self.guilds:
            raise unknown_error("Guild")
        return self.guilds[guild_id]

    def user(self, user_id: str) -> Json:
        if user_id not in self.users:
            raise unknown_error("User")
        return self.users[user_id]

    def member(self, guild_id: str, user_id: str) -> Json:
        member = self.members.get(guild_id, {}).get(user_id)
        if member is None:
            raise unknown_error("Member")
        return member

    # --- channels -----------------------------------------------------------------------------

    def add_channel(
        self,
        guild: Json,
        name: str,
        *,
        topic: str | None = None,
        kind: ChannelType = ChannelType.TEXT,
        **fields: Any,
    ) -> Json:
        channel = self._create_channel(
            kind,
            name=name,
            guild_id=guild["id"],
            position=self._positions[guild["id"]],
            permission_overwrites=[],
            parent_id=None,
            nsfw=False,
            topic=topic,
            rate_limit_per_user=0,
            **fields,
        )
        self._positions[guild["id"]] += 1
        self.publish("CHANNEL_CREATE", channel, channel=channel["id"])
        return channel

    def add_thread(
        self,
        parent: Json,
        name: str,
        owner: str,
        *,
        starter: StoredMessage | None = None,
        kind: ChannelType = ChannelType.PUBLIC_THREAD,
        auto_archive_minutes: int = 1440,
        tags: Sequence[str] = (),
    ) -> Json:
        """Create a thread. `tags` are the ids of a forum post's tags."""
        now = format_timestamp(self.clock.now())
        thread = self._create_channel(
            kind,
            channel_id=starter.id if starter else None,
            applied_tags=list(tags),
            name=name,
            guild_id=parent["guild_id"],
            parent_id=parent["id"],
            owner_id=owner,
            message_count=0,
            member_count=1,
            total_message_sent=0,
            rate_limit_per_user=0,
            thread_metadata={
                "archived": False,
                "auto_archive_duration": auto_archive_minutes,
                "archive_timestamp": now,
                "create_timestamp": now,
                "locked": False,
            },
        )
        self.thread_members[thread["id"]] = {owner: now}
        self.publish("THREAD_CREATE", {**thread, "newly_created": True}, channel=thread["id"])
        if starter is not None:
            starter.data["flags"] |= MessageFlag.HAS_THREAD
            starter.data["thread"] = thread
            self.publish_message("MESSAGE_UPDATE", starter)
        return thread

    def open_dm(self, user_id: str) -> Json:
        """Return the direct channel of this user and the bot. Create it where there is none."""
        for channel in self.channels.values():
            if channel["type"] == ChannelType.DM and channel["recipients"][0]["id"] == user_id:
                return channel
        channel = self._create_channel(ChannelType.DM, recipients=[self.user(user_id)])
        self.publish("CHANNEL_CREATE", channel, channel=channel["id"])
        return channel

    def _create_channel(
        self, kind: ChannelType, *, channel_id: str | None = None, **fields: object
    ) -> Json:
        channel: Json = {
            "id": channel_id or self.snowflakes.next(),
            "type": int(kind),
            "last_message_id": None,
            "flags": 0,
            **fields,
        }
        self.channels[channel["id"]] = channel
        self.messages[channel["id"]] = {}
        return channel

    def remove_channel(self, channel: Json) -> None:
        """Delete a channel with its messages and threads."""
        for thread in [c for c in self.channels.values() if c.get("parent_id") == channel["id"]]:
            self.remove_channel(thread)
        event = "THREAD_DELETE" if channel["type"] in THREADS else "CHANNEL_DELETE"
        self.publish(event, channel, channel=channel["id"])
        del self.channels[channel["id"]]
        del self.messages[channel["id"]]

    def set_thread_member(self, thread: Json, user: str, *, present: bool) -> None:
        members = self.thread_members[thread["id"]]
        changed = (user not in members) if present else (user in members)
        if not changed:
            return
        joined = format_timestamp(self.clock.now())
        if present:
            members[user] = joined
        else:
            del members[user]
        thread["member_count"] = len(members)
        entry = {"id": thread["id"], "user_id": user, "join_timestamp": joined}
        self.publish(
            "THREAD_MEMBERS_UPDATE",
            {
                "id": thread["id"],
                "guild_id": thread["guild_id"],
                "member_count": len(members),
                "added_members": [{**entry, "flags": 0}] if present else [],
                "removed_member_ids": [] if present else [user],
            },
            channel=thread["id"],
        )

    def set_archived(self, thread: Json, *, archived: bool, locked: bool = False) -> None:
        thread["thread_metadata"] |= {
            "archived": archived,
            "locked": locked,
            "archive_timestamp": format_timestamp(self.clock.now()),
        }
        self.publish("THREAD_UPDATE", thread, channel=thread["id"])

    def channel(self, channel_id: str) -> Json:
        if channel_id not in self.channels:
            raise unknown_error("Channel")
        return self.channels[channel_id]

    def message(self, channel_id: str, message_id: str) -> StoredMessage:
        message = self.messages.get(channel_id, {}).get(message_id)
        if message is None:
            raise unknown_error("Message")
        return message

    # --- permissions --------------------------------------------------------------------------

    def permissions(self, user_id: str, channel: Json) -> Permission:
        if channel["type"] == ChannelType.DM:
            mine = user_id in (channel["recipients"][0]["id"], self.bot["id"])
            return permissions.EVERYONE if mine else Permission.NONE
        member = self.members[channel["guild_id"]].get(user_id)
        if member is None:
            return Permission.NONE
        carrier = self.channels[channel["parent_id"]] if channel["type"] in THREADS else channel
        granted = permissions.channel_permissions(self.guilds[channel["guild_id"]], member, carrier)
        private = channel["type"] == ChannelType.PRIVATE_THREAD
        if private and user_id not in self.thread_members[channel["id"]]:
            return granted if Permission.MANAGE_THREADS in granted else Permission.NONE
        return granted

    def can_view(self, user_id: str, channel_id: str) -> bool:
        channel = self.channels.get(channel_id)
        return channel is not None and Permission.VIEW_CHANNEL in self.permissions(user_id, channel)

    def require(self, user_id: str, channel: Json, *needed: Permission) -> None:
        """Raise 50001 where the channel is hidden, and 50013 where a permission is missing."""
        granted = self.permissions(user_id, channel)
        if Permission.VIEW_CHANNEL not in granted:
            raise missing_access_error()
        if any(permission not in granted for permission in needed):
            raise missing_permissions_error()

    # --- publishing events --------------------------------------------------------------------

    def publish(
        self,
        event: str,
        data: Json,
        *,
        channel: str | None = None,
        guild: str | None = None,
        visible_to: str | None = None,
        responds_to: str | None = None,
        pinged: tuple[str, ...] = (),
    ) -> None:
        if channel is not None:
            guild = self.channels[channel].get("guild_id")
        snapshot = copy.deepcopy(data)
        self.bus.publish(
            DiscordEvent(
                event, snapshot, self.clock.now(), channel, guild, visible_to, responds_to, pinged
            )
        )

    def publish_typing(self, user: str, channel: Json) -> None:
        data: Json = {
            "channel_id": channel["id"],
            "user_id": user,
            "timestamp": int(self.clock.now()),
        }
        if "guild_id" in channel:
            data["guild_id"] = channel["guild_id"]
            data["member"] = self.members[channel["guild_id"]][user]
        self.publish("TYPING_START", data, channel=channel["id"])

    def publish_message(
        self, event: str, message: StoredMessage, *, responds_to: str | None = None
    ) -> None:
        self.publish(
            event,
            message.to_json(),
            channel=message.channel,
            visible_to=message.visible_to,
            responds_to=responds_to or message.responds_to,
            pinged=message.pinged if event == "MESSAGE_CREATE" else (),
        )
