"""Access to the page: only with its token, from this machine, in a page of ours.

Loopback alone does not keep a browser's other pages out: a foreign page may send requests to
127.0.0.1, and with DNS rebinding it may even read the answers under its own name. So the Host
must be loopback's own name, the Origin must be this server, and the token must be known.
"""

import hmac
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
BEARER = "Bearer "

# Nothing inline, nothing from elsewhere; HTML enters only through one named policy.
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
    """Headers of everything the page consists of."""
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
