"""Apply every layer of confinement to this process, in the one order that works, and verify it.

1. resource limits; 2. no_new_privs; 3. Landlock; 4. seccomp.
None of them can be removed again. Any failure raises, and the process must end.
"""

import os
import resource
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from common.confinement import landlock
from common.confinement.landlock import ConfinementError

_OPEN_FILES = 64


def drop_root(uid: int) -> None:
    """Become `uid` for good if root started this process.

    Raises:
        ConfinementError: root may not do that here, as in some containers and under bubblewrap.
    """
    if 0 in os.getresuid():
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        except PermissionError:
            raise ConfinementError(
                f"started as root, which may not become uid {uid} here:"
                " start it as another user, or grant CAP_SETUID and CAP_SETGID"
            ) from None
        _prove("the change of user", not {0} & {*os.getresuid(), *os.getresgid(), *os.getgroups()})
    if _effective_capabilities():
        raise ConfinementError("capabilities are left: start it without any")


def require_kernel() -> None:
    """Raise ConfinementError early if the kernel lacks a layer, before seconds of imports."""
    if not landlock.get_abi_version():
        raise ConfinementError("the kernel has no Landlock, or it is switched off at boot")
    if not landlock.has_seccomp_filters():
        raise ConfinementError("the kernel has no seccomp filters")


def confine(ruleset: int, seccomp_filter: bytes, *, memory: int, cpu_s: int) -> None:
    """Apply all layers. `memory` limits the whole address space, in bytes; `ruleset` is closed."""
    _set_limits(memory, cpu_s)
    landlock.prctl(landlock.PR_SET_NO_NEW_PRIVS, 1)
    landlock.restrict_self(ruleset)
    os.close(ruleset)
    _prove("no_new_privs", landlock.prctl(landlock.PR_GET_NO_NEW_PRIVS) == 1)
    landlock.load_filter(seccomp_filter)
    _prove("uid", os.getuid() != 0 and os.geteuid() != 0)
    _prove_denied("Landlock", lambda: os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY)))
    _prove_denied("seccomp", lambda: socket.socket().close())


def confine_as_far_as_possible(
    readable: Iterable[Path],
    seccomp_filter: bytes | None,
    *,
    memory: int,
    cpu_s: int,
    threads: bool = False,
) -> list[str]:
    """Apply each layer that this machine has; return the names of those that it lacks.

    For processes that must work without them. Root keeps its user but loses its capabilities.
    """
    missing = []
    _set_limits(memory, cpu_s, threads=threads)
    landlock.prctl(landlock.PR_SET_NO_NEW_PRIVS, 1)
    if os.geteuid() == 0:
        landlock.drop_capabilities()
    try:
        ruleset = landlock.create_read_only_ruleset(readable)
        landlock.restrict_self(ruleset)
        os.close(ruleset)
        _prove_denied("Landlock", lambda: os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY)))
    except ConfinementError:
        missing.append("Landlock")
    try:
        if seccomp_filter is None:
            raise ConfinementError("there is no filter")
        landlock.load_filter(seccomp_filter)
        _prove_denied("seccomp", lambda: socket.socket().close())
    except ConfinementError:
        missing.append("seccomp")
    return missing


def measure_address_space() -> int:
    """Return the bytes of address space that this process takes, before it runs any program."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _set_limits(memory: int, cpu_s: int, *, threads: bool = False) -> None:
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        *(() if threads else ((resource.RLIMIT_NPROC, 0),)),  # threads count as processes
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, 16),
    ):
        resource.setrlimit(limit, (value, value))
    # A program can ignore SIGXCPU of the soft limit, but not SIGKILL of the hard limit.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))


def _prove_denied(layer: str, attempt: Callable[[], object]) -> None:
    try:
        attempt()
    except PermissionError:
        return
    raise ConfinementError(f"{layer} is not effective")


def _prove(layer: str, holds: bool) -> None:
    if not holds:
        raise ConfinementError(f"{layer} is not effective")


def _effective_capabilities() -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        fields = dict(line.split(":\t", 1) for line in file if ":\t" in line)
    return int(fields["CapEff"], 16) | int(fields["CapPrm"], 16)
