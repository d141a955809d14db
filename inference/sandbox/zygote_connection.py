"""A connection to a zygote, our child or a service, and the programs that run in it."""

import asyncio
import fcntl
import itertools
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from typing import Self

import msgspec

from inference.sandbox import zygote_launcher
from inference.sandbox.config import Limits, SandboxConfig
from inference.sandbox.inside import messages
from inference.sandbox.output_collector import OutputCollector
from inference.sandbox.result import SandboxUnavailable

_CONNECT_S = 5.0
_SEALED = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
_LOST = messages.Ended(0, "killed", -signal.SIGKILL, 0.0)  # the zygote is gone, and the program too


class ZygoteConnection:
    def __init__(
        self, control: socket.socket, ready: messages.Ready, owned: AsyncExitStack
    ) -> None:
        self.ready = ready
        self.lost = False
        self._control = control
        self._owned = owned
        self._ids = itertools.count(1)
        self._running: dict[int, asyncio.Future[messages.Ended]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(control.fileno(), self._receive)

    @classmethod
    async def open(cls, config: SandboxConfig) -> Self:
        async with AsyncExitStack() as owned:
            if config.socket is None:
                zygote = await owned.enter_async_context(zygote_launcher.zygote(config))
                control, ready = zygote.control, zygote.ready
            else:
                control = owned.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
                ready = await _receive_greeting(control, str(config.socket))
            link = cls(control, ready, owned)
            link._owned = owned.pop_all()
            return link

    async def aclose(self) -> None:
        """Every program still running ends as killed."""
        self._lose()
        await self._owned.aclose()

    async def run(
        self,
        program: str,
        files: Mapping[str, bytes],
        limits: Limits,
        seconds: float,
        collector: OutputCollector,
    ) -> messages.Ended:
        request = messages.Run(next(self._ids), seconds, limits.memory_bytes)
        task = messages.Task(
            program=program.encode("utf-8", "replace").decode(),
            files=tuple(files),
            output_bytes=limits.output_bytes,
            figures=limits.figures,
            figure_bytes=limits.figure_bytes,
            figure_pixels=limits.figure_pixels,
        )
        ended: asyncio.Future[messages.Ended] = self._loop.create_future()
        self._running[request.id] = ended
        read, write = os.pipe2(os.O_CLOEXEC)
        output = _Output(collector)
        pipe, _ = await self._loop.connect_read_pipe(lambda: output, os.fdopen(read, "rb", 0))
        try:
            with ExitStack() as ours:  # the zygote has copies once they are sent
                ours.callback(os.close, write)
                sealed = [
                    _create_sealed_file(ours, data)
                    for data in (messages.encode(task), *files.values())
                ]
                self._send(request, [write, *sealed])
            await output.closed
            if collector.over:
                self._send(messages.Kill(request.id))
            return await ended
        finally:
            pipe.close()
            if not ended.done():  # cancelled, or whoever listens to the output failed
                self._send(messages.Kill(request.id))
            del self._running[request.id]

    def _send(self, message: messages.FromClient, descriptors: list[int] | None = None) -> None:
        """Send a message without blocking: a socket's buffer holds many times `concurrency`."""
        try:
            socket.send_fds(
                self._control, [messages.encode(message)], descriptors or [], socket.MSG_NOSIGNAL
            )
        except OSError:
            self._lose()

    def _receive(self) -> None:
        try:
            packet = self._control.recv(messages.MAX_PACKET)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        try:
            message = messages.decode_from_zygote(packet)
        except msgspec.MsgspecError:  # also the empty packet of a closed connection
            self._lose()
            return
        if isinstance(message, messages.Ended) and (ended := self._running.get(message.id)):
            _settle(ended, message)

    def _lose(self) -> None:
        if not self.lost:
            self.lost = True
            self._loop.remove_reader(self._control.fileno())
            for ended in self._running.values():
                _settle(ended, _LOST)


class _Output(asyncio.Protocol):
    """The reading end of a program's pipe."""

    def __init__(self, collector: OutputCollector) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._collector = collector

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._collector.feed(data)
        except Exception as failure:  # of the caller's on_output: it is raised from `run`
            self._close(failure)
        if self._collector.over:
            self._close(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._collector.finish()
        self._close(None)

    def _close(self, failure: Exception | None) -> None:
        self._transport.close()
        if self.closed.done():
            return
        if failure:
            self.closed.set_exception(failure)
        else:
            self.closed.set_result(None)


def _settle(future: asyncio.Future[messages.Ended], ended: messages.Ended) -> None:
    if not future.done():
        future.set_result(ended)


def _create_sealed_file(stack: ExitStack, data: bytes) -> int:
    """A read-only file in memory. Its offset stays at the start for whoever reads it."""
    descriptor = os.memfd_create("given", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    stack.callback(os.close, descriptor)
    written = 0
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], written)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALED)
    return descriptor


async def _receive_greeting(control: socket.socket, path: str) -> messages.Ready:
    loop = asyncio.get_running_loop()
    control.setblocking(False)
    try:
        async with asyncio.timeout(_CONNECT_S):
            await loop.sock_connect(control, path)
            packet = await loop.sock_recv(control, messages.MAX_PACKET)
    except (OSError, TimeoutError) as failure:
        reason = f"no sandbox service at {path}: {str(failure) or 'it does not answer'}"
        raise SandboxUnavailable(reason) from failure
    if not packet:
        raise SandboxUnavailable(f"the sandbox service at {path} is ending")
    return zygote_launcher.parse_ready(packet)
