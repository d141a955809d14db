"""The engine on other machines: one or several OpenAI-compatible servers of one model.

vLLM, LMDeploy, SGLang, llama.cpp's server, or a router before many of them. Spoken to with aiohttp,
which the service has anyway, and not with OpenAI's own client: what is needed is one POST and its
events, while what differs between servers (top-k, reasoning, counting, writing on) lies outside
that client's types, and its retries know of one address only.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Self

from yarl import URL

from inference.config import DEFAULT_MODEL, WorkerSettings
from inference.engines.base import (
    BadRequest,
    CannotLoad,
    Chunk,
    EngineFailed,
    Health,
    Message,
    PromptTooLong,
    Request,
)
from inference.engines.openai import http_client, request_body
from inference.engines.openai.chunk_parser import (
    AnswerParser,
    UnopenedReasoning,
    estimate,
    of_pictures,
)
from inference.engines.openai.errors import (
    ParametersRejected,
    ServerFailed,
    readable,
    without_words,
)
from inference.engines.openai.request_body import FLAVOURS, ServerQuirks
from inference.engines.openai.server import Server, ServerOptions
from inference.engines.openai.server_pool import ServerPool, Timeouts
from inference.engines.openai.sse import ServerEvent

CONTEXT_TOKENS = 4096  # where neither the operator nor the server tells


class OpenAIEngine:
    name = "openai"

    def __init__(
        self,
        urls: Sequence[str],
        wanted: ServerOptions,
        *,
        api_key: str = "",
        slots: int = 0,
        context_tokens: int = 0,
        max_tokens: int = 1024,
        patience: Timeouts = Timeouts(),  # noqa: B008  (frozen)
    ) -> None:
        """`slots` and `context_tokens` 0 are the servers' own; `max_tokens` is for requests that
        name none."""
        self._servers = ServerPool(urls, wanted, api_key=api_key, patience=patience)
        self._wanted = wanted
        self._slots = slots
        self._context_tokens = context_tokens
        self._max_tokens = max_tokens
        self._patience = patience

    async def __aenter__(self) -> Self:
        await self._servers.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._servers.__aexit__(*exc)

    @property
    def model(self) -> str:
        return next((served.model for served in self._servers.served_models), self._wanted.model)

    @property
    def identity(self) -> str:
        return self.model

    @property
    def capabilities(self) -> frozenset[str]:
        served = self._servers.served_models
        sees = bool(served) and all(each.vision for each in served)
        return frozenset({"chat", "vision"} if sees else {"chat"})

    @property
    def takes_tools(self) -> bool:
        served = self._servers.served_models
        return bool(served) and all(each.takes_tools for each in served)

    @property
    def context_tokens(self) -> int:
        told = [each.context_tokens for each in self._servers.served_models]
        return min(filter(None, [*told, self._context_tokens]), default=CONTEXT_TOKENS)

    @property
    def slots(self) -> int:
        return self._slots or sum(served.slots for served in self._servers.served_models)

    def health(self) -> Health:
        troubles = self._servers.troubles
        if not self._servers.found:
            return Health("loading", detail=troubles)
        return Health("ready" if self._servers.up else "degraded", detail=troubles)

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        prompt_tokens = await self.count_tokens(request.messages)
        room = self.context_tokens - prompt_tokens
        if room <= 0:
            raise PromptTooLong(prompt_tokens, self.context_tokens)
        most = min(request.sampling.max_tokens or self._max_tokens, room)
        answer, reasons = AnswerParser(prompt_tokens, most), dict[str, str]()
        async with aclosing(self._servers.candidates(request.channel, reasons)) as candidates:
            async for server in candidates:
                try:
                    async with aclosing(self._chunks(server, request, most, answer)) as chunks:
                        async for chunk in chunks:
                            yield chunk
                    return
                except ServerFailed as how:
                    server.note_failure(how)
                    reasons[server.name] = str(how)
                    if answer.has_output:
                        raise EngineFailed(f"{server.name} broke off the answer: {how}") from how

    async def _chunks(
        self, server: Server, request: Request, most: int, answer: AnswerParser
    ) -> AsyncGenerator[Chunk, None]:
        """Yield one server's answer to its end. Raises ServerFailed if it is incomplete."""
        continues = request.messages[-1].role == "assistant"
        unopened = UnopenedReasoning(expected=not continues and server.expects_unopened(request))
        try:
            async with aclosing(self._events(server, request, most)) as events:
                async for event in events:
                    if chunk := answer.push(event):
                        yield unopened.read(chunk)
            if not answer.complete:
                raise ServerFailed(answer.missing())
        except ServerFailed:
            if not answer.complete:
                raise
        last = unopened.read(answer.last())
        if not continues:
            server.opens_reasoning = unopened.was_unopened
        yield last

    async def _events(
        self, server: Server, request: Request, most: int
    ) -> AsyncGenerator[ServerEvent, None]:
        """The events of an answer. What the server does not take is left out, now and later."""
        body = self._body(server, request, most)
        while True:
            events = http_client.stream(
                server.session,
                server.at("chat/completions"),
                server.without_refused(body),
                first_s=self._patience.first_s,
                next_s=self._patience.next_s,
            )
            try:
                async with aclosing(events):
                    async for event in events:
                        yield event
                return
            except ParametersRejected as error:
                server.refuse(error)
            except (ServerFailed, BadRequest) as error:
                raise without_words(error, request.messages) from None

    def _body(self, server: Server, request: Request, most: int) -> request_body.Json:
        assert server.served is not None  # noqa: S101  (it was up)
        return request_body.chat(
            request if server.served.takes_tools else replace(request, tools=()),
            model=server.served.model,
            flavour=server.served.flavour,
            max_tokens=most,
        )

    async def count_tokens(self, messages: tuple[Message, ...]) -> int:
        for server in self._servers.up:
            with suppress(ServerFailed):
                return await server.count(messages) + of_pictures(messages)
        return estimate(messages)


