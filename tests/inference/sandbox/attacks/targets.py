"""What the attacks aim at: a secret, files, sockets, and a process of the programs' user."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from inference.sandbox.interpreter import Environment
from tests.inference.sandbox.attacks.table import Targets

_VICTIM = """
import ctypes, time
memory = ctypes.create_string_buffer(b"12345678")
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_long(-1))  # Yama: anybody may trace me
print(ctypes.addressof(memory), flush=True)
time.sleep(600)
"""
_LONG_S = 1.5


@contextmanager
def open_targets(programs: Environment, program_uid: int, secret: str) -> Iterator[Targets]:
    """Hold everything ready that attacks try to reach."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_open_to_all()))
        file, writable = folder / "file", folder / "writable"
        file.write_text(secret)
        writable.write_text("something")
        file.chmod(0o644)
        writable.chmod(0o666)
        victim = stack.enter_context(_victim(programs, program_uid, secret))
        assert victim.stdout is not None
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        by_path = stack.enter_context(_unix(str(folder / "socket")))
        (folder / "socket").chmod(0o777)
        abstract = f"sandbox-test-{os.getpid()}"
        stack.enter_context(_unix(f"\0{abstract}"))
        yield Targets(
            secret=secret,
            file=str(file),
            writable=str(writable),
            folder=str(folder),
            victim=victim.pid,
            address=int(victim.stdout.readline()),
            tcp=tcp.getsockname()[1],
            unix=str(by_path.getsockname()),
            abstract=abstract,
            host=socket.gethostname(),
            project=str(Path(__file__).parents[4]),
            packages=str(Path(msgspec.__file__).parents[1]),
            long=_LONG_S,
        )


@contextmanager
def _open_to_all() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="sandbox-attacks-") as folder:
        Path(folder).chmod(0o777)
        yield folder


@contextmanager
def _unix(name: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        yield listener


@contextmanager
def _victim(programs: Environment, uid: int, secret: str) -> Iterator["subprocess.Popen[str]"]:
    with start_as_programs(programs, uid, ["-c", _VICTIM], secret=secret) as victim:
        try:
            yield victim
        finally:
            victim.kill()


def start_as_programs(
    programs: Environment,
    uid: int,
    arguments: list[str],
    *,
    secret: str,
    stdin: int | None = None,
) -> "subprocess.Popen[str]":
    """Start the programs' interpreter as the programs' user, and nothing else of the sandbox."""
    drops = os.getuid() == 0
    return subprocess.Popen(
        [str(programs.interpreter), "-I", "-S", *arguments],
        env={
            "LD_LIBRARY_PATH": str(programs.shared_libraries),
            "COMMONROOM_SECRET": secret,
        },
        cwd="/",
        text=True,
        stdin=stdin,
        stdout=subprocess.PIPE,
        user=uid if drops else None,
        group=uid if drops else None,
        extra_groups=[] if drops else None,
    )
