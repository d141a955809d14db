"""The gateway: hello, identify, heartbeats, dispatches, resume with replay.

https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from aiohttp import WSMsgType, web

from playground.discord.compress import Compress, UnknownCompressionError, compressor
from playground.discord.intents import PRIVILEGED, Intent, view
from playground.discord.observe import Seen
from playground.discord.shapes import THREADS, Json
from playground.discord.snowflake import TIME_SHIFT
from playground.discord.state import State

REPLAYED_EVENTS = 5000  # how far back a session can be resumed
SENDS, SENDS_SECONDS = 120, 60.0


class Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
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
    DISALLOWED_INTENTS = 4014


class Closed(Exception):
    """Ends one connection; nothing is wrong with the server."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(eq=False)
class Session:
    """What survives a connection, so that it can be resumed."""

    id: str
    intents: Intent
    shard: int
    shards: int
    seq: int = 0
    log: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=REPLAYED_EVENTS))
    connection: "Connection | None" = None
    opened: float = field(default_factory=time.monotonic)

    def carries(self, guild: str | None) -> bool:
        shard = 0 if guild is None else (int(guild) >> TIME_SHIFT) % self.shards
        return shard == self.shard

    def dispatch(self, event: str, data: Json) -> None:
        self.seq += 1
        payload = json.dumps({"op": Op.DISPATCH, "t": event, "s": self.seq, "d": data})
        self.log.append((self.seq, payload))
        if self.connection is not None:
            self.connection.queue(payload)

    def missed(self, seq: int) -> list[str] | None:
        """The payloads after `seq`; None where the log no longer reaches back so far."""
        oldest = self.log[0][0] if self.log else self.seq + 1
        if seq > self.seq or seq < oldest - 1:
            return None
        return [payload for number, payload in self.log if number > seq]


class Connection:
    """One socket. Payloads go out in order through a queue, so publishing never waits."""

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
        self.session: Session | None = None
        self._compress = compress
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._received: deque[float] = deque(maxlen=SENDS)

    @property
    def closed(self) -> bool:
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
        except Closed as closed:
            await self.socket.close(code=closed.code, message=str(closed).encode())
        finally:
            writer.cancel()
            if self.session is not None and self.session.connection is self:
                self.session.connection = None
                self.gateway.lost()

    async def _write(self) -> None:
        while True:
            payload = self._compress(await self._outgoing.get())
            try:
                if isinstance(payload, str):
                    await self.socket.send_str(payload)
                else:
                    await self.socket.send_bytes(payload)
            except ConnectionError:
                return  # the reader sees the end too; the session's log keeps the payload

    async def _read(self) -> None:
        while True:
            try:
                # A client that misses a heartbeat and a half is a zombie.
                message = await self.socket.receive(timeout=self.gateway.heartbeat_s * 1.5)
            except TimeoutError:
                raise Closed(CloseCode.SESSION_TIMED_OUT) from None
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            self._limit()
            try:
                payload = json.loads(message.data)
                op, data = Op(payload["op"]), payload.get("d")
            except (KeyError, TypeError, ValueError):
                raise Closed(CloseCode.DECODE_ERROR) from None
            self._handle(op, data)

    def _limit(self) -> None:
        now = asyncio.get_running_loop().time()
        if len(self._received) == SENDS and now - self._received[0] < SENDS_SECONDS:
            raise Closed(CloseCode.RATE_LIMITED)
        self._received.append(now)

    def _handle(self, op: Op, data: Json) -> None:
        if op is Op.HEARTBEAT:
            if self.gateway.acknowledges:
                self.send(Op.HEARTBEAT_ACK)
        elif op is Op.IDENTIFY:
            self.gateway.identify(self, data)
        elif op is Op.RESUME:
            self.gateway.resume(self, data)
        elif self.session is None:
            raise Closed(CloseCode.NOT_AUTHENTICATED)
        elif op is Op.PRESENCE:
            self.gateway.set_presence(data)
        elif op is Op.REQUEST_MEMBERS:
            self.gateway.send_members(self.session, data)
        else:
            raise Closed(CloseCode.UNKNOWN_OPCODE)


