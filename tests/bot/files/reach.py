"""What code in the process that reads files reaches, once a decoder is broken into.

    python -I reach.py FOLDER SECRET_FILE PORT < anything > one line of JSON

Confined as `bot/files/reader_process.py` is, it tries everything and tells what it got.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])
import reader_process as child  # type: ignore[import-not-found]

PARENT = os.getppid()


def connect(family: int, address: Any) -> str:
    with socket.socket(family) as open_socket:
        open_socket.connect(address)
    return "connected"


def trace() -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, PARENT, 0, 0) < 0:
        raise OSError(ctypes.get_errno())
    libc.ptrace(17, PARENT, 0, 0)
    return "attached"


def spawn() -> str:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    return "forked"


def write(path: str) -> str:
    Path(path).write_text("x")
    return "written"


def tries(secret: str, port: int) -> dict[str, Callable[[], object]]:
    return {
        "the parent's environment": lambda: Path(f"/proc/{PARENT}/environ").read_bytes()[:1],
        "the parent's memory": lambda: open(f"/proc/{PARENT}/mem", "rb").close(),
        "the parent's files": lambda: os.listdir(f"/proc/{PARENT}/fd"),
        "the parent's command": lambda: Path(f"/proc/{PARENT}/cmdline").read_bytes()[:1],
        "tracing the parent": trace,
        "a signal to the parent": lambda: os.kill(PARENT, signal.SIGCONT),
        "its own environment": lambda: Path("/proc/self/environ").read_bytes()[:1],
        "a secret file": lambda: Path(secret).read_text(),
        "a link to it": lambda: os.readlink("/proc/self/cwd"),
        "the passwords": lambda: Path("/etc/passwd").read_text()[:1],
        "the root folder": lambda: os.listdir("/"),
        "a port": lambda: connect(socket.AF_INET, ("127.0.0.1", port)),
        "a port by IPv6": lambda: connect(socket.AF_INET6, ("::1", port)),
        "a datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
        "a local socket": lambda: connect(socket.AF_UNIX, "\0anything"),
        "a process": spawn,
        "a program": lambda: subprocess.run(["/bin/true"], check=True),
        "becoming another program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
        "a file beside it": lambda: write(f"{secret}.new"),
        "a file in shared memory": lambda: write("/dev/shm/reach"),  # noqa: S108
        "a folder": lambda: os.mkdir(f"{secret}.folder"),
        "removing a file": lambda: os.unlink(secret),
        "more CPU time": lambda: __import__("resource").setrlimit(0, (99, 99)),
        "more priority": lambda: os.nice(-5),
    }


def main() -> None:
    missing = child._confine(threads="threads" in sys.argv)
    reached = {}
    for name, attempt in tries(sys.argv[2], int(sys.argv[3])).items():
        with suppress(Exception):  # whatever refuses it
            reached[name] = repr(attempt())
    sys.stdout.write(json.dumps({"missing": missing, "reached": reached}))
    sys.stdout.flush()


main()