def create_openai_engine(settings: WorkerSettings) -> OpenAIEngine:
    """Raises CannotLoad for settings that cannot work."""
    wanted = ServerOptions(
        model=settings.model,
        any_model=settings.model == DEFAULT_MODEL,  # nobody chose it
        flavour=_flavour(settings.server) if settings.server else None,
        vision=settings.vision,
        tools=settings.dialect == "native",
    )
    urls = base_urls(settings.base_urls)
    if settings.api_key and any(URL(url).user for url in urls):
        raise CannotLoad("INFERENCE_BASE_URLS names a user, INFERENCE_API_KEY a key: take one")
    return OpenAIEngine(
        urls,
        wanted,
        api_key=settings.api_key,
        slots=settings.slots,
        context_tokens=settings.context_tokens,
        max_tokens=settings.max_tokens,
    )


# Creates an engine from the operator's settings, or says what is wrong with them.


def base_urls(listed: str) -> tuple[str, ...]:
    """Addresses out of a list with commas; one without a path gets the usual `/v1`."""
    urls = tuple(dict.fromkeys(map(_base_url, filter(None, map(str.strip, listed.split(","))))))
    if not urls:
        raise CannotLoad("INFERENCE_BASE_URLS names no server, such as http://localhost:8000/v1")
    return urls


def _base_url(text: str) -> str:
    try:
        url = URL(text)
        _ = url.port  # is read only now
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        shown = "" if "@" in text else f"{readable(text)!r} "
        raise CannotLoad(f"INFERENCE_BASE_URLS: {shown or 'an address '}is no http address")
    path = url.path.rstrip("/")
    return str(url.with_path(path or "/v1", keep_query=True))


def _flavour(name: str) -> ServerQuirks:
    if name not in FLAVOURS:
        raise CannotLoad(f"INFERENCE_SERVER: {name!r} is none of {', '.join(sorted(FLAVOURS))}")
    return FLAVOURS[name]
