"""The few system calls for which Python has no function."""

import ctypes
import errno
import os
import struct

_libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39

SECCOMP_MODE_FILTER = 2
_CAPABILITIES_V3 = 0x20080522


class ConfinementError(Exception):
    """A layer could not be applied, or is not effective."""


def prctl(option: int, argument: object = 0) -> int:
    return _raise_on_error(_libc.prctl(option, argument, 0, 0, 0), f"prctl {option}")


def syscall(number: int, *arguments: object) -> int:
    return _raise_on_error(_libc.syscall(number, *arguments), f"system call {number}")


def drop_capabilities() -> None:
    """Drop all capabilities: root may then do no more than its files' owner."""
    header = struct.pack("=Ii", _CAPABILITIES_V3, 0)
    _raise_on_error(_libc.capset(header, bytes(24)), "capset")


def has_seccomp_filters() -> bool:
    """Return whether the kernel has seccomp filters: it answers a null filter with EFAULT."""
    returned = _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, None, 0, 0)
    return bool(returned < 0 and ctypes.get_errno() == errno.EFAULT)


def load_filter(instructions: bytes) -> None:
    """Install a compiled seccomp filter (an array of 8-byte `struct sock_filter`)."""

    class SockFprog(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    array = ctypes.create_string_buffer(instructions, len(instructions))
    program = SockFprog(len(instructions) // 8, ctypes.cast(array, ctypes.c_void_p))
    _raise_on_error(
        _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0), "seccomp"
    )


def _raise_on_error(returned: int, what: str) -> int:
    if returned < 0:
        raise ConfinementError(f"{what}: {os.strerror(ctypes.get_errno())}")
    return returned
