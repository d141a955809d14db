"""Around every API request: faults, the token, rate limits, errors as Discord writes them."""

import re

from aiohttp import web
from aiohttp.typedefs import Handler

from playground.discord.errors import DiscordError, Form, too_large, unauthorized
from playground.discord.fault_injection import Fault
from playground.discord.ratelimit import refusal
from playground.discord.rest.http_io import answer, backend
from playground.discord.schema import Snowflake

API = "/api/v10"
# An interaction's token in the path is all these need.
_OPEN = re.compile(r"/interactions/\d+/[^/]+/callback|/webhooks/\d+/[^/]+(?:/.*)?")

_IDS = ("application", "channel", "command", "guild", "interaction", "message", "scope", "user")


@web.middleware
async def api(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not request.path.startswith(API + "/"):
        return await handler(request)
    path = request.path.removeprefix(API)
    fault = await backend(request).faults.strike(request.method, path)
    if fault is not None and not fault.after:
        return _fail(request, fault)
    response = await _serve(request, handler, path)
    shared = response.headers.get("X-RateLimit-Scope") == "shared"
    if response.status in (401, 403, 429) and not shared:
        backend(request).limits.count_invalid()
    return response if fault is None else _fail(request, fault)


async def _serve(request: web.Request, handler: Handler, path: str) -> web.StreamResponse:
    limits = backend(request).limits
    if limits.banned():
        return web.Response(status=429, text="error code: 1015")
    decision = limits.take(request.method, path)
    if decision.refusal is not None:
        return answer(decision.refusal, 429, decision.headers)
    try:
        if not _OPEN.fullmatch(path):
            _authenticate(request)
        _check_path(request)
        response = await handler(request)
    except DiscordError as error:
        return answer(error.body, error.status, decision.headers)
    except web.HTTPRequestEntityTooLarge:
        return answer(too_large().body, 413, decision.headers)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        message = f"{error.status}: {error.reason}"
        return answer({"message": message, "code": 0}, error.status)
    response.headers.update(decision.headers)
    return response


def _authenticate(request: web.Request) -> None:
    if request.headers.get("Authorization") != f"Bot {backend(request).state.token}":
        raise unauthorized()


def _check_path(request: web.Request) -> None:
    """Ids in an address are snowflakes, but for the names that stand for one."""
    form = Form()
    for name, value in request.match_info.items():
        if name in _IDS and not value.startswith("@"):
            Snowflake().check(form, f"{name}_id", value)
    form.check()
    if not request.headers.get("User-Agent"):
        raise DiscordError(403, 40333, "internal network error")
    if (request.content_length or 0) > request.client_max_size:
        raise too_large()


def _fail(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.kind == "cut":
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)  # nobody receives it
    if fault.status == 429:
        decision = refusal(fault.retry_after, "shared", {})
        return answer(decision.refusal, 429, decision.headers)
    return answer({"message": "Internal Server Error", "code": 0}, fault.status)
