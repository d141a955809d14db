"""Interactions: three seconds to acknowledge, fifteen minutes of token, one response.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from playground.discord import mentions
from playground.discord.errors import DiscordError, unknown
from playground.discord.limits import FILE_BYTES
from playground.discord.messages import Messages, Origin
from playground.discord.permissions import ALL
from playground.discord.shapes import (
    Callback,
    ChannelType,
    File,
    InteractionType,
    Json,
    MessageFlag,
)
from playground.discord.state import Message, State

ACKNOWLEDGE_SECONDS = 3.0
TOKEN_SECONDS = 15 * 60.0
USER_INSTALL_FOLLOWUPS = 5


@dataclass(eq=False)
class Interaction:
    id: str
    token: str
    kind: InteractionType
    user: str
    channel: str
    data: Json
    created: float  # Discord's clock
    source: Message | None = None  # the message whose component was used
    opener: "Interaction | None" = None  # what opened the modal that was sent
    owners: Json = field(default_factory=dict)  # authorizing_integration_owners
    callback: Callback | None = None  # how it was acknowledged
    response: Message | None = None  # @original
    modal: Json | None = None
    choices: list[Json] | None = None
    failed: bool = False  # "The application did not respond"
    listeners: "Sequence[Listener]" = ()
    followups: int = 0
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def unheard(self) -> bool:
        """Whether every bot connection it was sent to is gone, or there was none."""
        return all(listener.closed for listener in self.listeners)

    async def acknowledged(self) -> bool:
        """Wait for the bot; False when it did not respond within three seconds."""
        await self.settled.wait()
        return not self.failed


class Listener(Protocol):
    """A bot's connection to the gateway."""

    @property
    def closed(self) -> bool: ...


