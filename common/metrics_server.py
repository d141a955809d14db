"""The HTTP pages of a process for its operators.

`/metrics` is for Prometheus, `/healthz` says whether the event loop runs, `/readyz` whether the
process can do its work. Threads serve them, so that they can report a blocked event loop.
"""

import asyncio
import socket
import socketserver
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import asynccontextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any, TypeVar

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

STALL_S = 3.0  # after so long without an answer the loop counts as blocked; Compose waits 5 s
REFRESH_S = 8.0
REQUEST_S = 10.0  # for a request to arrive

_TEXT = "text/plain; charset=utf-8"
T = TypeVar("T")


class CannotListen(Exception):
    """The address is taken, or does not belong to this machine."""


@asynccontextmanager
async def serve_metrics(
    registry: CollectorRegistry,
    *,
    host: str,
    port: int,
    not_ready_reason: Callable[[], str],
    refresh: Callable[[], Coroutine[Any, Any, None]],
) -> AsyncIterator[int]:
    """Serve the pages until the block ends; yield the port, which is a free one for `port` 0.

    `not_ready_reason` returns why the process cannot work, or "". `refresh` is called before each
    look at the metrics. Both are called in the event loop.

    Raises:
        CannotListen: the address is taken, or does not belong to this machine.
    """
    try:
        server = _Server((host, port), registry, not_ready_reason, refresh)
    except OSError as error:
        raise CannotListen(f"metrics cannot be shown on {host}:{port}: {error.strerror}") from error
    thread = Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        address: tuple[str, int],
        registry: CollectorRegistry,
        not_ready_reason: Callable[[], str],
        refresh: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._registry = registry
        self._not_ready_reason = not_ready_reason
        self._refresh = refresh
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def answer(self, path: str) -> tuple[HTTPStatus, bytes, str]:
        """Return the status, the body and its type; called in a thread of its own."""
        match path.partition("?")[0]:
            case "/metrics":
                self._run_in_loop(self._refresh(), REFRESH_S)  # if it fails, the last values stand
                return HTTPStatus.OK, generate_latest(self._registry), CONTENT_TYPE_LATEST
            case "/healthz":
                is_alive, reason = self._run_in_loop(asyncio.sleep(0, ""), STALL_S)
            case "/readyz":
                is_alive, reason = self._run_in_loop(self._check_ready(), STALL_S)
            case _:
                return HTTPStatus.NOT_FOUND, b"404: Not Found\n", _TEXT
        if not is_alive:
            reason = f"the event loop has stood still for {STALL_S:g} s and more"
        status = HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK
        return status, f"{reason or 'ok'}\n".encode(), _TEXT

    async def _check_ready(self) -> str:
        return self._not_ready_reason()

    def _run_in_loop(self, work: Coroutine[Any, Any, T], limit_s: float) -> tuple[bool, T | None]:
        """Return whether the loop ran the work in time, and its result."""
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # the loop is closed
            work.close()
            return False, None
        try:
            return True, future.result(limit_s)
        except FutureTimeout:
            future.cancel()
            return False, None

    def handle_error(self, *_: object) -> None:
        """Ignore a client that went away and a refresh that failed."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_S

    def do_GET(self) -> None:
        status, body, content_type = self.server.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Log nothing: requests come every few seconds."""
