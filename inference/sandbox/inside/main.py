"""The start of a zygote: drop rights, import, report that it is ready, serve."""

import os
import resource
import socket
from typing import NoReturn

from common.confinement import landlock, layers, syscalls
from common.confinement.syscalls import ConfinementError
from inference.sandbox.inside import messages, preload, zygote
from inference.sandbox.inside.input_files import given

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


def _create_zygote(control: socket.socket, listener: socket.socket | None) -> zygote.ZygoteServer:
    setup = messages.decode_setup(control.recv(messages.MAX_PACKET))
    os.umask(0o077)
    os.chdir("/")
    _hold_many_descriptors()
    _volunteer_for_the_oom_killer()
    layers.drop_root(setup.uid)
    layers.require_kernel()
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    # Nobody with our uid may look into us or our children.
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    given.install()
    preload.preload_libraries()
    ready = messages.Ready(
        uid=os.getuid(),
        landlock=landlock.get_abi_version(),
        bubblewrap=setup.bubblewrap,
    )
    return zygote.ZygoteServer(setup, ready, control, listener)


def _hold_many_descriptors() -> None:
    """Every waiting program has a few open here."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, _DESCRIPTORS), most))


def _volunteer_for_the_oom_killer() -> None:
    """A program should die before the worker does. Children inherit it."""
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")