class Interactions:
    """`deliver` hands the INTERACTION_CREATE payload to the bot's gateway sessions."""

    def __init__(
        self, state: State, messages: Messages, deliver: Callable[[Json], Sequence[Listener]]
    ) -> None:
        self._state = state
        self._messages = messages
        self._deliver = deliver
        self._by_token: dict[str, Interaction] = {}
        self.by_id: dict[str, Interaction] = {}

    # --- a person acts ------------------------------------------------------------------------

    def open(
        self,
        kind: InteractionType,
        user: str,
        channel: Json,
        data: Json,
        *,
        source: Message | None = None,
        opener: Interaction | None = None,
        user_installed: bool = False,
        locale: str = "en-US",
    ) -> Interaction:
        guild = channel.get("guild_id")
        interaction = Interaction(
            id=self._state.snowflakes.next(),
            token=secrets.token_urlsafe(32),
            kind=kind,
            user=user,
            channel=channel["id"],
            data=data,
            created=self._state.clock.now(),
            source=source,
            opener=opener,
            owners={"1": user} if user_installed else {"0": guild or "0"},
        )
        self._by_token[interaction.token] = interaction
        self.by_id[interaction.id] = interaction
        if kind is not InteractionType.AUTOCOMPLETE:
            self._tell(interaction, "INTERACTION_CREATE")
        self._state.clock.after(ACKNOWLEDGE_SECONDS, lambda: self._give_up(interaction))
        interaction.listeners = self._deliver(self._payload(interaction, channel, locale))
        return interaction

    def _payload(self, interaction: Interaction, channel: Json, locale: str) -> Json:
        user = self._state.users[interaction.user]
        payload: Json = {
            "id": interaction.id,
            "application_id": self._state.bot["id"],
            "type": int(interaction.kind),
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": channel["id"],
            "channel": channel,
            "locale": locale,
            "entitlements": [],
            "authorizing_integration_owners": interaction.owners,
            "attachment_size_limit": FILE_BYTES,
            "app_permissions": str(int(self._state.permissions(self._state.bot["id"], channel))),
        }
        if interaction.source is not None:
            payload["message"] = self._messages.present(interaction.source)
        if channel["type"] == ChannelType.DM:
            return {**payload, "context": 1, "user": user}
        guild = self._state.guilds[channel["guild_id"]]
        member = self._state.members[guild["id"]][interaction.user]
        held = self._state.permissions(interaction.user, channel)
        return {
            **payload,
            "context": 0,
            "guild_id": guild["id"],
            "guild": {"id": guild["id"], "locale": guild["preferred_locale"], "features": []},
            "guild_locale": guild["preferred_locale"],
            "member": {**member, "permissions": str(int(held & ALL))},
        }

    def _give_up(self, interaction: Interaction) -> None:
        if interaction.callback is None:
            interaction.failed = True
            interaction.settled.set()
            self._tell(interaction, "INTERACTION_FAILURE")

    # --- the bot acknowledges -----------------------------------------------------------------

    def acknowledge(
        self, interaction_id: str, token: str, body: Json, files: Sequence[File]
    ) -> Interaction:
        """Raises 10062 when too late or unknown, 40060 when acknowledged before."""
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != interaction_id or interaction.failed:
            raise unknown("interaction")
        if interaction.callback is not None:
            raise DiscordError(400, 40060, "Interaction has already been acknowledged.")
        callback = Callback(body["type"])
        self._respond(interaction, callback, body.get("data") or {}, files)
        interaction.callback = callback
        interaction.settled.set()
        if interaction.kind is not InteractionType.AUTOCOMPLETE:
            self._tell(interaction, "INTERACTION_SUCCESS")
        return interaction

    def _respond(
        self, interaction: Interaction, callback: Callback, data: Json, files: Sequence[File]
    ) -> None:
        match callback:
            case Callback.MESSAGE:
                interaction.response = self._post(interaction, data, files)
            case Callback.DEFER:
                flags = (data.get("flags") or 0) & MessageFlag.EPHEMERAL | MessageFlag.LOADING
                interaction.response = self._post(interaction, {"flags": int(flags)}, ())
            case Callback.DEFER_UPDATE:
                interaction.response = interaction.source
            case Callback.UPDATE if interaction.source is not None:
                interaction.response = self._messages.edit(
                    interaction.source, data, files, answers=interaction.id
                )
            case Callback.CHOICES:
                interaction.choices = list(data.get("choices") or [])
            case Callback.MODAL:
                interaction.modal = data
                self._tell(interaction, "INTERACTION_MODAL_CREATE", **data)
            case _:
                raise DiscordError(400, 50035, "Invalid Form Body", {"type": {"_errors": []}})

    # --- the bot goes on, through the token ---------------------------------------------------

    def with_token(self, application: str, token: str) -> Interaction:
        """Raises 10015 for a token never given, 50027 once its fifteen minutes are over."""
        interaction = self._by_token.get(token)
        if interaction is None or application != self._state.bot["id"]:
            raise unknown("Webhook")
        if self._state.clock.now() - interaction.created > TOKEN_SECONDS:
            raise DiscordError(401, 50027, "Invalid Webhook Token")
        return interaction

    def follow_up(self, interaction: Interaction, body: Json, files: Sequence[File]) -> Message:
        """A further message. After a deferral the first one takes the place of "thinking"."""
        if interaction.callback is None:
            raise unknown("Webhook")
        interaction.followups += 1
        if "1" in interaction.owners and interaction.followups > USER_INSTALL_FOLLOWUPS:
            raise DiscordError(400, 40094, "Maximum number of follow up messages reached")
        waiting = interaction.response
        if waiting is not None and MessageFlag.LOADING in waiting.flags:
            return self._messages.edit(waiting, body, files, answers=interaction.id)
        return self._post(interaction, body, files)

    def message(self, interaction: Interaction, message_id: str) -> Message:
        """A message this token may read, edit and delete."""
        if message_id == "@original":
            if interaction.response is None:
                raise unknown("Message")
            message_id = interaction.response.id
        message = self._state.message(interaction.channel, message_id)
        if message.data.get("application_id") != self._state.bot["id"]:
            raise unknown("Message")
        return message

    def edit(
        self, interaction: Interaction, message: Message, body: Json, files: Sequence[File]
    ) -> Message:
        return self._messages.edit(message, body, files, answers=interaction.id)

    def _post(self, interaction: Interaction, body: Json, files: Sequence[File]) -> Message:
        metadata = self._metadata(interaction)
        if interaction.response is not None:
            metadata["original_response_message_id"] = interaction.response.id
        ephemeral = MessageFlag.EPHEMERAL in MessageFlag(body.get("flags") or 0)
        origin = Origin(
            author=self._state.bot,
            answers=interaction.id,
            visible_to=interaction.user if ephemeral else None,
            mentions_by_default=mentions.PARSE_USERS,
            extra={
                "interaction_metadata": metadata,
                "application_id": self._state.bot["id"],
                "webhook_id": self._state.bot["id"],
            },
        )
        return self._messages.post(self._state.channel(interaction.channel), body, files, origin)

    def _metadata(self, interaction: Interaction) -> Json:
        metadata: Json = {
            "id": interaction.id,
            "type": int(interaction.kind),
            "user": self._state.users[interaction.user],
            "authorizing_integration_owners": interaction.owners,
        }
        if "name" in interaction.data:
            metadata["name"] = interaction.data["name"]
        if interaction.source is not None:
            metadata["interacted_message_id"] = interaction.source.id
        if interaction.opener is not None:
            metadata["triggering_interaction_metadata"] = self._metadata(interaction.opener)
        return metadata

    def _tell(self, interaction: Interaction, event: str, **more: object) -> None:
        data: Json = {
            "id": interaction.id,
            "type": int(interaction.kind),
            "user": interaction.user,
            "channel_id": interaction.channel,
            "name": interaction.data.get("name") or interaction.data.get("custom_id"),
            "data": interaction.data,
            **more,
        }
        self._state.publish(
            event,
            data,
            channel=interaction.channel,
            visible_to=interaction.user,
            answers=interaction.id,
        )
