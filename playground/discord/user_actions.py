"""The actions of users on the local Discord, for the page, the scripts and tests.

Arguments name users and channels by id or by name, and messages by id. An action that Discord's
client would not let a person do raises `UserError`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from playground.discord.backend import Backend
from playground.discord.errors import DiscordError
from playground.discord.event_bus import DiscordEvent, Subscription
from playground.discord.interaction_payloads import (
    command_data,
    component_data,
    context_menu_data,
    find_by_name,
    insert_mentions,
    modal_data,
)
from playground.discord.interactions import Interaction
from playground.discord.json_types import (
    THREADS,
    ChannelType,
    File,
    InteractionType,
    Json,
    UserError,
)
from playground.discord.messages import FORWARD, Origin
from playground.discord.permissions import Permission, send_permission
from playground.discord.state import StoredMessage

Options = Mapping[str, Any]
SNAPSHOT_MESSAGES = 200  # the newest ones of each channel


class UserActions:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.state = backend.state
        self.guild = self.state.add_guild("playground")
        self.general = self.create_channel("general")

    # --- reading ------------------------------------------------------------------------------

    def subscribe(self) -> Subscription:
        """Return all events from now on: `with world.subscribe() as events: async for e in events`.

        `can_see(user, event)` tells who sees an event.
        """
        return Subscription(self.state.bus)

    def can_see(self, user: str, event: DiscordEvent) -> bool:
        if event.visible_to is not None and event.visible_to != user:
            return False
        if event.channel is not None and event.channel in self.state.channels:
            return self.state.can_view(user, event.channel)
        return event.guild is None or user in self.state.members[event.guild]

    def snapshot(self, user: str) -> Json:
        """Return everything that one person sees now, in Discord's shapes.

        `guilds`, `dms`, `messages` by channel (oldest first), `commands` by guild ("" is DMs).
        """
        user_id = self.user(user)["id"]
        guilds = [g for g in self.state.guilds if user_id in self.state.members[g]]
        visible = [c for c in self.state.channels.values() if self.state.can_view(user_id, c["id"])]
        return {
            "user": self.state.users[user_id],
            "bot": self.state.bot,
            "bot_online": self.backend.gateway.is_online,
            "guilds": [self._guild_snapshot(guild, visible) for guild in guilds],
            "dms": [c for c in visible if c["type"] == ChannelType.DM],
            "messages": {
                c["id"]: [
                    self.backend.messages.present(message)
                    for message in self.messages(c["id"], user_id)[-SNAPSHOT_MESSAGES:]
                ]
                for c in visible
            },
            "commands": {g: self.backend.commands.list_usable(g) for g in guilds}
            | {"": self.backend.commands.list_usable(None)},
            "presences": dict(self.state.presences),
        }

    def _guild_snapshot(self, guild: str, visible: list[Json]) -> Json:
        channels = [c for c in visible if c.get("guild_id") == guild]
        return {
            **self.state.guilds[guild],
            "channels": [c for c in channels if c["type"] not in THREADS],
            "threads": [c for c in channels if c["type"] in THREADS],
            "members": list(self.state.members[guild].values()),
        }

    def messages(self, channel: str, viewer: str | None = None) -> list[StoredMessage]:
        """Return messages, oldest first. A viewer does not get ephemeral ones of other users."""
        everything = self.state.messages[self.channel(channel)["id"]].values()
        viewer_id = None if viewer is None else self.user(viewer)["id"]
        return [m for m in everything if viewer is None or m.visible_to in (None, viewer_id)]

    def user(self, who: str) -> Json:
        return self.state.users.get(who) or find_by_name(self.state.users.values(), who)

    def channel(self, where: str) -> Json:
        return self.state.channels.get(where) or find_by_name(self.state.channels.values(), where)

    # --- creating -----------------------------------------------------------------------------

    def create_user(self, name: str, guild: Json | None = None) -> Json:
        user = self.state.add_user(name)
        self.state.add_member(guild or self.guild, user)
        return user

    def make_admin(self, user: str) -> None:
        """Give a user the permission to manage the server and its channels."""
        allowed = Permission.MANAGE_GUILD | Permission.MANAGE_CHANNELS
        role = self.state.add_role(self.guild, "admins", allowed)
        self.state.members[self.guild["id"]][self.user(user)["id"]]["roles"].append(role["id"])

    def create_guild(self, name: str, *, with_bot: bool = True) -> Json:
        return self.state.add_guild(name, with_bot=with_bot)

    def create_channel(
        self, name: str, guild: Json | None = None, kind: ChannelType = ChannelType.TEXT
    ) -> Json:
        heard = kind in (ChannelType.VOICE, ChannelType.STAGE)
        fields: Json = {"bitrate": 64_000, "user_limit": 0, "rtc_region": None} if heard else {}
        return self.state.add_channel(guild or self.guild, name, kind=kind, **fields)

    def create_forum(self, name: str, tags: Sequence[str] = ()) -> Json:
        available = [
            {
                "id": self.state.snowflakes.next(),
                "name": tag,
                "moderated": False,
                "emoji_id": None,
                "emoji_name": None,
            }
            for tag in tags
        ]
        return self.state.add_channel(
            self.guild, name, kind=ChannelType.FORUM, available_tags=available
        )

    async def create_forum_post(
        self,
        user: str,
        forum: str,
        title: str,
        content: str,
        files: Sequence[File] = (),
        *,
        tags: Sequence[str] = (),
    ) -> StoredMessage:
        """Create a post and return its first message. Both have the same id."""
        author, place = self._resolve(user, forum, Permission.SEND_MESSAGES)
        wanted = [tag["id"] for tag in place["available_tags"] if tag["name"] in tags]
        thread = self.state.add_thread(place, title, author, tags=wanted)
        return await self.say(user, thread["id"], content, files, extra={"id": thread["id"]})

    def create_thread(
        self, user: str, channel: str, name: str, *, message: str | None = None
    ) -> Json:
        author, place = self._resolve(user, channel, Permission.CREATE_PUBLIC_THREADS)
        starter = self.state.message(place["id"], message) if message else None
        return self.state.add_thread(place, name, author, starter=starter)

    def archive_thread(self, thread: str, *, locked: bool = False) -> None:
        """Archive a thread, as a moderator does, or Discord after some time."""
        self.state.set_archived(self.channel(thread), archived=True, locked=locked)

    def open_dm(self, user: str) -> Json:
        """Return the direct channel between this user and the bot."""
        return self.state.open_dm(self.user(user)["id"])

    def set_permissions(
        self,
        channel: str,
        whom: str,
        *,
        allow: Permission = Permission.NONE,
        deny: Permission = Permission.NONE,
    ) -> None:
        """Overwrite a channel's permissions for a user or role id, or for "@everyone"."""
        place = self.channel(channel)
        roles = self.state.guilds[place["guild_id"]]["roles"]
        role = next((r for r in roles if whom in (r["id"], r["name"])), None)
        target = role["id"] if role else self.user(whom)["id"]
        kept = [o for o in place["permission_overwrites"] if o["id"] != target]
        overwrite = {
            "id": target,
            "type": 0 if role else 1,
            "allow": str(int(allow)),
            "deny": str(int(deny)),
        }
        place["permission_overwrites"] = [*kept, overwrite]
        self.state.publish("CHANNEL_UPDATE", place, channel=place["id"])

    # --- writing ------------------------------------------------------------------------------

    async def say(
        self,
        user: str,
        channel: str,
        content: str,
        files: Sequence[File] = (),
        *,
        reply_to: str | None = None,
        ping: bool = True,
        stickers: Sequence[str] = (),
        poll: Json | None = None,
        extra: Json | None = None,
    ) -> StoredMessage:
        """Write a message.

        `stickers` are names, `poll` is Discord's request for one. `extra` holds fields of the
        message that Discord sets by itself.
        """
        author, place = self._resolve(user, channel)
        self._require(author, place, send_permission(place))
        body: Json = {"content": insert_mentions(self.state, content)}
        if reply_to is not None:
            body["message_reference"] = {"message_id": reply_to}
            body["allowed_mentions"] = {"parse": ["users", "roles", "everyone"]}
            body["allowed_mentions"]["replied_user"] = ping
        more = dict(extra or {})
        if stickers:
            sent = [
                {"id": self.state.snowflakes.next(), "name": s, "format_type": 1} for s in stickers
            ]
            more["sticker_items"] = sent
            body["sticker_ids"] = [sticker["id"] for sticker in sent]
        if poll is not None:
            body["poll"] = poll
        return self._post(place, body, files, Origin(self.state.users[author], extra=more))

    def _post(
        self, place: Json, body: Json, files: Sequence[File], origin: Origin
    ) -> StoredMessage:
        try:
            return self.backend.messages.post(place, body, files, origin)
        except DiscordError as error:
            raise UserError(str(error)) from error

    async def forward(self, user: str, channel: str, message: str, to: str) -> StoredMessage:
        """Forward a message of `channel` to another place, or to the same one."""
        _, source = self._resolve(user, channel, Permission.READ_MESSAGE_HISTORY)
        author, place = self._resolve(user, to)
        reference = {"type": FORWARD, "channel_id": source["id"], "message_id": message}
        origin = Origin(self.state.users[author])
        return self._post(place, {"message_reference": reference}, (), origin)

    async def send_webhook_message(
        self, name: str, channel: str, body: Json, files: Sequence[File] = ()
    ) -> StoredMessage:
        """Send a message of a webhook with this name. `body` is Discord's request."""
        place = self.channel(channel)
        hook = self.state.snowflakes.next()
        author = {
            "id": hook,
            "username": name,
            "global_name": None,
            "discriminator": "0000",
            "avatar": None,
            "bot": True,
            "flags": 0,
            "public_flags": 0,
            "primary_guild": None,
        }
        return self._post(place, body, files, Origin(author, extra={"webhook_id": hook}))

    async def send_system_message(
        self, user: str, channel: str, kind: int, content: str = ""
    ) -> StoredMessage:
        """Create a message that Discord writes in a user's name, such as for a pin."""
        author, place = self._resolve(user, channel)
        origin = Origin(self.state.users[author], extra={"type": kind})
        return self._post(place, {"content": content}, (), origin)

    async def reply(
        self,
        user: str,
        channel: str,
        message: str,
        content: str,
        files: Sequence[File] = (),
        *,
        ping: bool = True,
    ) -> StoredMessage:
        return await self.say(user, channel, content, files, reply_to=message, ping=ping)

    async def edit_message(
        self, user: str, channel: str, message: str, content: str
    ) -> StoredMessage:
        author, place = self._resolve(user, channel)
        found = self.state.message(place["id"], message)
        if found.author != author:
            raise UserError("only one's own messages can be edited")
        return self.backend.messages.edit(found, {"content": insert_mentions(self.state, content)})

    async def delete_message(self, user: str, channel: str, message: str) -> None:
        """Delete a message: one's own, an ephemeral answer to oneself, or any as a moderator."""
        author, place = self._resolve(user, channel)
        found = self.state.message(place["id"], message)
        if author not in (found.author, found.visible_to):
            self._require(author, place, Permission.MANAGE_MESSAGES)
        self.backend.messages.delete(found)

    async def react(self, user: str, channel: str, message: str, emoji: str) -> None:
        author, place = self._resolve(user, channel, Permission.ADD_REACTIONS)
        self.backend.messages.react(self.state.message(place["id"], message), author, emoji)

    async def unreact(self, user: str, channel: str, message: str, emoji: str) -> None:
        author, place = self._resolve(user, channel)
        self.backend.messages.unreact(self.state.message(place["id"], message), author, emoji)

    async def start_typing(self, user: str, channel: str) -> None:
        author, place = self._resolve(user, channel)
        self.state.publish_typing(author, place)

    # --- interacting --------------------------------------------------------------------------

    async def slash(
        self,
        user: str,
        channel: str,
        command: str,
        options: Options | None = None,
        files: Sequence[File] = (),
        *,
        user_installed: bool = False,
        locale: str = "en-US",
    ) -> Interaction:
        """Use a command, such as "chat" or "settings persona". This does not wait for the bot."""
        author, place = self._resolve(user, channel, Permission.USE_APPLICATION_COMMANDS)
        data = command_data(self.backend, place, command, options or {}, files)
        return self.backend.interactions.open(
            InteractionType.COMMAND,
            author,
            place,
            data,
            user_installed=user_installed,
            locale=locale,
        )

    async def autocomplete(
        self,
        user: str,
        channel: str,
        command: str,
        focused: str,
        options: Options,
        *,
        locale: str = "en-US",
    ) -> list[Json]:
        """Return the choices for the option `focused`, or none where the bot does not respond."""
        author, place = self._resolve(user, channel, Permission.USE_APPLICATION_COMMANDS)
        data = command_data(self.backend, place, command, options, focused=focused)
        interaction = self.backend.interactions.open(
            InteractionType.AUTOCOMPLETE, author, place, data, locale=locale
        )
        await interaction.wait_acknowledged()
        return interaction.choices or []

    async def context_menu(
        self, user: str, channel: str, command: str, target: str, *, locale: str = "en-US"
    ) -> Interaction:
        """Use a command of the context menu. `target` is a message's id, or a user."""
        author, place = self._resolve(user, channel, Permission.USE_APPLICATION_COMMANDS)
        data = context_menu_data(self.backend, place, command, target)
        return self.backend.interactions.open(
            InteractionType.COMMAND, author, place, data, locale=locale
        )

    async def click(
        self,
        user: str,
        channel: str,
        message: str,
        component: str,
        values: Sequence[str] = (),
        *,
        locale: str = "en-US",
    ) -> Interaction:
        """Press a button, or choose `values` in a menu. `component` is a custom_id or a label."""
        author, place = self._resolve(user, channel)
        source = self.state.message(place["id"], message)
        if source.visible_to not in (None, author):
            raise UserError("this message is not visible to them")
        data = component_data(self.state, source, component, values)
        return self.backend.interactions.open(
            InteractionType.COMPONENT, author, place, data, source=source, locale=locale
        )

    async def submit_modal(
        self, interaction: Interaction | str, values: Options, *, locale: str = "en-US"
    ) -> Interaction:
        """Submit the modal that this interaction opened. `values` are by custom_id."""
        if isinstance(interaction, str):
            interaction = self.backend.interactions.by_id[interaction]
        if interaction.modal is None:
            raise UserError("no modal is open")
        data = modal_data(self.backend, interaction.modal, values, interaction.channel)
        return self.backend.interactions.open(
            InteractionType.MODAL,
            interaction.user,
            self.state.channel(interaction.channel),
            data,
            source=interaction.source,
            opened_by=interaction,
            user_installed="1" in interaction.owners,
            locale=locale,
        )

    # --- checks -------------------------------------------------------------------------------

    def _resolve(self, user: str, channel: str, *needed: Permission) -> tuple[str, Json]:
        author, place = self.user(user)["id"], self.channel(channel)
        self._require(author, place, Permission.VIEW_CHANNEL, *needed)
        return str(author), place

    def _require(self, user: str, place: Json, *needed: Permission) -> None:
        granted = self.state.permissions(user, place)
        if lacking := [p.name for p in needed if p not in granted]:
            name = self.state.users[user]["username"]
            raise UserError(f"{name} lacks {', '.join(str(p) for p in lacking)} here")
