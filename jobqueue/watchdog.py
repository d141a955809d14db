"""An event loop that stands still is noticed, and ends its process, so that it is started again.

What holds the interpreter itself, as one endless step of a library written in C, stops every thread
of Python. So the last resort is faulthandler's watchdog, which needs no interpreter: it writes the
stacks of all threads to standard error and ends the process with status 1. systemd is told of
every beat (`WatchdogSec`), and when the process is ready.
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

BEAT_S = 1.0


@asynccontextmanager
async def watch_loop(limit_s: float) -> AsyncIterator[None]:
    """End this process when its event loop has stood still for `limit_s`; 0: only tell systemd."""
    watch = _Watchdog(limit_s)
    beats = asyncio.create_task(watch.beat(), name="watchdog")
    notify_systemd("READY=1")
    try:
        yield
    finally:
        notify_systemd("STOPPING=1")
        beats.cancel()
        await asyncio.wait([beats])


class _Watchdog:
    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._every_s = min(BEAT_S, limit_s / 4) if limit_s else BEAT_S
        self._ended = threading.Event()
        self._last = time.monotonic()
        self._loop = asyncio.get_running_loop()

    async def beat(self) -> None:
        if self._limit_s:
            threading.Thread(target=self._log_stalls, name="watchdog", daemon=True).start()
        try:
            while True:
                self._last = time.monotonic()
                if self._limit_s:
                    faulthandler.dump_traceback_later(self._limit_s, exit=True)
                notify_systemd("WATCHDOG=1")
                await asyncio.sleep(self._every_s)
        finally:
            faulthandler.cancel_dump_traceback_later()
            self._ended.set()

    def _log_stalls(self) -> None:
        """In a thread: say at half of the limit what will happen, where Python still runs."""
        complained = False
        while not self._ended.wait(self._every_s):
            late = time.monotonic() - self._last > self._limit_s / 2
            if late and not complained:
                task = asyncio.current_task(self._loop)
                log.error(
                    "the event loop stands still in %s; this process ends after %g s of it",
                    task.get_name() if task else "a callback",
                    self._limit_s,
                )
            complained = late


def notify_systemd(state: str) -> None:
    """Do nothing where systemd did not start this process as a service that notifies."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    path = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notifier:
        notifier.setblocking(False)
        with suppress(OSError):  # a service goes on without its manager
            notifier.sendto(state.encode(), path)
