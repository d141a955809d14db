"""The CDN: uploads at signed URLs, and a plain avatar for each user."""

import struct
import zlib

from aiohttp import web

from playground.discord.errors import DiscordError
from playground.discord.rest.http_io import get_backend

routes = web.RouteTableDef()

_COLOURS = ((88, 101, 242), (117, 126, 138), (59, 165, 92), (250, 166, 26), (237, 66, 69))


@routes.get("/cdn/attachments/{channel}/{attachment}/{name}")
async def attachment(request: web.Request) -> web.Response:
    try:
        file = get_backend(request).cdn.read(
            request.path.removeprefix("/cdn/"),
            request.query.get("ex", "0"),
            request.query.get("hm", ""),
        )
    except DiscordError as error:
        return web.Response(status=error.status, text=str(error.body["message"]))
    # An upload must not run as a page of this origin.
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
    media_type = file.media_type or "application/octet-stream"
    return web.Response(body=file.data, content_type=media_type.split(";")[0], headers=headers)


@routes.get("/cdn/embed/avatars/{index}.png")
@routes.get("/cdn/avatars/{user}/{index}.png")
async def avatar(request: web.Request) -> web.Response:
    index = request.match_info["index"]
    colour = _COLOURS[int(index) % len(_COLOURS) if index.isdigit() else 0]
    return web.Response(body=_build_png(colour), content_type="image/png")


def _build_png(colour: tuple[int, int, int], side: int = 8) -> bytes:
    """Build a PNG of one colour."""
    rows = b"".join(b"\x00" + bytes(colour) * side for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
