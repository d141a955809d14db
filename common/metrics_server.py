"""How a process shows itself to those who look after it, over HTTP: `/metrics` for Prometheus,
`/healthz` for whether its event loop runs, `/readyz` for whether it does its work.

The pages are served by threads of their own, so that they can tell of a loop that stands still.
"""

import asyncio
import socket
import socketserver
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import TimeoutError as Late
from contextlib import asynccontextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

STILL_S = 3.0  # a loop that does nothing for so long stands still; Compose waits 5 s for an answer
REFRESH_S = 8.0
READ_S = 10.0  # for a request to come


class CannotListen(Exception):
    """The address is taken, or not this machine's."""


@asynccontextmanager
async def serve_metrics(
    registry: CollectorRegistry,
    *,
    host: str,
    port: int,
    not_ready_reason: Callable[[], str],
    refresh: Callable[[], Awaitable[None]],
) -> AsyncIterator[int]:
    """Listens until left; its port, which is a free one where `port` is 0.

    `lacks` tells what keeps the process from its work, nothing where it is ready; `refresh` is
    called before each look at the metrics. Both are called in the event loop. Raises CannotListen.
    """
    pages = _Pages(asyncio.get_running_loop(), registry, not_ready_reason, refresh)
    try:
        server = _Server((host, port), pages)
    except OSError as error:
        raise CannotListen(f"metrics cannot be shown on {host}:{port}: {error.strerror}") from error
    serving = Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    serving.start()
    try:
        yield int(server.server_address[1])
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()


class _Pages:
    """What is answered; called in threads."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        registry: CollectorRegistry,
        lacks: Callable[[], str],
        refresh: Callable[[], Awaitable[None]],
    ) -> None:
        self._loop = loop
        self._registry = registry
        self._lacks = lacks
        self._refresh = refresh

    def page(self, path: str) -> tuple[HTTPStatus, bytes, str]:
        """Status, body and its type."""
        match path.partition("?")[0]:
            case "/metrics":
                self._in_loop(self._refreshed(), REFRESH_S)  # else the last that is known stands
                return HTTPStatus.OK, generate_latest(self._registry), CONTENT_TYPE_LATEST
            case "/healthz":
                wrong = "" if self._in_loop(_nothing(), STILL_S) is not None else _STILL
            case "/readyz":
                found = self._in_loop(self._lacking(), STILL_S)
                wrong = _STILL if found is None else found
            case _:
                return HTTPStatus.NOT_FOUND, b"404: Not Found\n", _TEXT
        status = HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK
        return status, f"{wrong or 'ok'}\n".encode(), _TEXT

    async def _refreshed(self) -> str:
        await self._refresh()
        return ""

    async def _lacking(self) -> str:
        return self._lacks()

    def _in_loop(self, work: Coroutine[Any, Any, str], within_s: float) -> str | None:
        """None where the loop has not come to an end of it in time."""
        try:
            waiting = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # the loop is closed
            work.close()
            return None
        try:
            return waiting.result(within_s)
        except Late:
            waiting.cancel()
            return None


_TEXT = "text/plain; charset=utf-8"
_STILL = f"the event loop has stood still for {STILL_S:g} s and more"


async def _nothing() -> str:
    return ""


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], pages: _Pages) -> None:
        self.pages = pages
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def handle_error(self, *_: object) -> None:
        """A client that went away, or a refresh that failed, is nobody else's business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = READ_S

    def do_GET(self) -> None:
        status, body, kind = self.server.pages.page(self.path)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing: it is asked every few seconds."""
