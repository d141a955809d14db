"""What a bot and the local Discord say to each other over REST, written down as JSON lines."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from playground.discord.json_types import Json
from playground.discord.rest.http_io import RECORDED_REQUEST
from playground.discord.rest.middleware import API
from playground.discord.server import LocalDiscord


@dataclass(frozen=True)
class Exchange:
    """A request and its response. `files` is None where the body was plain JSON."""

    method: str
    path: str  # below the API's address
    query: dict[str, str]
    body: Any
    files: list[str] | None
    status: int
    response: Any


@contextmanager
def recorded(keep: Callable[[Exchange], None]) -> Iterator[None]:
    """Every server that is made in this context hands over its exchanges, except those without a
    response from Discord: a connection that was cut, an error of the server."""

    @web.middleware
    async def listen(request: web.Request, handler: Handler) -> web.StreamResponse:
        read: Json = {}
        RECORDED_REQUEST.set(read)
        response = await handler(request)
        if request.path.startswith(f"{API}/") and response.status < 500:
            keep(_exchange(request, read, response))
        return response

    def add(app: web.Application) -> None:
        app.middlewares.insert(0, listen)

    LocalDiscord.extensions.append(add)
    try:
        yield
    finally:
        LocalDiscord.extensions.remove(add)


@contextmanager
def recorded_in(folder: Path) -> Iterator[None]:
    """Exchanges go to a file of this process."""
    with (folder / f"{os.getpid()}.jsonl").open("a") as file:

        def keep(exchange: Exchange) -> None:
            file.write(json.dumps(asdict(exchange)) + "\n")

        with recorded(keep):
            yield


def read(folder: Path) -> Iterator[Exchange]:
    for path in sorted(folder.glob("*.jsonl")):
        with path.open() as lines:
            yield from (Exchange(**json.loads(line)) for line in lines)


def _exchange(request: web.Request, read: Json, response: web.StreamResponse) -> Exchange:
    content = response.body if isinstance(response, web.Response) else None
    return Exchange(
        method=request.method,
        path=request.path.removeprefix(API),
        query=dict(request.query),
        body=read.get("body"),
        files=read.get("files"),
        status=response.status,
        response=_json(content) if isinstance(content, bytes) and content else None,
    )


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:  # Cloudflare's refusal, which is no JSON
        return content.decode(errors="replace")
