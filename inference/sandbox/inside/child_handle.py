"""The zygote's end of a child: forked ahead of its program, used once, reaped."""

import contextlib
import os
import signal
import socket
import time
from dataclasses import dataclass
from typing import Self

from inference.sandbox.inside import child_main, messages


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
    def fork(cls, confinement: child_main.Confinement) -> Self:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        zygote = os.getpid()
        pid = os.fork()
        if pid == 0:
            child_main.run_child(theirs.fileno(), confinement, zygote=zygote)
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
        if told == child_main.CONFINED:
            return ""
        return told.decode("utf-8", "replace") or "the child ended before it was confined"
