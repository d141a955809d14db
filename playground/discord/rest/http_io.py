"""Reads requests and writes responses in the form that discord.py expects."""

import json
import re
from contextvars import ContextVar
from typing import Any

from aiohttp import BodyPartReader, web

from playground.discord.backend import Backend
from playground.discord.errors import DiscordError, FormErrors
from playground.discord.json_types import File, Json
from playground.discord.schema import Object, Schema, check_body_schema, is_snowflake

BACKEND: web.AppKey[Backend] = web.AppKey("backend", Backend)

# The record of a request: its parsed "body" and "files".
RECORDED_REQUEST: ContextVar[Json | None] = ContextVar("RECORD", default=None)
MAX_DEPTH = 100  # of nested JSON
_FILE_FIELD = re.compile(r"files?\[?(\d{0,4})\]?")


def get_backend(request: web.Request) -> Backend:
    return request.app[BACKEND]


def json_response(
    data: Any, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    # discord.py parses JSON only when the content type is exactly this, without a charset.
    all_headers = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=json.dumps(data).encode(), status=status, headers=all_headers)


def no_content() -> web.Response:
    return web.Response(status=204)


async def read_json(request: web.Request) -> Any:
    body = parse_json(await request.read() or b"{}")
    _record(body=body)
    return body


def parse_json(text: str | bytes) -> Any:
    """Parse JSON. Raises 50109 for invalid JSON, NaN and infinities, and for deep nesting."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _invalid_json() from None
    if _depth(value) > MAX_DEPTH:
        raise _invalid_json()
    return value


def _record(**read: Any) -> None:
    record = RECORDED_REQUEST.get()
    if record is not None:
        record.update(read)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _invalid_json() -> DiscordError:
    return DiscordError(400, 50109, "The request body contains invalid JSON.")


def _depth(value: Any) -> int:
    """Return the depth of nested lists and objects. This does not recurse."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [
            inner for each in level for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return depth


async def read_body(request: web.Request, kind: Schema) -> Any:
    """Read a JSON body of this schema. Raises 50035 with the error tree."""
    body = await read_json(request)
    check_body_schema(kind, body)
    return body


async def read_message(request: web.Request) -> tuple[Json, list[File]]:
    """Read a body with files: JSON, or a form with `payload_json` and `files[n]`."""
    if not request.content_type.startswith("multipart/"):
        return await read_body(request, Object()), []
    try:
        body, files = await _read_form(request)
    except (ValueError, LookupError):
        message = "The form of several parts cannot be read."
        raise FormErrors.single("payload_json", "MULTIPART_INVALID", message) from None
    _record(body=body, files=[file.name for file in files])
    check_body_schema(Object(), body)
    return body, files


async def _read_form(request: web.Request) -> tuple[Any, list[File]]:
    body: Any = {}
    files: dict[int, File] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "payload_json":
            body = parse_json(await part.read(decode=True))
        elif part.filename and (match := _FILE_FIELD.fullmatch(part.name or "")):
            data = bytes(await part.read(decode=True))
            files[int(match.group(1) or 0)] = File(part.filename, data)
    return body, [files[index] for index in sorted(files)]


def read_query(request: web.Request, **kinds: Schema) -> dict[str, int]:
    """Read these parameters of the query, which are numbers or ids."""
    values: dict[str, Any] = {
        name: int(value) if is_snowflake(value) else value
        for name, value in request.query.items()
        if name in kinds
    }
    check_body_schema(Object(kinds), values)
    return values
