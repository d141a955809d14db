"""A bot's session and the socket that carries it: order, replay, heartbeats, close codes.

https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from aiohttp import WSMsgType, web

from playground.discord.compress import Compress
from playground.discord.intents import Intent
from playground.discord.json_types import Json
from playground.discord.snowflake import TIME_SHIFT

REPLAYED_EVENTS = 5000  # how far back a session can be resumed
SENDS, SENDS_SECONDS = 120, 60.0
PAYLOAD_CHARACTERS = 4096
ACKNOWLEDGE_SECONDS = 0.03  # a way over the network and back


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
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class ConnectionClosed(Exception):
    """Ends one connection; nothing is wrong with the server."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(eq=False)
class GatewaySession:
    """What survives a connection, so that it can be resumed."""

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
        """The payloads after `seq`; None where the log no longer reaches back so far."""
        oldest = self.log[0][0] if self.log else self.seq + 1
        if seq > self.seq or seq < oldest - 1:
            return None
        return [payload for number, payload in self.log if number > seq]


class Host(Protocol):
    """The gateway, as a connection needs it."""

    heartbeat_s: float
    sends_heartbeat_acks: bool

    def identify(self, connection: "GatewayConnection", data: Json) -> None: ...

    def resume(self, connection: "GatewayConnection", data: Json) -> None: ...

    def set_presence(self, data: Json) -> None: ...

    def send_members(self, session: GatewaySession, data: Json) -> None: ...

    def on_connection_lost(self) -> None: ...


class GatewayConnection:
    """One socket. Payloads go out in order through a queue, so publishing never waits."""

    def __init__(
        self,
        gateway: "Host",
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

    def _acknowledge_later(self) -> None:
        """A client notes when its heartbeat was sent, which no answer from afar can precede."""
        loop = asyncio.get_running_loop()
        loop.call_later(ACKNOWLEDGE_SECONDS, self.send, Op.HEARTBEAT_ACK)

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
                return  # the reader sees the end too; the session's log keeps the payload

    async def _read(self) -> None:
        while True:
            try:
                # A client that misses a heartbeat and a half is a zombie.
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
                op, data = Op(payload["op"]), payload.get("d")
                self._handle(op, data)
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
                self._acknowledge_later()
        elif op is Op.IDENTIFY:
            self.gateway.identify(self, data)
        elif op is Op.RESUME:
            self.gateway.resume(self, data)
        elif self.session is None:
            raise ConnectionClosed(CloseCode.NOT_AUTHENTICATED)
        elif op is Op.PRESENCE:
            self.gateway.set_presence(data)
        elif op is Op.REQUEST_MEMBERS:
            self.gateway.send_members(self.session, data)
        else:
            raise ConnectionClosed(CloseCode.UNKNOWN_OPCODE)
