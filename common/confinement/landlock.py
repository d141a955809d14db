"""Landlock: which files a process may open. Numbers and layouts are from <linux/landlock.h>.

A ruleset handles every right of every ABI, so that whatever it does not grant is denied. It grants
only reading; never executing, writing or creating.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from pathlib import Path

# The few system calls for which Python has no function.

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


CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

READ_FILE = 1 << 2
READ_DIR = 1 << 3

# How many file rights the kernel knows, by ABI: refer came with 2, truncate with 3, ioctl with 5.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_ALL_TCP = 0b11  # bind, connect (ABI 4)
_ALL_SCOPES = 0b11  # abstract unix sockets, signals (ABI 6)


def get_abi_version() -> int:
    """Return the kernel's Landlock version; 0 if it is missing or switched off."""
    try:
        return syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    except ConfinementError:
        return 0


def create_read_only_ruleset(paths: Iterable[Path]) -> int:
    """Create a ruleset that allows reading these files and directories; return its descriptor."""
    version = get_abi_version()
    attributes = struct.pack(
        "QQQ",
        (1 << _FILE_RIGHTS[min(version, 5)]) - 1,
        _ALL_TCP if version >= 4 else 0,
        _ALL_SCOPES if version >= 6 else 0,
    )[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = syscall(
        CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)
    )
    for path in paths:
        _allow_reading(ruleset, path)
    return ruleset


def _allow_reading(ruleset: int, path: Path) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = READ_FILE | READ_DIR if path.is_dir() else READ_FILE
        rule = struct.pack("=Qi", rights, descriptor)
        syscall(ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)


def restrict_self(ruleset: int) -> None:
    """Apply the ruleset to this process for good. no_new_privs must be set."""
    syscall(RESTRICT_SELF, ruleset, 0)
