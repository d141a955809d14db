"""The few system calls that Python has no function for."""

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
    """A layer could not be put on, or is not effective."""


def prctl(option: int, argument: object = 0) -> int:
    return _checked(_libc.prctl(option, argument, 0, 0, 0), f"prctl {option}")


def syscall(number: int, *arguments: object) -> int:
    return _checked(_libc.syscall(number, *arguments), f"system call {number}")


def drop_capabilities() -> None:
    """Give up what root may do beyond its own files."""
    header = struct.pack("=Ii", _CAPABILITIES_V3, 0)
    _checked(_libc.capset(header, bytes(24)), "capset")


def has_filters() -> bool:
    """seccomp's own way to ask: a filter at no address is EFAULT where filters are known."""
    returned = _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, None, 0, 0)
    return bool(returned < 0 and ctypes.get_errno() == errno.EFAULT)


def load_filter(instructions: bytes) -> None:
    """Install a compiled seccomp filter (an array of 8-byte `struct sock_filter`)."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    array = ctypes.create_string_buffer(instructions, len(instructions))
    program = Program(len(instructions) // 8, ctypes.cast(array, ctypes.c_void_p))
    _checked(
        _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0), "seccomp"
    )


def _checked(returned: int, what: str) -> int:
    if returned < 0:
        raise ConfinementError(f"{what}: {os.strerror(ctypes.get_errno())}")
    return returned
