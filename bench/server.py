"""A Redis or Valkey of one's own, that may be killed and comes back with its data."""

import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from jobqueue.embedded_redis import find_binary

_START_S = 60.0  # reading a large append-only file takes a while


class RedisServer:
    """`with Server(folder) as server:` listens on a loopback port that it keeps over restarts."""

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
        """Returns once the server has read its data and answers."""
        command = [str(self._binary), *self._settings(), *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        give_up = time.monotonic() + _START_S
        with self.client() as client:
            while not _answers(client):
                if self._process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError(f"{self._binary} does not start, see {self.folder}")
                time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL, as the kernel does when memory runs out."""
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
        """As in production: append-only file, never evicting."""
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
