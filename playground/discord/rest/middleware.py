"""The middleware of all API requests: faults, the token, rate limits and errors."""

import re

from aiohttp import web
from aiohttp.typedefs import Handler

from playground.discord.errors import DiscordError, FormErrors, too_large_error, unauthorized_error
from playground.discord.fault_injection import Fault
from playground.discord.ratelimit import build_refusal
from playground.discord.rest.http_io import get_backend, json_response
from playground.discord.schema import Snowflake

API = "/api/v10"
# These need only an interaction's token in the path.
_OPEN = re.compile(r"/interactions/\d+/[^/]+/callback|/webhooks/\d+/[^/]+(?:/.*)?")

_IDS = ("application", "channel", "command", "guild", "interaction", "message", "scope", "user")


@web.middleware
async def api(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not request.path.startswith(API + "/"):
        return await handler(request)
    path = request.path.removeprefix(API)
    fault = await get_backend(request).faults.apply(request.method, path)
    if fault is not None and not fault.after:
        return _build_fault_response(request, fault)
    response = await _handle(request, handler, path)
    shared = response.headers.get("X-RateLimit-Scope") == "shared"
    if response.status in (401, 403, 429) and not shared:
        get_backend(request).rate_limits.count_invalid()
    return response if fault is None else _build_fault_response(request, fault)


async def _handle(request: web.Request, handler: Handler, path: str) -> web.StreamResponse:
    limits = get_backend(request).rate_limits
    if limits.is_banned():
        return web.Response(status=429, text="error code: 1015")
    decision = limits.take(request.method, path)
    if decision.refusal is not None:
        return json_response(decision.refusal, 429, decision.headers)
    try:
        if not _OPEN.fullmatch(path):
            _authenticate(request)
        _check_path(request)
        response = await handler(request)
    except DiscordError as error:
        return json_response(error.body, error.status, decision.headers)
    except web.HTTPRequestEntityTooLarge:
        return json_response(too_large_error().body, 413, decision.headers)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        message = f"{error.status}: {error.reason}"
        return json_response({"message": message, "code": 0}, error.status)
    response.headers.update(decision.headers)
    return response


def _authenticate(request: web.Request) -> None:
    if request.headers.get("Authorization") != f"Bot {get_backend(request).state.token}":
        raise unauthorized_error()


def _check_path(request: web.Request) -> None:
    """Check that the ids of the path are snowflakes, or names such as @me."""
    form = FormErrors()
    for name, value in request.match_info.items():
        if name in _IDS and not value.startswith("@"):
            Snowflake().check(form, f"{name}_id", value)
    form.raise_if_any()
    if not request.headers.get("User-Agent"):
        raise DiscordError(403, 40333, "internal network error")
    if (request.content_length or 0) > request.client_max_size:
        raise too_large_error()


def _build_fault_response(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.kind == "cut":
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)  # the client is gone
    if fault.status == 429:
        decision = build_refusal(fault.retry_after, "shared", {})
        return json_response(decision.refusal, 429, decision.headers)
    return json_response({"message": "Internal Server Error", "code": 0}, fault.status)
