"""One zygote for several workers, behind a unix socket.

For a container of its own: `network_mode: none`, a read-only file system, no capabilities, a
user that is not root. Workers reach it over a volume that holds nothing but the socket, and
hand it descriptors: it reads neither programs nor their output. It serves its clients in turn.
"""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference.sandbox import zygote_launcher
from inference.sandbox.config import SandboxConfig
from inference.sandbox.result import SandboxUnavailable

log = logging.getLogger(__name__)

_BACKLOG = 64


async def serve(path: Path, config: SandboxConfig, *, mode: int = 0o600) -> None:
    """Serve until SIGTERM or SIGINT. Raises `SandboxUnavailable` if it cannot start, or dies.

    `mode` is the socket's: whoever may write to it may have programs run, and nothing else.
    """
    _remove_abandoned(path)
    starting = path.with_name(f".{path.name}.starting")
    try:
        with _listening(starting, mode) as listener:
            async with zygote_launcher.zygote(config, listener=listener) as zygote:
                starting.rename(path)  # who finds the socket finds a zygote that answers
                log.info("sandbox ready at %s as uid %d", path, zygote.ready.uid)
                await _until_asked_to_stop(zygote)
    finally:
        path.unlink(missing_ok=True)  # noqa: ASYNC240  (once, at the end)


async def _until_asked_to_stop(zygote: zygote_launcher.ZygoteProcess) -> None:
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    ended = asyncio.ensure_future(zygote.process.wait())
    stopping = asyncio.ensure_future(asked.wait())
    await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not stopping.done():
        stopping.cancel()
        raise SandboxUnavailable(f"the zygote ended with {ended.result()}")
    ended.cancel()


@contextmanager
def _listening(path: Path, mode: int) -> Iterator[socket.socket]:
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        before = os.umask(0o177)  # nobody connects before the mode is set
        try:
            listener.bind(str(path))
        except OSError as failure:
            raise SandboxUnavailable(f"{path}: {failure.strerror}") from failure
        finally:
            os.umask(before)
        path.chmod(mode)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    """A killed service leaves its name behind, a running one answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError:
            return
        else:
            raise SandboxUnavailable(f"another sandbox service answers at {path}")
