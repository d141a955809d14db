"""The main function of a forked child, from the fork to its end."""

import gc
import os
import signal
import socket
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NoReturn

from common.confinement import layers, syscalls
from inference.sandbox.inside import messages, runner
from inference.sandbox.inside.input_files import given

CONFINED = b"confined"  # told to the zygote before the program is read
_MAX_FD = 1 << 16
_MAX_DESCRIPTORS = 64
# Collections visit every object; most programs end before one is worth it.
_GC_THRESHOLD = 100_000


@dataclass(frozen=True, slots=True)
class Confinement:
    """The same for all children."""

    ruleset: int  # Landlock's descriptor
    seccomp_filter: bytes
    base_memory: int  # address space that the libraries take, bytes


def run_child(channel_fd: int, confinement: Confinement, *, zygote: int) -> NoReturn:
    """Wait for one program, confine, run it."""
    try:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
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
