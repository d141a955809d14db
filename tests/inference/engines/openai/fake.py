"""An OpenAI-compatible server that does what a test says, mostly wrong, over real sockets."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Act = Callable[[web.StreamResponse], Awaitable[None]]  # what it does once the head is sent


class Fake:
    def __init__(self, owned_by: str = "vllm", **card: Any) -> None:
        self.card = {"id": "some-model", "owned_by": owned_by, "max_model_len": 4096} | card
        self.acts: deque[Act | web.Response] = deque()  # one a question; else it answers well
        self.bodies: list[Any] = []
        self.keys: list[str | None] = []
        self.hung_up = asyncio.Event()  # the other side closed the connection
        self.tokenizes = True
        self.parses_calls = True  # else it refuses every question with tools
        self.probe_refuses = ""  # a parameter of the question whether it takes tools
        self.sick: web.Response | None = None  # what every look at its health gets

    async def models(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers.get("Authorization"))
        return self.sick or web.json_response({"object": "list", "data": [self.card]})

    async def tokenize(self, request: web.Request) -> web.Response:
        if not self.tokenizes:
            return web.Response(status=404)
        messages = (await request.json())["messages"]
        return web.json_response({"count": sum(len(m["content"].split()) for m in messages)})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if "tools" in body and not self.parses_calls:
            return error(400, '"auto" tool choice requires --enable-auto-tool-choice')
        if self.probe_refuses in body and not body.get("stream"):
            return error(422, f"{self.probe_refuses}: Extra inputs are not permitted")
        if not body.get("stream"):
            return web.json_response({"choices": [{"message": {"content": "one"}}]})
        self.bodies.append(body)
        act = self.acts.popleft() if self.acts else says("one", " two")
        if isinstance(act, web.Response):
            return act
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await act(response)
        except ConnectionResetError:
            self.hung_up.set()
        return response

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """Its base URL."""
        app = web.Application()
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_post("/tokenize", self.tokenize)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield "http://{}:{}/v1".format(*runner.addresses[0][:2])
        finally:
            await runner.cleanup()


# --- acts -----------------------------------------------------------------------------------------


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def end(reason: str | int = "stop") -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def usage(prompt: Any, completion: Any) -> dict[str, Any]:
    return {"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}}


def sends(*events: dict[str, Any] | str) -> Act:
    """Events as they are; a string is a raw payload."""

    async def act(response: web.StreamResponse) -> None:
        for event in events:
            payload = event if isinstance(event, str) else json.dumps(event)
            await response.write(f"data: {payload}\n\n".encode())

    return act


def says(*pieces: str, reason: str = "stop") -> Act:
    texts = [delta(content=piece) for piece in pieces]
    return sends(delta(role="assistant"), *texts, end(reason), usage(7, len(pieces)), "[DONE]")


def cuts(*pieces: str) -> Act:
    """Falls dead in the middle of an answer."""

    async def act(response: web.StreamResponse) -> None:
        await sends(*(delta(content=piece) for piece in pieces))(response)
        transport = response._req.transport if response._req else None
        assert transport is not None
        transport.close()

    return act


def hangs(*pieces: str) -> Act:
    """Says something, and then only that it is still there."""

    async def act(response: web.StreamResponse) -> None:
        await sends(*(delta(content=piece) for piece in pieces))(response)
        while True:
            await response.write(b": ping\n\n")
            await asyncio.sleep(0.02)

    return act


def error(status: int, message: str, **headers: str) -> web.Response:
    return web.json_response({"error": {"message": message}}, status=status, headers=headers)
