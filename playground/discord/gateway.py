"""The gateway: who identifies, what each session is told, resume, and its faults.

https://discord.com/developers/docs/events/gateway
"""

import secrets
from collections.abc import Iterator

from aiohttp import web

from playground.discord.compress import UnknownCompressionError, create_compressor
from playground.discord.event_bus import DiscordEvent
from playground.discord.guilds import build_guild_create
from playground.discord.intents import PRIVILEGED, Intent, filter_event
from playground.discord.json_types import Json
from playground.discord.session import (
    CloseCode,
    ConnectionClosed,
    GatewayConnection,
    GatewaySession,
    Op,
)
from playground.discord.state import ServerState

LARGEST_INTENTS = 2**26 - 1


class Gateway:
    def __init__(self, state: ServerState, heartbeat_s: float = 41.25) -> None:
        self._state = state
        self.heartbeat_s = heartbeat_s
        self.sends_heartbeat_acks = True  # False plays a dead server: heartbeats go unanswered
        self.sessions: dict[str, GatewaySession] = {}
        state.bus.attach(self._on_event)

    @property
    def live_sessions(self) -> Iterator[GatewaySession]:
        return (s for s in self.sessions.values() if s.connection is not None)

    @property
    def is_online(self) -> bool:
        """Whether a bot is connected and was told READY."""
        return any(True for _ in self.live_sessions)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        try:
            compress = create_compressor(request.query.get("compress"))
        except UnknownCompressionError as error:
            raise web.HTTPBadRequest(text=f"unknown compression {error}") from None
        socket = web.WebSocketResponse(max_msg_size=4096 * 4, autoping=True)
        await socket.prepare(request)
        await GatewayConnection(self, socket, request.transport, compress).run()
        return socket

    # --- what a client asks -------------------------------------------------------------------

    def identify(self, connection: GatewayConnection, data: Json) -> None:
        if connection.session is not None:
            raise ConnectionClosed(CloseCode.ALREADY_AUTHENTICATED)
        if data.get("token") != self._state.token:
            raise ConnectionClosed(CloseCode.AUTHENTICATION_FAILED)
        if type(data["intents"]) is not int or not 0 <= data["intents"] <= LARGEST_INTENTS:
            raise ConnectionClosed(CloseCode.INVALID_INTENTS)
        intents = Intent(data["intents"])
        if intents & PRIVILEGED & ~Intent(self._state.privileged_intents & PRIVILEGED):
            raise ConnectionClosed(CloseCode.DISALLOWED_INTENTS)
        shard, shards = data.get("shard") or (0, 1)
        if not 0 <= shard < shards:
            raise ConnectionClosed(CloseCode.INVALID_SHARD)
        self._drop_disconnected_sessions(shard, shards)
        session = GatewaySession(
            secrets.token_hex(16), intents, shard, shards, connection=connection
        )
        self.sessions[session.id] = session
        connection.session = session
        self._send_ready(session)
        self._announce_online()
        if presence := data.get("presence"):
            # discord.py names the activity as gateway v5 did.
            game = presence.get("game")
            self.set_presence({"activities": [game] if game else [], **presence})

    def _drop_disconnected_sessions(self, shard: int, shards: int) -> None:
        """A new session of a shard ends the disconnected ones: nobody resumes them any more."""
        for old in tuple(self.sessions.values()):
            if old.connection is None and (old.shard, old.shards) == (shard, shards):
                del self.sessions[old.id]

    def _send_ready(self, session: GatewaySession) -> None:
        guilds = [
            g for g in self._state.guilds if self._state.has_bot(g) and session.covers_guild(g)
        ]
        bot = self._state.bot
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": {**bot, "verified": True, "mfa_enabled": False, "email": None},
                "guilds": [{"id": g, "unavailable": True} for g in guilds],
                "session_id": session.id,
                "resume_gateway_url": self.url,
                "shard": [session.shard, session.shards],
                "application": {"id": bot["id"], "flags": 0},
            },
        )
        for guild in guilds:
            session.dispatch(
                "GUILD_CREATE", build_guild_create(self._state, guild, session.intents)
            )

    @property
    def url(self) -> str:
        return self._state.url.replace("http", "ws", 1) + "/gateway/"

    def resume(self, connection: GatewayConnection, data: Json) -> None:
        if data.get("token") != self._state.token:
            raise ConnectionClosed(CloseCode.AUTHENTICATION_FAILED)
        session = self.sessions.get(str(data.get("session_id")))
        missed = session.payloads_after(int(data.get("seq") or 0)) if session is not None else None
        if session is None or missed is None:
            connection.send(Op.INVALID_SESSION, data=False)
            return
        for payload in missed:
            connection.queue(payload)
        session.connection = connection
        connection.session = session
        session.dispatch("RESUMED", {})
        self._announce_online()

    def set_presence(self, data: Json) -> None:
        presence = {
            "user": {"id": self._state.bot["id"]},
            "status": data.get("status") or "online",
            "activities": data.get("activities") or [],
            "client_status": {"web": data.get("status") or "online"},
        }
        self._state.presences[self._state.bot["id"]] = presence
        self._publish_presence(presence)

    def send_members(self, session: GatewaySession, data: Json) -> None:
        members = list(self._state.members.get(str(data["guild_id"]), {}).values())
        if wanted := data.get("user_ids"):
            ids = {str(i) for i in (wanted if isinstance(wanted, list) else [wanted])}
            members = [m for m in members if m["user"]["id"] in ids]
        elif prefix := data.get("query"):
            members = [m for m in members if m["user"]["username"].startswith(prefix)]
        limit = int(data.get("limit") or 0) or len(members)
        session.dispatch(
            "GUILD_MEMBERS_CHUNK",
            {
                "guild_id": str(data["guild_id"]),
                "members": members[:limit],
                "chunk_index": 0,
                "chunk_count": 1,
                "nonce": data.get("nonce"),
            },
        )

    # --- what the server tells ----------------------------------------------------------------

    def deliver(self, interaction: Json) -> list[GatewayConnection]:
        """INTERACTION_CREATE needs no intent. The connections it went to."""
        sessions = [
            s for s in self.sessions.values() if s.covers_guild(interaction.get("guild_id"))
        ]
        for session in sessions:
            session.dispatch("INTERACTION_CREATE", interaction)
        return [s.connection for s in sessions if s.connection is not None]

    def _on_event(self, seen: DiscordEvent) -> None:
        for session in self.sessions.values():
            if session.covers_guild(seen.guild):
                if self._is_joined_by_bot(seen):
                    whole_guild = build_guild_create(self._state, str(seen.guild), session.intents)
                    session.dispatch("GUILD_CREATE", whole_guild)
                data = filter_event(seen, session.intents, self._state)
                if data is not None:
                    session.dispatch(seen.name, data)

    def _is_joined_by_bot(self, seen: DiscordEvent) -> bool:
        joined = seen.name == "GUILD_MEMBER_ADD"
        return joined and seen.data["user"]["id"] == self._state.bot["id"]

    def on_connection_lost(self) -> None:
        """A connection ended; without any other the bot is offline."""
        if not self.is_online:
            presence = {
                "user": {"id": self._state.bot["id"]},
                "status": "offline",
                "activities": [],
                "client_status": {},
            }
            self._state.presences[self._state.bot["id"]] = presence
            self._publish_presence(presence)

    def _announce_online(self) -> None:
        known = self._state.presences.get(self._state.bot["id"])
        if known is None or known["status"] == "offline":
            self.set_presence({"status": "online"})

    def _publish_presence(self, presence: Json) -> None:
        for guild in self._state.guilds:
            if self._state.has_bot(guild):
                self._state.publish("PRESENCE_UPDATE", {**presence, "guild_id": guild}, guild=guild)

    # --- faults -------------------------------------------------------------------------------

    async def disconnect(self, code: int = 4000) -> None:
        """Close every socket; the sessions stay resumable (codes 4000 to 4003, 4005 to 4009)."""
        for session in tuple(self.live_sessions):
            if session.connection is not None:
                await session.connection.socket.close(code=code)

    def abort_connections(self) -> None:
        """Drop every socket without a goodbye, as a broken cable does."""
        for session in tuple(self.live_sessions):
            if session.connection is not None and session.connection.transport is not None:
                session.connection.transport.abort()

    def invalidate_sessions(self, *, resumable: bool = False) -> None:
        for session in tuple(self.live_sessions):
            connection = session.connection
            if not resumable:
                del self.sessions[session.id]
            if connection is not None:
                connection.send(Op.INVALID_SESSION, data=resumable)

    def request_reconnect(self) -> None:
        for session in self.live_sessions:
            if session.connection is not None:
                session.connection.send(Op.RECONNECT)
