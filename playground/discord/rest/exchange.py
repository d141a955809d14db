"""Reading requests and writing answers the way discord.py expects them."""

import json
import re
from typing import Any

from aiohttp import BodyPartReader, web

from playground.discord.backend import Backend
from playground.discord.errors import DiscordError
from playground.discord.shapes import File, Json

BACKEND: web.AppKey[Backend] = web.AppKey("backend", Backend)

_FILE_FIELD = re.compile(r"files?\[?(\d*)\]?")


def backend(request: web.Request) -> Backend:
    return request.app[BACKEND]


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # discord.py parses JSON only when the content type is exactly this, without a charset.
    all_headers = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=json.dumps(data).encode(), status=status, headers=all_headers)


def nothing() -> web.Response:
    return web.Response(status=204)


async def read_json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read() or b"{}")
    except ValueError:
        raise DiscordError(400, 50109, "The request body contains invalid JSON.") from None


async def read_message(request: web.Request) -> tuple[Json, list[File]]:
    """A body that may carry files: JSON, or a form with `payload_json` and `files[n]`."""
    if not request.content_type.startswith("multipart/"):
        return await read_json(request), []
    body: Json = {}
    files: dict[int, File] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "payload_json":
            body = json.loads(await part.text())
        elif part.filename and (match := _FILE_FIELD.fullmatch(part.name or "")):
            data = bytes(await part.read(decode=True))
            files[int(match.group(1) or 0)] = File(part.filename, data)
    return body, [files[index] for index in sorted(files)]
