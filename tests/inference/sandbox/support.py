"""What several tests of the sandbox need."""

import functools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from inference.sandbox.config import Bubblewrap
from tests.inference.sandbox.attacks.run import LIMITS

Layer = Literal["alone", "bubblewrap"]
LAYERS: tuple[Layer, ...] = ("alone", "bubblewrap")
_PROJECT = Path(__file__).parents[3]


@functools.cache
def bubblewrap_starts() -> bool:
    """By trying it, as the launcher does; not by looking at settings."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return False
    command = [bwrap, "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc"]
    command += ["--unshare-user"] if os.getuid() else []
    return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def service_at(
    path: Path, bubblewrap: Bubblewrap, secret: str = ""
) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "inference.sandbox", "serve", "--socket", str(path)]
    command += ["--bubblewrap", bubblewrap, "--timeout", str(LIMITS.timeout_s)]
    environ = os.environ | {"COMMONROOM_SECRET": secret}
    with subprocess.Popen(command, env=environ, cwd=_PROJECT) as process:
        try:
            yield process
        finally:
            process.terminate()


def wait_for(path: Path, process: "subprocess.Popen[bytes]") -> None:
    """The socket appears when the service answers."""
    ends = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, "the service ended"
        assert time.monotonic() < ends, "the service is not ready"
        time.sleep(0.02)


def descendants(pid: int) -> set[int]:
    """Of a process, without itself."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            status = Path("/proc", entry, "stat").read_text("ascii", "replace")
        except OSError:  # it has just ended
            continue
        parents[int(entry)] = int(status.rpartition(")")[2].split()[1])
    found: set[int] = set()
    layer = {pid}
    while layer := {child for child, parent in parents.items() if parent in layer} - found:
        found |= layer
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that are neither gone nor only waiting to be reaped."""
    return {pid for pid in pids if _state(pid) not in ("", "Z", "X")}


def _state(pid: int) -> str:
    try:
        status = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    return status.rpartition(")")[2].split()[0]
