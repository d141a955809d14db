"""Requests to one server, with every fault of the way said in our words."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from inference.engines.openai.bodies import Json
from inference.engines.openai.errors import Refused, Unreachable, raise_for
from inference.engines.openai.stream import Event, ServerSentEvents, decode

CONNECT_S = 5.0
ASK_S = 5.0  # for anything but an answer


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

    What fails while the response is used becomes Refused too.
    """
    try:
        async with asyncio.timeout(within_s):
            response = await over.request(method, url, json=body, allow_redirects=False)
        try:
            yield response
        finally:
            response.close()
    except TimeoutError:
        raise Refused("it is silent") from None
    except aiohttp.ClientConnectorError as error:
        raise Unreachable(str(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise Refused(f"the connection broke: {error!r}") from error


async def ask(over: aiohttp.ClientSession, method: str, url: str, body: Json | None = None) -> Any:
    """The JSON of a short answer."""
    async with request(over, method, url, body, ASK_S) as response, asyncio.timeout(ASK_S):
        await raise_for(response)
        try:
            return await response.json(content_type=None)
        except ValueError as error:
            raise Refused(f"{url} does not answer in JSON") from error


async def stream(
    over: aiohttp.ClientSession, url: str, body: Json, *, first_s: float, next_s: float
) -> AsyncGenerator[Event, None]:
    """The events of a long answer; between two of them at most `next_s` may pass.

    Comments, which some servers send to keep a connection open, do not count as life.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + first_s
    async with request(over, "POST", url, body, first_s) as response:
        await raise_for(response)
        events = ServerSentEvents()
        while piece := await _piece(response, until):
            for payload in events.push(piece):
                if payload == b"[DONE]":
                    return
                yield decode(payload)
                until = clock() + next_s


async def _piece(response: aiohttp.ClientResponse, until: float) -> bytes:
    async with asyncio.timeout_at(until):
        return await response.content.readany()
