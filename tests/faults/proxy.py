"""TCP proxies between a client and Redis: one that misbehaves, one that kills its client."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_CHUNK = 1 << 16
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


@dataclass(eq=False)
class _Link:
    """One client's connection and its other half to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    deaf: bool = False  # half-closed: what the client says gets nowhere

    def cut(self) -> None:
        self.client.transport.abort()
        self.server.transport.abort()


@dataclass
class FaultyProxy:
    """Delays, cuts and half-closes what flows through it."""

    target_port: int
    port: int = 0
    delay_s: float = 0.0
    _swallow: bool = False
    _links: set[_Link] = field(default_factory=set)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator["FaultyProxy"]:
        async with _listening(self._serve, self.port) as self.port:
            yield self
            self.cut()

    def cut(self) -> int:
        """Reset every connection; returns how many."""
        links = list(self._links)
        for link in links:
            link.cut()
        return len(links)

    def half_close(self) -> int:
        """End every connection in one direction only: requests no more, replies still flow."""
        for link in self._links:
            link.deaf = True
            with suppress(OSError):  # the server was killed just now
                link.server.write_eof()
        return len(self._links)

    @asynccontextmanager
    async def swallow_replies(self) -> AsyncIterator[None]:
        """Requests arrive, their replies do not; afterwards the connections are cut."""
        self._swallow = True
        try:
            yield
        finally:
            self._swallow = False
            self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, server[1])
        self._links.add(link)
        try:
            await asyncio.gather(self._ask(reader, link), self._answer(server[0], link))
        except OSError:
            pass
        finally:
            self._links.discard(link)
            link.cut()

    async def _ask(self, client: asyncio.StreamReader, link: _Link) -> None:
        while chunk := await client.read(_CHUNK):
            await asyncio.sleep(self.delay_s)
            if not link.deaf:
                link.server.write(chunk)
                await link.server.drain()
        link.server.close()

    async def _answer(self, server: asyncio.StreamReader, link: _Link) -> None:
        while chunk := await server.read(_CHUNK):
            await asyncio.sleep(self.delay_s)
            if not self._swallow:
                link.client.write(chunk)
                await link.client.drain()
        link.client.close()


@dataclass
class CrashProxy:
    """Kills the client at one exact command.

    Commands, or only those of one name, are counted from 1 over all connections and forwarded one
    by one. At number `at` the process `pid` is sent SIGKILL: before the server has the command, or
    after it was executed and before its reply is heard.
    """

    target_port: int
    at: int
    after: bool
    only: str = ""
    port: int = 0
    pid: int = 0
    counted: int = 0
    died_at: str = ""  # the command's name
    tripped: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator["CrashProxy"]:
        async with _listening(self._serve, self.port) as self.port:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = await asyncio.open_connection("127.0.0.1", self.target_port)
        requests, replies = _Frames(reader), _Frames(server[0])
        try:
            while request := await requests.next():
                name = _name(request)
                self.counted += not self.only or name == self.only
                mine = self.counted == self.at and (not self.only or name == self.only)
                if mine and not self.after:
                    return self._trip(name)
                server[1].write(request)
                reply = await replies.next()
                if mine:
                    return self._trip(name)
                if self.tripped.is_set():
                    return None
                writer.write(reply)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()
            server[1].transport.abort()

    def _trip(self, name: str) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.died_at = name
        self.tripped.set()


class _Frames:
    """Whole RESP2 values, one after the other."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._data = bytearray()

    async def next(self) -> bytes:
        """Empty at the end of the connection."""
        while not (end := _frame_end(self._data, 0)):
            chunk = await self._reader.read(_CHUNK)
            if not chunk:
                return b""
            self._data += chunk
        frame = bytes(self._data[:end])
        del self._data[:end]
        return frame


def _frame_end(data: bytearray, start: int) -> int:
    """Where the RESP2 value at `start` ends; 0 when it is not complete."""
    line_end = data.find(b"\r\n", start)
    if line_end < 0:
        return 0
    kind, at = chr(data[start]), line_end + 2
    if kind not in "$*":
        return at
    size = int(data[start + 1 : line_end])
    if kind == "$":
        end = at + (size + 2 if size >= 0 else 0)
        return end if end <= len(data) else 0
    for _ in range(size):
        at = _frame_end(data, at)
        if not at:
            return 0
    return at


def _name(request: bytes) -> str:
    """The command, or of a cached script its digest."""
    words = request.split(b"\r\n")[2::2]
    return (words[1] if words[0] == b"EVALSHA" else words[0]).decode()


@asynccontextmanager
async def _listening(serve: Serve, port: int) -> AsyncIterator[int]:
    """Yields the port. The connections end with it."""
    running: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = connections.create_task(serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    async with asyncio.TaskGroup() as connections:
        server = await asyncio.start_server(accept, "127.0.0.1", port)
        yield server.sockets[0].getsockname()[1]
        server.close()
        for task in running:
            task.cancel()
