"""A Redis or Valkey for a benchmark or test, which may be killed and restarted; or a cluster."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from jobqueue.embedded_redis import find_binary

_START_S = 60.0  # reading a large append-only file takes a while


class RedisServer:
    """A server that keeps its loopback port and data over restarts: `with RedisServer(folder):`."""

    def __init__(
        self, folder: Path, *, binary: Path | None = None, options: Sequence[str] = ()
    ) -> None:
        self.folder = folder.resolve()
        self.port = free_port()
        self._binary = binary or find_binary()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def client(self) -> "redis.Redis":
        return redis.Redis(port=self.port, socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def start(self) -> None:
        """Start the server; return when it has read its data and answers."""
        command = [str(self._binary), *self._settings(), *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        give_up = time.monotonic() + _START_S
        with self.client() as client:
            while not _answers(client):
                if self._process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError(f"{self._binary} does not start, see {self.folder}")
                time.sleep(0.01)

    def kill(self) -> None:
        """Kill the server, as the kernel does when memory runs out."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def _settings(self) -> list[str]:
        """Return the settings of production: append-only file, no eviction."""
        return [
            *("--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(self.folder), "--logfile", str(self.folder / "server.log")),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory-policy", "noeviction"),
        ]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False


# --- a cluster ----------------------------------------------------------------------------------

_SLOTS = 16_384
_READY_S = 30.0


@contextmanager
def run_cluster(
    folder: Path, *, binary: Path | None = None, nodes: int = 3
) -> Iterator[list[RedisServer]]:
    """Run a cluster of primaries; yield them when each knows that all slots are served."""
    buses = [free_port() for _ in range(nodes)]
    with ExitStack() as stack:
        servers = [
            RedisServer(
                folder / str(n), binary=binary,
                options=("--cluster-enabled", "yes", "--cluster-port", str(bus)),
            )
            for n, bus in enumerate(buses)
        ]  # fmt: skip
        clients = [stack.enter_context(stack.enter_context(s).client()) for s in servers]
        for n, client in enumerate(clients):
            first, last = n * _SLOTS // nodes, (n + 1) * _SLOTS // nodes - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[0].port, buses[0])
        _await_agreement(clients)
        yield servers


def _await_agreement(clients: "list[redis.Redis]") -> None:
    give_up = time.monotonic() + _READY_S
    while not all(_knows_all(client, len(clients)) for client in clients):
        if time.monotonic() > give_up:
            raise RuntimeError("the cluster's nodes do not find each other")
        time.sleep(0.05)


def _knows_all(client: "redis.Redis", nodes: int) -> bool:
    reply: bytes = client.execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]
    info = reply.split()
    return b"cluster_state:ok" in info and b"cluster_size:%d" % nodes in info
