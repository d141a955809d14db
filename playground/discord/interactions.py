"""Interactions: one response within three seconds, and a token for fifteen minutes.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from playground.discord import messages
from playground.discord.commands import LOCALES
from playground.discord.components import MODAL
from playground.discord.errors import DiscordError, FormErrors, unknown_error
from playground.discord.gateway import GatewayConnection
from playground.discord.json_types import (
    Callback,
    ChannelType,
    File,
    InteractionType,
    Json,
    MessageFlag,
)
from playground.discord.message_validation import FILE_BYTES, check_body
from playground.discord.messages import Messages, Origin
from playground.discord.permissions import ALL, Permission
from playground.discord.schema import (
    AnyOf,
    Array,
    Integer,
    MapOf,
    Number,
    Object,
    String,
    check_body_schema,
)
from playground.discord.state import ServerState, StoredMessage

ACKNOWLEDGE_SECONDS = 3.0
TOKEN_SECONDS = 15 * 60.0
USER_INSTALL_FOLLOWUPS = 5
# The application's permissions in DMs.
IN_DM = (
    Permission.ATTACH_FILES
    | Permission.EMBED_LINKS
    | Permission.MENTION_EVERYONE
    | Permission.USE_EXTERNAL_EMOJIS
)
CALLBACK = Object({"type": Integer(), "data": Object()}, ("type",))
DEFERRAL = Object({"flags": Integer()})
CHOICES = Object(
    {
        "choices": Array(
            Object(
                {
                    "name": String(1, 100),
                    "name_localizations": MapOf(LOCALES, String(1, 100)),
                    "value": AnyOf((String(1, 100), Number())),
                },
                ("name", "value"),
            ),
            0,
            25,
        )
    },
    ("choices",),
)


@dataclass(eq=False)
class Interaction:
    id: str
    token: str
    kind: InteractionType
    user: str
    channel: str
    data: Json
    created: float  # Discord's clock
    source: StoredMessage | None = None  # the message whose component was used
    opened_by: "Interaction | None" = None  # of a modal: the interaction that opened it
    owners: Json = field(default_factory=dict)  # authorizing_integration_owners
    callback: Callback | None = None  # how it was acknowledged
    response: StoredMessage | None = None  # @original
    modal: Json | None = None
    choices: list[Json] | None = None
    failed: bool = False  # "The application did not respond"
    listeners: Sequence[GatewayConnection] = ()
    followups: int = 0
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def has_no_listener(self) -> bool:
        """True where no bot connection that got this interaction is open."""
        return all(listener.is_closed for listener in self.listeners)

    async def wait_acknowledged(self) -> bool:
        """Wait for the bot. Return False where it did not respond within three seconds."""
        await self.settled.wait()
        return not self.failed


class Interactions:
    """All interactions.

    `deliver` hands the INTERACTION_CREATE payload to the bot's gateway sessions.
    """

    def __init__(
        self,
        state: ServerState,
        messages: Messages,
        deliver: Callable[[Json], Sequence[GatewayConnection]],
    ) -> None:
        self._state = state
        self._messages = messages
        self._deliver = deliver
        self._by_token: dict[str, Interaction] = {}
        self.by_id: dict[str, Interaction] = {}

    # --- actions of a person ------------------------------------------------------------------

    def open(
        self,
        kind: InteractionType,
        user: str,
        channel: Json,
        data: Json,
        *,
        source: StoredMessage | None = None,
        opened_by: Interaction | None = None,
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
            opened_by=opened_by,
            owners=self._owners(user, guild, user_installed=user_installed),
        )
        self._by_token[interaction.token] = interaction
        self.by_id[interaction.id] = interaction
        if kind is not InteractionType.AUTOCOMPLETE:
            self._publish(interaction, "INTERACTION_CREATE")
        self._state.clock.call_later(
            ACKNOWLEDGE_SECONDS, lambda: self._fail_if_unanswered(interaction)
        )
        interaction.listeners = self._deliver(self._build_payload(interaction, channel, locale))
        return interaction

    def _owners(self, user: str, guild: str | None, *, user_installed: bool) -> Json:
        """Return the installation's owner: the person, where the bot is no member of the server."""
        if user_installed or (guild is not None and not self._state.has_bot(guild)):
            return {"1": user}
        return {"0": guild or "0"}

    def _build_payload(self, interaction: Interaction, channel: Json, locale: str) -> Json:
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
            "app_permissions": str(int(self._app_permissions(channel))),
        }
        if interaction.source is not None:
            payload["message"] = self._messages.present(interaction.source)
        if channel["type"] == ChannelType.DM:
            return {**payload, "context": 1, "user": user}
        guild = self._state.guilds[channel["guild_id"]]
        member = self._state.members[guild["id"]][interaction.user]
        granted = self._state.permissions(interaction.user, channel)
        return {
            **payload,
            "context": 0,
            "guild_id": guild["id"],
            "guild": {"id": guild["id"], "locale": guild["preferred_locale"], "features": []},
            "guild_locale": guild["preferred_locale"],
            "member": {**member, "permissions": str(int(granted & ALL))},
        }

    def _app_permissions(self, channel: Json) -> Permission:
        if channel["type"] == ChannelType.DM:
            return IN_DM
        return self._state.permissions(self._state.bot["id"], channel)

    def _fail_if_unanswered(self, interaction: Interaction) -> None:
        if interaction.callback is None:
            interaction.failed = True
            interaction.settled.set()
            self._publish(interaction, "INTERACTION_FAILURE")

    # --- the bot's first response -------------------------------------------------------------

    def acknowledge(
        self, interaction_id: str, token: str, body: Json, files: Sequence[File]
    ) -> Interaction:
        """Respond to an interaction.

        Raises 10062 where it is unknown or too late, 40060 after an earlier response.
        """
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != interaction_id or interaction.failed:
            raise unknown_error("interaction")
        if interaction.callback is not None:
            raise DiscordError(400, 40060, "Interaction has already been acknowledged.")
        check_body_schema(CALLBACK, body)
        callback = _check_callback(interaction, body)
        self._respond(interaction, callback, body.get("data") or {}, files)
        interaction.callback = callback
        interaction.settled.set()
        if interaction.kind is not InteractionType.AUTOCOMPLETE:
            self._publish(interaction, "INTERACTION_SUCCESS")
        return interaction

    def _respond(
        self, interaction: Interaction, callback: Callback, data: Json, files: Sequence[File]
    ) -> None:
        match callback:
            case Callback.MESSAGE:
                interaction.response = self._post(interaction, data, files)
            case Callback.DEFER:
                check_body_schema(DEFERRAL, data, "data")
                flags = (data.get("flags") or 0) & MessageFlag.EPHEMERAL | MessageFlag.LOADING
                interaction.response = self._post(interaction, {"flags": int(flags)}, ())
            case Callback.DEFER_UPDATE:
                interaction.response = interaction.source
            case Callback.UPDATE if interaction.source is not None:
                interaction.response = self._messages.edit(
                    interaction.source, data, files, responds_to=interaction.id
                )
            case Callback.CHOICES:
                check_body_schema(CHOICES, data, "data")
                interaction.choices = list(data["choices"])
            case Callback.MODAL:
                check_body_schema(MODAL, data, "data")
                interaction.modal = data
                self._publish(interaction, "INTERACTION_MODAL_CREATE", **data)

    # --- later requests with the token --------------------------------------------------------

    def find_by_token(self, application: str, token: str) -> Interaction:
        """Return the interaction of a token.

        Raises 10015 for an unknown token, 50027 after its fifteen minutes.
        """
        interaction = self._by_token.get(token)
        if interaction is None or application != self._state.bot["id"]:
            raise unknown_error("Webhook")
        if self._state.clock.now() - interaction.created > TOKEN_SECONDS:
            raise DiscordError(401, 50027, "Invalid Webhook Token")
        return interaction

    def follow_up(
        self, interaction: Interaction, body: Json, files: Sequence[File]
    ) -> StoredMessage:
        """Send a further message. After a deferral, the first one replaces "thinking"."""
        if interaction.callback is None:
            raise unknown_error("Webhook")
        if "1" in interaction.owners and interaction.followups >= USER_INSTALL_FOLLOWUPS:
            raise DiscordError(400, 40094, "Maximum number of follow up messages reached")
        waiting = interaction.response
        if waiting is not None and MessageFlag.LOADING in waiting.flags:
            message = self._messages.edit(waiting, body, files, responds_to=interaction.id)
        else:
            message = self._post(interaction, body, files)
        interaction.followups += 1
        return message

    def message(self, interaction: Interaction, message_id: str) -> StoredMessage:
        """Return a message that this token may read, edit and delete.

        The interaction sent it, or its component was used.
        """
        if message_id == "@original":
            if interaction.response is None:
                raise unknown_error("Message")
            message_id = interaction.response.id
        message = self._state.message(interaction.channel, message_id)
        made_by = (message.data.get("interaction_metadata") or {}).get("id")
        own = made_by == interaction.id or message in (interaction.response, interaction.source)
        if not own:
            raise unknown_error("Message")
        return message

    def edit(
        self, interaction: Interaction, message: StoredMessage, body: Json, files: Sequence[File]
    ) -> StoredMessage:
        return self._messages.edit(message, body, files, responds_to=interaction.id)

    def _post(self, interaction: Interaction, body: Json, files: Sequence[File]) -> StoredMessage:
        metadata = self._build_metadata(interaction)
        if interaction.response is not None:
            metadata["original_response_message_id"] = interaction.response.id
        check_body(body, MessageFlag(0), files)
        ephemeral = MessageFlag.EPHEMERAL in MessageFlag(body.get("flags") or 0)
        origin = Origin(
            author=self._state.bot,
            responds_to=interaction.id,
            visible_to=interaction.user if ephemeral else None,
            default_mentions=messages.PARSE_USERS,
            extra={
                "interaction_metadata": metadata,
                "application_id": self._state.bot["id"],
                "webhook_id": self._state.bot["id"],
            },
        )
        return self._messages.post(self._state.channel(interaction.channel), body, files, origin)

    def _build_metadata(self, interaction: Interaction) -> Json:
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
        if interaction.opened_by is not None:
            metadata["triggering_interaction_metadata"] = self._build_metadata(
                interaction.opened_by
            )
        elif interaction.kind is InteractionType.MODAL:
            # A test may submit a modal that no command opened.
            opener = {**metadata, "type": int(InteractionType.COMMAND)}
            metadata["triggering_interaction_metadata"] = opener
        return metadata

    def _publish(self, interaction: Interaction, event: str, **more: object) -> None:
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
            responds_to=interaction.id,
        )


def _check_callback(interaction: Interaction, body: Json) -> Callback:
    """Return the kind of response. Raises 50035 where the interaction does not allow it."""
    allowed = set(_ALLOWED_CALLBACKS[interaction.kind])
    if interaction.kind is InteractionType.MODAL and interaction.source is None:
        allowed.remove(Callback.UPDATE)  # there is no message to update
    if body["type"] not in allowed:
        listed = ", ".join(str(int(each)) for each in sorted(allowed))
        raise FormErrors.single("type", "BASE_TYPE_CHOICES", f"Value must be one of ({listed}).")
    return Callback(body["type"])


_ALLOWED_CALLBACKS = {
    InteractionType.COMMAND: (Callback.MESSAGE, Callback.DEFER, Callback.MODAL),
    InteractionType.COMPONENT: (
        Callback.MESSAGE,
        Callback.DEFER,
        Callback.DEFER_UPDATE,
        Callback.UPDATE,
        Callback.MODAL,
    ),
    InteractionType.AUTOCOMPLETE: (Callback.CHOICES,),
    InteractionType.MODAL: (
        Callback.MESSAGE,
        Callback.DEFER,
        Callback.DEFER_UPDATE,
        Callback.UPDATE,
    ),
}
