"""A watchdog that ends the process when its event loop is blocked, so that it is restarted.

A call into C that never returns may hold the interpreter, and then no Python thread runs. So the
last resort is faulthandler's watchdog, which needs no interpreter: it writes the stacks of all
threads to standard error and ends the process with status 1. systemd is notified of each heartbeat
(`WatchdogSec`), and when the process is ready.
"""

import asyncio
import faulthandler
import logging
import os
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

log = logging.getLogger(__name__)

HEARTBEAT_S = 1.0


@asynccontextmanager
async def watch_loop(limit_s: float) -> AsyncIterator[None]:
    """End this process when its event loop is blocked for `limit_s`; 0: only notify systemd."""
    heartbeat = asyncio.create_task(_Watchdog(limit_s).run(), name="watchdog")
    notify_systemd("READY=1")
    try:
        yield
    finally:
        notify_systemd("STOPPING=1")
        heartbeat.cancel()
        await asyncio.wait([heartbeat])


class _Watchdog:
    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._interval_s = min(HEARTBEAT_S, limit_s / 4) if limit_s else HEARTBEAT_S
        self._ended = threading.Event()
        self._last_beat = time.monotonic()
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        if self._limit_s:
            threading.Thread(target=self._log_stalls, name="watchdog", daemon=True).start()
        try:
            while True:
                self._last_beat = time.monotonic()
                if self._limit_s:
                    faulthandler.dump_traceback_later(self._limit_s, exit=True)
                notify_systemd("WATCHDOG=1")
                await asyncio.sleep(self._interval_s)
        finally:
            faulthandler.cancel_dump_traceback_later()
            self._ended.set()

    def _log_stalls(self) -> None:
        """Warn at half of the limit, in a thread; this works if Python code blocks the loop."""
        was_late = False
        while not self._ended.wait(self._interval_s):
            is_late = time.monotonic() - self._last_beat > self._limit_s / 2
            if is_late and not was_late:
                task = asyncio.current_task(self._loop)
                log.error(
                    "the event loop stands still in %s; this process ends after %g s of it",
                    task.get_name() if task else "a callback",
                    self._limit_s,
                )
            was_late = is_late


def notify_systemd(state: str) -> None:
    """Send `state` to systemd if it started this process as a service of `Type=notify`."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    path = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notifier:
        notifier.setblocking(False)
        with suppress(OSError):  # the service works without its manager
            notifier.sendto(state.encode(), path)