class Gateway:
    def __init__(self, state: State, heartbeat_s: float = 41.25) -> None:
        self._state = state
        self.heartbeat_s = heartbeat_s
        self.acknowledges = True  # False plays a dead server: heartbeats go unanswered
        self.sessions: dict[str, Session] = {}
        state.bus.attach(self._on_seen)

    @property
    def live(self) -> Iterator[Session]:
        return (s for s in self.sessions.values() if s.connection is not None)

    @property
    def online(self) -> bool:
        """Whether a bot is connected and was told READY."""
        return any(True for _ in self.live)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        try:
            compress = compressor(request.query.get("compress"))
        except UnknownCompressionError as error:
            raise web.HTTPBadRequest(text=f"unknown compression {error}") from None
        socket = web.WebSocketResponse(max_msg_size=4096 * 4, autoping=True)
        await socket.prepare(request)
        await Connection(self, socket, request.transport, compress).run()
        return socket

    # --- what a client asks -------------------------------------------------------------------

    def identify(self, connection: Connection, data: Json) -> None:
        if connection.session is not None:
            raise Closed(CloseCode.ALREADY_AUTHENTICATED)
        if data.get("token") != self._state.token:
            raise Closed(CloseCode.AUTHENTICATION_FAILED)
        intents = Intent(int(data["intents"]))
        if intents & PRIVILEGED & ~Intent(self._state.privileged_intents & PRIVILEGED):
            raise Closed(CloseCode.DISALLOWED_INTENTS)
        shard, shards = data.get("shard") or (0, 1)
        if not 0 <= shard < shards:
            raise Closed(CloseCode.INVALID_SHARD)
        self._forget_old(shard, shards)
        session = Session(secrets.token_hex(16), intents, shard, shards, connection=connection)
        self.sessions[session.id] = session
        connection.session = session
        self._greet(session)
        self._tell_online()
        if presence := data.get("presence"):
            # discord.py names the activity as gateway v5 did.
            game = presence.get("game")
            self.set_presence({"activities": [game] if game else [], **presence})

    def _forget_old(self, shard: int, shards: int) -> None:
        """A new session of a shard ends the disconnected ones: nobody resumes them any more."""
        for old in tuple(self.sessions.values()):
            if old.connection is None and (old.shard, old.shards) == (shard, shards):
                del self.sessions[old.id]

    def _greet(self, session: Session) -> None:
        guilds = [g for g in self._state.guilds if self._state.has_bot(g) and session.carries(g)]
        bot = self._state.bot
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": {**bot, "verified": True, "mfa_enabled": False, "email": None, "flags": 0},
                "guilds": [{"id": g, "unavailable": True} for g in guilds],
                "session_id": session.id,
                "resume_gateway_url": self.url,
                "shard": [session.shard, session.shards],
                "application": {"id": bot["id"], "flags": 0},
            },
        )
        for guild in guilds:
            session.dispatch("GUILD_CREATE", self._whole(guild))

    @property
    def url(self) -> str:
        return self._state.url.replace("http", "ws", 1) + "/gateway/"

    def resume(self, connection: Connection, data: Json) -> None:
        if data.get("token") != self._state.token:
            raise Closed(CloseCode.AUTHENTICATION_FAILED)
        session = self.sessions.get(str(data.get("session_id")))
        missed = session.missed(int(data.get("seq") or 0)) if session is not None else None
        if session is None or missed is None:
            connection.send(Op.INVALID_SESSION, data=False)
            return
        for payload in missed:
            connection.queue(payload)
        session.connection = connection
        connection.session = session
        session.dispatch("RESUMED", {})
        self._tell_online()

    def set_presence(self, data: Json) -> None:
        presence = {
            "user": {"id": self._state.bot["id"]},
            "status": data.get("status") or "online",
            "activities": data.get("activities") or [],
            "client_status": {"web": data.get("status") or "online"},
        }
        self._state.presences[self._state.bot["id"]] = presence
        self._publish_presence(presence)

    def send_members(self, session: Session, data: Json) -> None:
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

    def deliver(self, interaction: Json) -> list[Connection]:
        """INTERACTION_CREATE needs no intent. The connections it went to."""
        sessions = [s for s in self.sessions.values() if s.carries(interaction.get("guild_id"))]
        for session in sessions:
            session.dispatch("INTERACTION_CREATE", interaction)
        return [s.connection for s in sessions if s.connection is not None]

    def _on_seen(self, seen: Seen) -> None:
        for session in self.sessions.values():
            if session.carries(seen.guild):
                data = view(seen, session.intents, self._state)
                if data is not None:
                    session.dispatch(seen.event, data)

    def lost(self) -> None:
        """A connection ended; without any other the bot is offline."""
        if not self.online:
            presence = {
                "user": {"id": self._state.bot["id"]},
                "status": "offline",
                "activities": [],
                "client_status": {},
            }
            self._state.presences[self._state.bot["id"]] = presence
            self._publish_presence(presence)

    def _tell_online(self) -> None:
        known = self._state.presences.get(self._state.bot["id"])
        if known is None or known["status"] == "offline":
            self.set_presence({"status": "online"})

    def _publish_presence(self, presence: Json) -> None:
        for guild in self._state.guilds:
            if self._state.has_bot(guild):
                self._state.publish("PRESENCE_UPDATE", {**presence, "guild_id": guild}, guild=guild)

    def _whole(self, guild_id: str) -> Json:
        """A server as GUILD_CREATE describes it."""
        bot, state = self._state.bot["id"], self._state
        mine = [c for c in state.channels.values() if c.get("guild_id") == guild_id]
        visible = [c for c in mine if state.may_view(bot, c["id"])]
        return {
            **state.guilds[guild_id],
            "unavailable": False,
            "large": False,
            "joined_at": state.members[guild_id][bot]["joined_at"],
            "member_count": len(state.members[guild_id]),
            "members": [state.members[guild_id][bot]],
            "channels": [c for c in visible if c["type"] not in THREADS],
            "threads": [
                c for c in visible if c["type"] in THREADS and not c["thread_metadata"]["archived"]
            ],
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "premium_progress_bar_enabled": False,
            "system_channel_flags": 0,
            "emojis": [],
            "stickers": [],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    # --- faults -------------------------------------------------------------------------------

    async def disconnect(self, code: int = 4000) -> None:
        """Close every socket; the sessions stay resumable (codes 4000 to 4003, 4005 to 4009)."""
        for session in tuple(self.live):
            if session.connection is not None:
                await session.connection.socket.close(code=code)

    def cut(self) -> None:
        """Drop every socket without a goodbye, as a broken cable does."""
        for session in tuple(self.live):
            if session.connection is not None and session.connection.transport is not None:
                session.connection.transport.abort()

    def invalidate(self, *, resumable: bool = False) -> None:
        for session in tuple(self.live):
            connection = session.connection
            if not resumable:
                del self.sessions[session.id]
            if connection is not None:
                connection.send(Op.INVALID_SESSION, data=resumable)

    def ask_to_reconnect(self) -> None:
        for session in self.live:
            if session.connection is not None:
                session.connection.send(Op.RECONNECT)
