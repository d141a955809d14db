"""The page's addresses, added to the local Discord's own server.

`/` is the page, `/page/static` its files, `/page/socket` the one WebSocket it lives on, and
`/page/upload` takes files ahead of the action that sends them.
"""

import asyncio
import hmac
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, web
from aiohttp.typedefs import Handler

from playground.discord.json_types import File
from playground.discord.server import LocalDiscord
from playground.web_ui.actions import FILE_BYTES, Uploads
from playground.web_ui.session import PageSession, ProcessControl

# Access to the page: only with its token, from this machine, in a page of ours.
#
# Loopback alone does not keep a browser's other pages out: a foreign page may send requests to
# 127.0.0.1, and with DNS rebinding it may even read the answers under its own name. So the Host
# must be loopback's own name, the Origin must be this server, and the token must be known.

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
BEARER = "Bearer "

# No inline scripts and no foreign sources. HTML enters only through one named policy.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self' {socket}",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types server-markdown",
    )
)


class TokenAuth:
    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def is_valid(self, token: object) -> bool:
        """Compare the token in constant time."""
        return isinstance(token, str) and hmac.compare_digest(
            token.encode(errors="replace"), self._token
        )

    def has_valid_bearer(self, request: web.Request) -> bool:
        header = request.headers.get("Authorization", "")
        return header.startswith(BEARER) and self.is_valid(header.removeprefix(BEARER))


@web.middleware
async def require_loopback(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Host everywhere, and a foreign Origin on the page's own addresses."""
    if _hostname(request.host) not in LOOPBACK_NAMES:
        raise web.HTTPForbidden(text="This server answers only to its loopback address.")
    origin = request.headers.get("Origin")
    if _is_page(request) and origin is not None and origin != f"http://{request.host}":
        raise web.HTTPForbidden(text="Another site's page may not use this one.")
    return await handler(request)


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:  # half of an IPv6 address
        return None


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers to every response of the page."""
    if not _is_page(request):
        return
    policy = CONTENT_SECURITY_POLICY.format(socket=f"ws://{request.host}")
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-cache"


def _is_page(request: web.Request) -> bool:
    return request.path == "/" or request.path.startswith("/page/")


STATIC = Path(__file__).parent / "static"
FIRST_USERS = ("Ada", "Linus", "小明")
HELLO_SECONDS = 5.0
HEARTBEAT_SECONDS = 20.0
TOKEN_REFUSED = 4001  # close code for a wrong token


def add_web_ui(
    app: web.Application, discord: LocalDiscord, supervisor: ProcessControl | None, token: str
) -> None:
    """Call before the server starts. `token` is what `/?token=` must hold."""
    page = WebUI(discord, supervisor, TokenAuth(token))
    app.middlewares.append(require_loopback)
    app.on_response_prepare.append(add_security_headers)
    app.on_startup.append(page.create_first_users)
    app.on_shutdown.append(page.close)
    app.router.add_get("/", page.index)
    app.router.add_get("/page/socket", page.socket)
    app.router.add_post("/page/upload", page.upload)
    app.router.add_static("/page/static", STATIC)


class WebUI:
    def __init__(
        self, discord: LocalDiscord, supervisor: ProcessControl | None, guard: TokenAuth
    ) -> None:
        self._world = discord.world
        self._supervisor = supervisor
        self._guard = guard
        self._uploads = Uploads()
        self._sockets: set[web.WebSocketResponse] = set()

    async def create_first_users(self, _app: web.Application) -> None:
        """Create the first people if there are none."""
        members = self._world.state.members[self._world.guild["id"]]
        strangers = {self._world.guild["owner_id"], self._world.state.bot["id"]}
        if not members.keys() - strangers:
            for name in FIRST_USERS:
                self._world.create_user(name)
            self._world.make_admin(FIRST_USERS[0])

    async def index(self, request: web.Request) -> web.StreamResponse:
        if not self._guard.is_valid(request.query.get("token")):
            return _html("refused.html", status=403)
        return _html("index.html")

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Serve a page's socket.

        Its first frame is `{"token", "user", "locale"}`; without it, nothing is answered.
        """
        if "Origin" not in request.headers:
            raise web.HTTPForbidden(text="Only the page itself may connect.")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS)
        await socket.prepare(request)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                hello = await socket.receive_json()
        except (RecursionError, TypeError, ValueError, TimeoutError):
            hello = None
        if not isinstance(hello, dict) or not self._guard.is_valid(hello.get("token")):
            await socket.close(code=TOKEN_REFUSED)
            return socket
        self._sockets.add(socket)
        try:
            await PageSession(socket, self._world, self._uploads, self._supervisor).run(hello)
        finally:
            self._sockets.discard(socket)
        return socket

    async def upload(self, request: web.Request) -> web.Response:
        if not self._guard.has_valid_bearer(request):
            raise web.HTTPForbidden(text="This needs the page's token.")
        if (request.content_length or 0) > FILE_BYTES:
            raise web.HTTPRequestEntityTooLarge(FILE_BYTES, request.content_length or 0)
        data = await request.read()
        if len(data) > FILE_BYTES:
            raise web.HTTPRequestEntityTooLarge(FILE_BYTES, len(data))
        file = File(request.query.get("name") or "file", data, request.content_type)
        return web.json_response({"id": self._uploads.put(file)})

    async def close(self, _app: web.Application) -> None:
        for socket in tuple(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)


def _html(name: str, *, status: int = 200) -> web.Response:
    return web.Response(
        text=(STATIC / name).read_text("utf-8"), content_type="text/html", status=status
    )
