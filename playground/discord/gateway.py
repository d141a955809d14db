"""The gateway: sessions and their sockets, identify, resume, events, and faults for tests.

https://discord.com/developers/docs/events/gateway
"""

import asyncio
import importlib
import json
import secrets
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from aiohttp import WSMsgType, web

from playground.discord.clock import TIME_SHIFT
from playground.discord.event_bus import DiscordEvent
from playground.discord.intents import PRIVILEGED, Intent, filter_event
from playground.discord.json_types import THREADS, Json
from playground.discord.state import ServerState

LARGEST_INTENTS = 2**26 - 1
REPLAYED_EVENTS = 5000  # how far back a session can be resumed
SENDS, SENDS_SECONDS = 120, 60.0
PAYLOAD_CHARACTERS = 4096
HEARTBEAT_ACK_SECONDS = 0.03  # a round trip over the network
Compress = Callable[[str], str | bytes]


class Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE_UPDATE = 3
    RESUME = 6
    RECONNECT = 7
    REQUEST_GUILD_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class CloseCode(IntEnum):
    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    RATE_LIMITED = 4008
    SESSION_TIMED_OUT = 4009
    INVALID_SHARD = 4010
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class ConnectionClosed(Exception):
    """The server closes one connection with a code."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(eq=False)
class GatewaySession:
    """The part of a session that survives its connection, so that a client can resume it."""

    id: str
    intents: Intent
    shard: int
    shards: int
    seq: int = 0
    log: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=REPLAYED_EVENTS))
    connection: "GatewayConnection | None" = None
    opened_at: float = field(default_factory=time.monotonic)

    def covers_guild(self, guild: str | None) -> bool:
        shard = 0 if guild is None else (int(guild) >> TIME_SHIFT) % self.shards
        return shard == self.shard

    def dispatch(self, event: str, data: Json) -> None:
        self.seq += 1
        payload = json.dumps({"op": Op.DISPATCH, "t": event, "s": self.seq, "d": data})
        self.log.append((self.seq, payload))
        if self.connection is not None:
            self.connection.queue(payload)

    def payloads_after(self, seq: int) -> list[str] | None:
        """Return the payloads after `seq`, or None where the log is too short."""
        oldest = self.log[0][0] if self.log else self.seq + 1
        if seq > self.seq or seq < oldest - 1:
            return None
        return [payload for number, payload in self.log if number > seq]


class GatewayConnection:
    """One socket. A queue sends the payloads in order, so that publishing never waits."""

    def __init__(
        self,
        gateway: "Gateway",
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        compress: Compress,
    ) -> None:
        self.gateway = gateway
        self.socket = socket
        self.transport = transport
        self.session: GatewaySession | None = None
        self._compress = compress
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._received: deque[float] = deque(maxlen=SENDS)

    @property
    def is_closed(self) -> bool:
        return self.socket.closed

    def queue(self, payload: str) -> None:
        self._outgoing.put_nowait(payload)

    def send(self, op: Op, data: object = None) -> None:
        self.queue(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    async def run(self) -> None:
        writer = asyncio.create_task(self._write())
        try:
            self.send(Op.HELLO, {"heartbeat_interval": int(self.gateway.heartbeat_s * 1000)})
            await self._read()
        except ConnectionClosed as closed:
            await self.socket.close(code=closed.code, message=str(closed).encode())
        finally:
            writer.cancel()
            if self.session is not None and self.session.connection is self:
                self.session.connection = None
                self.gateway.on_connection_lost()

    async def _write(self) -> None:
        while True:
            payload = self._compress(await self._outgoing.get())
            try:
                if isinstance(payload, str):
                    await self.socket.send_str(payload)
                else:
                    await self.socket.send_bytes(payload)
            except ConnectionError:
                return  # `_read` ends as well; the session's log keeps the payload

    async def _read(self) -> None:
        while True:
            try:
                # A client that is silent for one and a half heartbeats is dead.
                message = await self.socket.receive(timeout=self.gateway.heartbeat_s * 1.5)
            except TimeoutError:
                raise ConnectionClosed(CloseCode.SESSION_TIMED_OUT) from None
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            self._check_rate_limit()
            if len(message.data) > PAYLOAD_CHARACTERS:
                raise ConnectionClosed(CloseCode.DECODE_ERROR)
            try:
                payload = json.loads(message.data)
                self._handle(Op(payload["op"]), payload.get("d"))
            except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
                raise ConnectionClosed(CloseCode.DECODE_ERROR) from None

    def _check_rate_limit(self) -> None:
        now = asyncio.get_running_loop().time()
        if len(self._received) == SENDS and now - self._received[0] < SENDS_SECONDS:
            raise ConnectionClosed(CloseCode.RATE_LIMITED)
        self._received.append(now)

    def _handle(self, op: Op, data: Json) -> None:
        if op is Op.HEARTBEAT:
            if self.gateway.sends_heartbeat_acks:
                # Later, because clients fail when the answer comes before they noted the time.
                loop = asyncio.get_running_loop()
                loop.call_later(HEARTBEAT_ACK_SECONDS, self.send, Op.HEARTBEAT_ACK)
        elif op is Op.IDENTIFY:
            self.gateway.identify(self, data)
        elif op is Op.RESUME:
            self.gateway.resume(self, data)
        elif self.session is None:
            raise ConnectionClosed(CloseCode.NOT_AUTHENTICATED)
        elif op is Op.PRESENCE_UPDATE:
            self.gateway.set_presence(data)
        elif op is Op.REQUEST_GUILD_MEMBERS:
            self.gateway.send_members(self.session, data)
        else:
            raise ConnectionClosed(CloseCode.UNKNOWN_OPCODE)


class Gateway:
    def __init__(self, state: ServerState, heartbeat_s: float = 41.25) -> None:
        self._state = state
        self.heartbeat_s = heartbeat_s
        self.sends_heartbeat_acks = True  # False imitates a dead server
        self.sessions: dict[str, GatewaySession] = {}
        state.bus.attach(self._on_event)

    @property
    def url(self) -> str:
        return self._state.url.replace("http", "ws", 1) + "/gateway/"

    @property
    def live_sessions(self) -> Iterator[GatewaySession]:
        return (s for s in self.sessions.values() if s.connection is not None)

    @property
    def is_online(self) -> bool:
        """True while a bot is connected and has received READY."""
        return any(True for _ in self.live_sessions)

    @property
    def _live_connections(self) -> list[GatewayConnection]:
        return [s.connection for s in self.sessions.values() if s.connection is not None]

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        try:
            compress = create_compressor(request.query.get("compress"))
        except UnknownCompressionError as error:
            raise web.HTTPBadRequest(text=f"unknown compression {error}") from None
        socket = web.WebSocketResponse(max_msg_size=4096 * 4, autoping=True)
        await socket.prepare(request)
        await GatewayConnection(self, socket, request.transport, compress).run()
        return socket

    # --- requests of a client -----------------------------------------------------------------

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
        # Nobody resumes the disconnected sessions of a shard that identifies again.
        for old in tuple(self.sessions.values()):
            if old.connection is None and (old.shard, old.shards) == (shard, shards):
                del self.sessions[old.id]
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
            self._send_guild(session, guild)

    def _send_guild(self, session: GatewaySession, guild: str) -> None:
        session.dispatch("GUILD_CREATE", build_guild_create(self._state, guild, session.intents))

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
        status = data.get("status") or "online"
        self._publish_presence(status, data.get("activities") or [], {"web": status})

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

    # --- events of the server -----------------------------------------------------------------

    def deliver(self, interaction: Json) -> list[GatewayConnection]:
        """Send INTERACTION_CREATE, which needs no intent. Return the connections that get it."""
        sessions = [
            s for s in self.sessions.values() if s.covers_guild(interaction.get("guild_id"))
        ]
        for session in sessions:
            session.dispatch("INTERACTION_CREATE", interaction)
        return [s.connection for s in sessions if s.connection is not None]

    def _on_event(self, event: DiscordEvent) -> None:
        is_bot_joining = (
            event.name == "GUILD_MEMBER_ADD" and event.data["user"]["id"] == self._state.bot["id"]
        )
        for session in self.sessions.values():
            if session.covers_guild(event.guild):
                if is_bot_joining:
                    self._send_guild(session, str(event.guild))
                data = filter_event(event, session.intents, self._state)
                if data is not None:
                    session.dispatch(event.name, data)

    def on_connection_lost(self) -> None:
        """Set the bot offline where this was its last connection."""
        if not self.is_online:
            self._publish_presence("offline", [], {})

    def _announce_online(self) -> None:
        known = self._state.presences.get(self._state.bot["id"])
        if known is None or known["status"] == "offline":
            self.set_presence({"status": "online"})

    def _publish_presence(self, status: str, activities: list[Json], client_status: Json) -> None:
        presence = {
            "user": {"id": self._state.bot["id"]},
            "status": status,
            "activities": activities,
            "client_status": client_status,
        }
        self._state.presences[self._state.bot["id"]] = presence
        for guild in self._state.guilds:
            if self._state.has_bot(guild):
                self._state.publish("PRESENCE_UPDATE", {**presence, "guild_id": guild}, guild=guild)

    # --- faults -------------------------------------------------------------------------------

    async def disconnect(self, code: int = 4000) -> None:
        """Close every socket. The sessions stay resumable (codes 4000 to 4003, 4005 to 4009)."""
        for connection in self._live_connections:
            await connection.socket.close(code=code)

    def abort_connections(self) -> None:
        """Drop every socket without a close frame, as a broken cable does."""
        for connection in self._live_connections:
            if connection.transport is not None:
                connection.transport.abort()

    def invalidate_sessions(self, *, resumable: bool = False) -> None:
        for session in tuple(self.live_sessions):
            connection = session.connection
            if not resumable:
                del self.sessions[session.id]
            if connection is not None:
                connection.send(Op.INVALID_SESSION, data=resumable)

    def request_reconnect(self) -> None:
        for connection in self._live_connections:
            connection.send(Op.RECONNECT)


def build_guild_create(state: ServerState, guild_id: str, intents: Intent) -> Json:
    """Build the data of GUILD_CREATE for one server."""
    bot = state.bot["id"]
    # Without the presence intent a bot gets only itself, and requests the other members.
    all_members = Intent.GUILD_PRESENCES in intents
    members = [m for u, m in state.members[guild_id].items() if all_members or u == bot]
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


# --- transport compression --------------------------------------------------------------------
# https://discord.com/developers/docs/events/gateway#transport-compression


class UnknownCompressionError(ValueError):
    """The server does not support the compression that the client asks for."""


def create_compressor(name: str | None) -> Compress:
    """Create a stream for the `compress` parameter of a gateway address.

    Each payload is flushed by itself.
    """
    if name is None:
        return lambda payload: payload
    if name == "zlib-stream":
        stream = zlib.compressobj()
        return lambda payload: stream.compress(payload.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)
    if name == "zstd-stream":
        return _create_zstd_compressor()
    raise UnknownCompressionError(name)


def _create_zstd_compressor() -> Compress:
    # discord.py asks for zstd only where this package is installed.
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError:
        raise UnknownCompressionError("zstd-stream") from None
    stream = zstandard.ZstdCompressor().compressobj()
    flush_block = zstandard.COMPRESSOBJ_FLUSH_BLOCK

    def compress(payload: str) -> bytes:
        return bytes(stream.compress(payload.encode()) + stream.flush(flush_block))

    return compress
