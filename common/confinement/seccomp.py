"""The system calls that a confined process may make. All others fail with EPERM.

Not in the list, so impossible: processes and threads (fork, clone, exec), sockets, signals to
anyone, ptrace and other processes' memory, anything that writes or creates a file, keyrings, bpf,
io_uring, userfaultfd, perf, mounts and namespaces, prctl (so PDEATHSIG stays), readlink and
extended attributes. Calls of a foreign ABI (x32, i386) kill the program: the filter covers one.

The filter is compiled by the launcher, since finding libseccomp needs the system's ldconfig.
"""

import errno
import importlib
import os
from typing import Any

from common.confinement.landlock import ConfinementError

# Names that an architecture lacks are skipped, since nobody can call them there.
ALLOWED = (
    # Open descriptors, and reading what Landlock allows.
    *("read", "readv", "pread64", "write", "writev", "lseek", "close", "dup", "dup2", "dup3"),
    *("pipe", "pipe2", "poll", "ppoll", "select", "pselect6"),
    *("open", "openat", "fstat", "newfstatat", "stat", "lstat", "getdents64", "getcwd"),
    # Its own memory.
    *("mmap", "munmap", "mprotect", "mremap", "madvise", "brk"),
    # Handling signals, which only its own timers can send.
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack"),
    *("setitimer", "getitimer", "alarm", "restart_syscall"),
    # Clocks, sleeping, and who and where it is.
    *("nanosleep", "gettimeofday", "time", "times", "getrusage", "getrlimit", "getrandom"),
    "sched_yield",
    *("getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "uname"),
    *("exit", "exit_group"),
)

_FCNTL = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC
_IOCTL = (0x5401, 0x5451)  # TCGETS (isatty), FIOCLEX
_FUTEX = (0, 1, 3, 4, 9, 10)  # waiting and waking; not with priority inheritance
_FUTEX_OPERATION = 0x7F  # without the flags for private and for the clock
_FOR_THREADS = ("set_robust_list", "rseq", "set_tid_address")
_CLONE_THREAD = 0x0001_0000
_LAST_CLOCK = 11  # CLOCK_TAI; greater numbers are the processor time of other processes
_INT = 0xFFFF_FFFF  # the kernel looks at the lower half of an int argument only


def compile_filter(*, threads: bool = False) -> bytes:
    """Compile the filter to an array of `struct sock_filter` for this machine's architecture.

    `threads` allows the process to start threads, but still no process.
    """
    sc = _libseccomp()
    rules = sc.SyscallFilter(sc.ERRNO(errno.EPERM))

    def allow(name: str, *arguments: Any) -> None:
        number = sc.resolve_syscall(sc.Arch.NATIVE, name)
        if number >= 0:  # negative: this architecture has no such call
            rules.add_rule(sc.ALLOW, number, *arguments)

    for name in ALLOWED:
        allow(name)
    for command in _FCNTL:
        allow("fcntl", sc.Arg(1, sc.MASKED_EQ, _INT, command))
    for command in _IOCTL:
        allow("ioctl", sc.Arg(1, sc.MASKED_EQ, _INT, command))
    for operation in _FUTEX:
        allow("futex", sc.Arg(1, sc.MASKED_EQ, _FUTEX_OPERATION, operation))
    for name in ("clock_gettime", "clock_getres", "clock_nanosleep"):
        allow(name, sc.Arg(0, sc.LE, _LAST_CLOCK))
    # Its own affinity and limits, for reading only.
    allow("sched_getaffinity", sc.Arg(0, sc.MASKED_EQ, _INT, 0))
    allow("prlimit64", sc.Arg(0, sc.MASKED_EQ, _INT, 0), sc.Arg(2, sc.EQ, 0))
    if threads:
        for name in _FOR_THREADS:
            allow(name)
        allow("clone", sc.Arg(0, sc.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD))
        # A filter cannot look at clone3's flags; after ENOSYS libc falls back to clone.
        rules.add_rule(sc.ERRNO(errno.ENOSYS), "clone3")
    rules.set_attr(sc.Attr.ACT_BADARCH, sc.KILL_PROCESS)
    with os.fdopen(os.memfd_create("filter", os.MFD_CLOEXEC), "rb") as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _libseccomp() -> Any:
    try:
        return importlib.import_module("pyseccomp")
    except ImportError as missing:
        raise ConfinementError("pyseccomp is not installed: pip install pyseccomp") from missing
    except RuntimeError as missing:  # pyseccomp raises it if the shared library is missing
        raise ConfinementError(
            "libseccomp is not there: install Debian's libseccomp2 (Fedora: libseccomp)"
        ) from missing
