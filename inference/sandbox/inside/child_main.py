"""Confines a forked child and runs its one program."""

import contextlib
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NoReturn, Self

from common.confinement import landlock, layers
from inference.sandbox.inside import messages, runner
from inference.sandbox.inside.input_files import given

CONFINED = b"confined"  # told to the zygote before the program is read
_MAX_FD = 1 << 16
_MAX_DESCRIPTORS = 64
# Collections visit every object; most programs end before one is worth it.
_GC_THRESHOLD = 100_000


@dataclass(frozen=True, slots=True)
class Confinement:
    """The confinement of all children."""

    ruleset: int  # Landlock's descriptor
    seccomp_filter: bytes
    base_memory: int  # address space that the libraries take, bytes


def run_child(channel_fd: int, confinement: Confinement, *, zygote: int) -> NoReturn:
    """Wait for one program, confine, run it."""
    try:
        landlock.prctl(landlock.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != zygote:  # it died before we asked to die with it
            os._exit(1)
        _close_all_but({1, 2, channel_fd, confinement.ruleset})
        # Flags of an open file are shared by all that inherited it: no letter box between programs.
        os.open(os.devnull, os.O_RDONLY)
        with socket.socket(fileno=channel_fd) as channel:
            request, descriptors = _program(channel)
            try:
                _confine(confinement, request)
            except Exception as failure:  # whatever it is, no program runs
                os.write(channel_fd, f"{type(failure).__name__}: {failure}".encode()[:1000])
                os._exit(1)
            os.write(channel_fd, CONFINED)  # `send` is denied from here on
        _run(*descriptors)
        os._exit(0)
    finally:
        os._exit(1)  # whatever happened, never back into the zygote's code


def _program(channel: socket.socket) -> tuple[messages.Run, list[int]]:
    packet, descriptors, *_ = socket.recv_fds(channel, messages.MAX_PACKET, _MAX_DESCRIPTORS)
    if not packet:  # the zygote has ended, or wants us no more
        os._exit(0)
    return messages.decode_run(packet), descriptors


def _confine(confinement: Confinement, request: messages.Run) -> None:
    layers.confine(
        confinement.ruleset,
        confinement.seccomp_filter,
        memory=confinement.base_memory + request.memory_bytes,
        cpu_s=int(request.timeout_s) + 1,
    )


def _run(output: int, task_fd: int, *files: int) -> None:
    with os.fdopen(task_fd, "rb") as file:
        task = messages.decode_task(file.read())
    gc.set_threshold(_GC_THRESHOLD, 10, 10)
    sys.argv = sys.orig_argv = [runner.PROGRAM]  # ours tell where we are installed
    numpy: Any = sys.modules["numpy"]  # `random` seeds itself after a fork, numpy does not
    numpy.random.seed(int.from_bytes(os.urandom(4), "little"))
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    given.give(dict(zip(task.files, files, strict=True)))
    runner.run(task, 1)


def _close_all_but(kept: Collection[int]) -> None:
    """Other programs' descriptors, the control socket and the listener among them."""
    low = 0
    for descriptor in sorted(kept):
        if low < descriptor:  # an empty range would close everything
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, _MAX_FD)


# The zygote's end of a child: forked ahead of its program, used once, reaped.


@dataclass(eq=False, slots=True)
class Child:
    """A process that waits for its one program. Everything but `hand_over` is about its end."""

    pid: int
    handle: int  # pidfd: readable when it has ended
    channel: socket.socket  # the program goes in; out comes that the child is confined
    started: float = 0.0
    deadline: float = float("inf")
    reason: messages.EndReason = "exit"

    @classmethod
    def fork(cls, confinement: Confinement) -> Self:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        zygote = os.getpid()
        pid = os.fork()
        if pid == 0:
            run_child(theirs.fileno(), confinement, zygote=zygote)
        theirs.close()
        return cls(pid, os.pidfd_open(pid), ours)

    def hand_over(self, request: messages.Run, descriptors: list[int]) -> None:
        self.started = time.monotonic()
        self.deadline = self.started + request.timeout_s
        with contextlib.suppress(OSError):  # it has just died: its end is reported in any case
            socket.send_fds(
                self.channel, [messages.encode(request)], descriptors, socket.MSG_NOSIGNAL
            )

    def kill(self, reason: messages.EndReason) -> None:
        if self.reason == "exit":
            self.reason = reason
            os.kill(self.pid, signal.SIGKILL)  # not reaped yet, so the number is still its own

    def reap(self, run_id: int) -> messages.Ended:
        """Call it when `handle` is readable; afterwards nothing is left of the child."""
        _, status, usage = os.wait4(self.pid, 0)
        os.close(self.handle)
        with self.channel:
            unconfined = self._not_confined()
        exit_code = os.waitstatus_to_exitcode(status)
        if unconfined and self.reason == "exit" and exit_code != -signal.SIGKILL:
            return messages.Ended(run_id, "unconfined", 1, 0.0, detail=unconfined)
        return messages.Ended(
            run_id,
            self.reason,
            exit_code,
            (time.monotonic() - self.started) * 1000,
            usage.ru_utime + usage.ru_stime,
        )

    def _not_confined(self) -> str:
        """Why no program was run. The child closed its end before it read the program."""
        try:
            told = self.channel.recv(1024, socket.MSG_DONTWAIT)
        except OSError:
            told = b""
        if told == CONFINED:
            return ""
        return told.decode("utf-8", "replace") or "the child ended before it was confined"
