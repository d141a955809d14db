"""The fork server: libraries imported once, one confined child for every program.

Single-threaded, without a secret in its memory and with a fixed environment. It never reads a
program or its output; it passes descriptors on. Whoever holds its control socket owns it: when
that closes it ends, and every child dies with it (PDEATHSIG, and the PID namespace where there
is one).
"""

import contextlib
import os
import resource
import selectors
import signal
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import msgspec

from common.confinement import landlock, layers
from common.confinement.landlock import ConfinementError
from inference.sandbox.inside import messages, preload
from inference.sandbox.inside.child_main import Child, Confinement
from inference.sandbox.inside.input_files import given

_IDLE_S = 3600.0
_MAX_DESCRIPTORS = 64
_MAX_WAITING = 64  # of one client; ours keep to their own bound


@dataclass(eq=False, slots=True)
class Client:
    socket: socket.socket
    waiting: deque[tuple[messages.Run, list[int]]] = field(default_factory=deque)

    def tell(self, message: messages.FromZygote) -> None:
        """Dropped when the client is gone: the end of its connection cleans up."""
        with contextlib.suppress(OSError):
            self.socket.send(messages.encode(message), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


@dataclass(frozen=True, slots=True)
class Running:
    client: Client
    id: int  # the client's
    child: Child


class ZygoteServer:
    def __init__(
        self,
        setup: messages.Setup,
        ready: messages.Ready,
        control: socket.socket,
        listener: socket.socket | None,
    ) -> None:
        self._setup = setup
        self._ready = ready
        self._confinement = Confinement(
            landlock.create_read_only_ruleset(map(Path, setup.readable)),
            setup.filter,
            layers.measure_address_space(),
        )
        self._running: dict[int, Running] = {}  # by the child's handle
        self._spare: Child | None = None
        self._turns: deque[Client] = deque()  # whose program starts next: round robin
        self._selector = selectors.DefaultSelector()
        self._control = self._welcome(control)
        if listener is not None:
            self._selector.register(listener, selectors.EVENT_READ, self._accept)

    def serve(self) -> NoReturn:
        while True:
            self._start_waiting()
            self._prepare()
            for key, _ in self._selector.select(self._until_deadline()):
                key.data(key.fileobj)
            self._kill_overdue()

    # --- clients --------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it gave up before we came
            self._welcome(listener.accept()[0])

    def _welcome(self, connection: socket.socket) -> Client:
        client = Client(connection)
        connection.setblocking(False)
        self._turns.append(client)
        self._selector.register(
            connection, selectors.EVENT_READ, lambda _: self._receive_from(client)
        )
        client.tell(self._ready)
        return client

    def _receive_from(self, client: Client) -> None:
        try:
            packet, descriptors, *_ = socket.recv_fds(
                client.socket, messages.MAX_PACKET, _MAX_DESCRIPTORS
            )
        except BlockingIOError:
            return
        except OSError:
            packet, descriptors = b"", []
        try:
            message = messages.decode_from_client(packet)
            if isinstance(message, messages.Run):
                if len(descriptors) < 2 or len(client.waiting) >= _MAX_WAITING:
                    raise ValueError("descriptors are missing, or too many programs wait")
                client.waiting.append((message, descriptors))
            else:
                self._kill(client, message.id)
        except ValueError:  # it closed the connection, or it speaks something else
            _close(descriptors)
            self._dismiss(client)

    def _dismiss(self, client: Client) -> None:
        if client is self._control:
            os._exit(0)
        self._selector.unregister(client.socket)
        self._turns.remove(client)
        for _, descriptors in client.waiting:
            _close(descriptors)
        for running in self._of(client):
            running.child.kill("killed")
        client.socket.close()

    def _of(self, client: Client) -> list[Running]:
        return [running for running in self._running.values() if running.client is client]

    # --- programs -------------------------------------------------------------------------------

    def _start_waiting(self) -> None:
        while len(self._running) < self._setup.concurrency and (client := self._whose_turn()):
            request, descriptors = client.waiting.popleft()
            try:
                self._begin(client, request, descriptors)
            except OSError as failure:  # too many processes or descriptors on this machine
                client.tell(messages.Ended(request.id, "unconfined", 1, 0.0, detail=str(failure)))
            finally:
                _close(descriptors)

    def _prepare(self) -> None:
        """Have a child ready for the next program, so that it need not wait for the fork."""
        if self._spare is None and len(self._running) < self._setup.concurrency:
            with contextlib.suppress(OSError):  # no room now: the next program tries again
                self._spare = self._fork()

    def _whose_turn(self) -> Client | None:
        for _ in range(len(self._turns)):
            client = self._turns[0]
            self._turns.rotate(-1)
            if client.waiting:
                return client
        return None

    def _begin(self, client: Client, request: messages.Run, descriptors: list[int]) -> None:
        """May raise OSError where this machine has no room for another process."""
        child = self._spare or self._fork()
        self._spare = None
        child.hand_over(self._limit_run(request), descriptors)
        self._running[child.handle] = Running(client, request.id, child)

    def _fork(self) -> Child:
        child = Child.fork(self._confinement)
        self._selector.register(child.handle, selectors.EVENT_READ, self._reap)
        return child

    def _limit_run(self, request: messages.Run) -> messages.Run:
        return msgspec.structs.replace(
            request,
            timeout_s=min(request.timeout_s, self._setup.timeout_s),
            memory_bytes=min(request.memory_bytes, self._setup.memory_bytes),
        )

    def _kill(self, client: Client, run_id: int) -> None:
        for running in self._of(client):
            if running.id == run_id:
                running.child.kill("killed")
        for entry in [entry for entry in client.waiting if entry[0].id == run_id]:
            client.waiting.remove(entry)
            _close(entry[1])
            client.tell(messages.Ended(run_id, "killed", -signal.SIGKILL, 0.0))

    def _reap(self, handle: int) -> None:
        self._selector.unregister(handle)
        if self._spare is not None and self._spare.handle == handle:  # killed while it waited
            self._spare.reap(0)
            self._spare = None
        else:
            running = self._running.pop(handle)
            running.client.tell(running.child.reap(running.id))

    def _until_deadline(self) -> float:
        deadlines = (running.child.deadline for running in self._running.values())
        return max(0.0, min(deadlines, default=time.monotonic() + _IDLE_S) - time.monotonic())

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for running in self._running.values():
            if running.child.deadline <= now:
                running.child.kill("timeout")


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


# The start of a zygote: drop rights, import, report that it is ready, serve.

_DESCRIPTORS = 4096


def main(control_fd: int, listener_fd: int | None = None) -> NoReturn:
    control = socket.socket(fileno=control_fd)
    listener = None if listener_fd is None else socket.socket(fileno=listener_fd)
    try:
        server = _create_zygote(control, listener)
    except (ConfinementError, ImportError, OSError, RuntimeError) as failure:
        reason = f"{type(failure).__name__}: {failure}"
        control.send(messages.encode(messages.Unavailable(reason[:2000])))
        os._exit(1)
    server.serve()


def _create_zygote(control: socket.socket, listener: socket.socket | None) -> ZygoteServer:
    setup = messages.decode_setup(control.recv(messages.MAX_PACKET))
    os.umask(0o077)
    os.chdir("/")
    _hold_many_descriptors()
    _volunteer_for_the_oom_killer()
    layers.drop_root(setup.uid)
    layers.require_kernel()
    landlock.prctl(landlock.PR_SET_NO_NEW_PRIVS, 1)
    # Nobody with our uid may look into us or our children.
    landlock.prctl(landlock.PR_SET_DUMPABLE, 0)
    given.install()
    preload.preload_libraries()
    ready = messages.Ready(
        uid=os.getuid(), landlock=landlock.get_abi_version(), bubblewrap=setup.bubblewrap
    )
    return ZygoteServer(setup, ready, control, listener)


def _hold_many_descriptors() -> None:
    """Every waiting program has a few open here."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, _DESCRIPTORS), most))


def _volunteer_for_the_oom_killer() -> None:
    """A program should die before the worker does. Children inherit it."""
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")
