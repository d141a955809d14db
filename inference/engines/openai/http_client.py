"""Sends requests to one server and reads their streams; every fault becomes one of our errors."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from inference.engines.openai.errors import (
    LONGEST_ERROR,
    EndpointMissing,
    ServerFailed,
    ServerUnreachable,
    failure,
    page,
    readable,
)
from inference.engines.openai.request_body import Json
from inference.engines.openai.sse import ServerEvent, ServerSentEvents, parse, whole_body

CONNECT_S = 5.0
ASK_S = 5.0  # for anything but an answer
LONGEST_BODY = 8 * 1024 * 1024  # bytes, of what is not a stream

_SPACE = b" \t\r\n\xef\xbb\xbf"


def session(api_key: str) -> aiohttp.ClientSession:
    """Every request has a connection of its own: to close it is to cancel, and none is stale."""
    return aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        trust_env=True,
    )


@asynccontextmanager
async def request(
    over: aiohttp.ClientSession, method: str, url: str, body: Json | None, within_s: float
) -> AsyncIterator[aiohttp.ClientResponse]:
    """A response's head within a time; its connection is closed at the end, read or not.

    Raises:
        ServerFailed: also for what fails while the response is used.
    """
    try:
        async with asyncio.timeout(within_s):
            response = await over.request(method, url, json=body, allow_redirects=False)
        try:
            yield response
        finally:
            response.close()
    except TimeoutError:
        raise ServerFailed("it is silent") from None
    except aiohttp.ClientConnectorError as error:
        raise ServerUnreachable(readable(str(error))) from error
    except (aiohttp.ClientError, OSError) as error:
        raise ServerFailed(f"the connection broke: {readable(repr(error))}") from error


async def raise_for(response: aiohttp.ClientResponse, body: Json | None = None) -> None:
    """Raise what an answer other than 200 means. Some servers answer 201 to any POST."""
    if not 200 <= response.status < 300:
        async with asyncio.timeout(ASK_S):
            told = await _read(response, LONGEST_ERROR)
        raise failure(response.status, response.headers, told, asked=frozenset(body or ()))


async def ask(over: aiohttp.ClientSession, method: str, url: str, body: Json | None = None) -> Any:
    """The JSON of a short answer."""
    async with request(over, method, url, body, ASK_S) as response, asyncio.timeout(ASK_S):
        await raise_for(response, body)
        try:
            return parse(await _read(response, LONGEST_BODY))
        except ValueError as error:
            raise EndpointMissing(f"{readable(url)} does not answer in JSON") from error


async def stream(
    over: aiohttp.ClientSession, url: str, body: Json, *, first_s: float, next_s: float
) -> AsyncGenerator[ServerEvent, None]:
    """The events of a long answer, to the one that ends them; between two of them at most `next_s`
    may pass.

    Comments, which some servers send to keep a connection open, do not count as life. What is no
    stream at all is told by its first sign, since its type is often wrong: JSON is read as one
    answer, and a page is refused.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + first_s
    async with request(over, "POST", url, body, first_s) as response:
        await raise_for(response, body)
        events = ServerSentEvents()
        begun = False
        while piece := await _piece(response, until):
            if not begun and (start := piece.lstrip(_SPACE)[:1]):
                begun = True
                if start in b"{[":
                    async with asyncio.timeout(first_s):
                        rest = await _read(response, LONGEST_BODY)
                    for event in whole_body(piece + rest):
                        yield event
                    return
                if start == b"<":
                    async with asyncio.timeout(ASK_S):
                        rest = await _read(response, LONGEST_ERROR)
                    raise ServerFailed(_is_page(piece + rest))
            for event in events.push(piece):
                yield event
                if event.is_done:
                    return
                until = clock() + next_s
        for event in events.end():
            yield event
        if events.stray:
            yield ServerEvent(events.stray, is_json=False)


def _is_page(body: bytes) -> str:
    said = page(body)
    return (
        f"it answers with a page{f' ({said})' if said else ''} and not with an answer: see whether "
        "INFERENCE_BASE_URLS names its API"
    )


async def _piece(response: aiohttp.ClientResponse, until: float) -> bytes:
    async with asyncio.timeout_at(until):
        return await response.content.readany()


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, or as much of it as may be read."""
    body = bytearray()
    while len(body) < most and (piece := await response.content.readany()):
        body += piece
    return bytes(body[:most])
