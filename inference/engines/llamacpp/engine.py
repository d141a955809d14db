"""The engine for machines without a GPU: llama.cpp, in a server that belongs to the worker.

The server is a child process, and is asked like any other that speaks OpenAI's protocol; what is
here keeps it alive. One that ends or hangs is started again: its answers break off, and the queue
has them asked again.
"""

import asyncio
import logging
import os
import secrets
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager, suppress
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any, Self

import aiohttp

from inference.config import WorkerSettings
from inference.engines import auto_select
from inference.engines.base import CannotLoad, Chunk, Health, Request
from inference.engines.llamacpp import prompt_cache
from inference.engines.llamacpp.prompt_cache import SLOT, PromptCache
from inference.engines.llamacpp.server_main import ServerPlan
from inference.engines.llamacpp.server_process import run_server
from inference.engines.openai import http_client
from inference.engines.openai.engine import OpenAIEngine
from inference.engines.openai.errors import ServerFailed
from inference.engines.openai.request_body import FLAVOURS, Json
from inference.engines.openai.server import Server, ServerOptions
from inference.engines.openai.server_pool import Timeouts
from inference.models import gguf
from inference.models.gguf_metadata import read_metadata

log = logging.getLogger(__name__)

SLOTS = 4
CONTEXT_TOKENS = 4096
KEPT_BYTES = 1 << 30  # beside the weights: what is written in four slots, and kept of others
REST_S = 1.0  # after a start that came to nothing
LOOK_S = 5.0  # between looks whether it still computes
SILENT_S = 15.0  # its answer to a look comes between two steps; two in vain, and it hangs
PATIENCE = Timeouts(check_s=0.5)
QUOTA = Path("/sys/fs/cgroup/cpu.max")

MISSING = (
    "llama.cpp is not installed: pip install 'commonroom[cpu]', which has it for Linux (x86-64 and "
    "aarch64, glibc) and macOS 13; or take INFERENCE_ENGINE=transformers"
)


def create_llamacpp_engine(settings: WorkerSettings) -> "LlamaCppEngine":
    """Raises CannotLoad without llama.cpp, ModelMissing without the model's GGUF, ModelBroken for
    one that is not what its packages promise."""
    if not auto_select.has_llamacpp():
        raise CannotLoad(MISSING)
    path = gguf.locate(settings.model)
    gguf.require_unaltered(path)
    return LlamaCppEngine(
        path,
        slots=settings.slots or SLOTS,
        context_tokens=settings.context_tokens or CONTEXT_TOKENS,
        threads=settings.threads or cores(),
        max_tokens=settings.max_tokens,
        tools=settings.dialect == "native",
        states=prompt_cache.default_folder(),
    )


def cores() -> int:
    """Processors that this process may use: a container's share, where it has one. With more
    threads than that, each would wait for one that does not run."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with suppress(OSError, ValueError):
        share, period = map(int, QUOTA.read_text("ascii").split())
        return max(1, min(allowed or 1, ceil(share / period)))
    return allowed or 1


class LlamaCppEngine(OpenAIEngine):
    name = "llamacpp"

    def __init__(
        self,
        path: Path,
        *,
        slots: int = SLOTS,
        context_tokens: int = CONTEXT_TOKENS,
        threads: int = 1,
        max_tokens: int = 1024,
        tools: bool = False,
        states: Path | None = None,
        look_s: float = LOOK_S,
        silent_s: float = SILENT_S,
    ) -> None:
        self._holding = AsyncExitStack()
        self._up = False
        self._answering = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._reading: asyncio.Task[list[Chunk]] | None = None
        self._look_s, self._silent_s = look_s, silent_s
        self._states = PromptCache.open(states, path, context_tokens) if states else None
        self._plan = ServerPlan(
            path=str(path),
            model=path.stem,
            port=self._holding.enter_context(_held_port()),
            key=secrets.token_urlsafe(16),
            slots=slots,
            context_tokens=context_tokens,
            threads=threads,
            states=f"{self._states.folder}/" if self._states else "",
            defaults=gguf.defaults(path),
        )
        self._identity = read_metadata(path).identity or path.stem
        self._root = f"http://127.0.0.1:{self._plan.port}"
        super().__init__(
            [f"{self._root}/v1"],
            ServerOptions(self._plan.model, flavour=FLAVOURS["llamacpp"], tools=tools),
            api_key=self._plan.key,
            slots=slots,
            context_tokens=context_tokens,
            max_tokens=max_tokens,
            patience=PATIENCE,
        )

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._holding)
            begun = asyncio.get_running_loop().create_future()
            keeper = asyncio.create_task(self._keep(begun), name="keep llama.cpp")
            stack.push_async_callback(_end, keeper)
            await begun
            await super().__aenter__()
            stack.push_async_exit(super().__aexit__)
            self._holding = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._holding.aclose()

    @property
    def identity(self) -> str:
        return self._identity

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        if request.background:
            for chunk in await self._ahead(request):
                yield chunk
            return
        self._answering += 1
        self._idle.clear()
        if self._reading is not None:
            self._reading.cancel()
        try:
            async with aclosing(super().generate(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()

    async def _ahead(self, request: Request) -> list[Chunk]:
        """The answer; what was read for it is kept, or taken from where it was kept before."""
        if self._states is None:
            return await self._when_idle(request)
        name = self._states.name(request.messages)
        async with http_client.session(self._plan.key) as session:
            known = await self._states.restore(session, self._root, name)
            chunks = await self._when_idle(request)
            if not known:
                await self._states.save(session, self._root, name)
        return chunks

    def _body(self, server: Server, request: Request, most: int) -> Json:
        # On a CPU a model that can reason takes minutes to: it does so only when it is told to.
        request = replace(request, thinking=bool(request.thinking))
        body = super()._body(server, request, most)
        if request.sampling.repetition_penalty == 1:  # what was seen is to be copied
            body["dry_multiplier"] = 0
        return body | {"id_slot": SLOT} if request.background else body

    async def _when_idle(self, request: Request) -> list[Chunk]:
        """The answer, in the pauses of others: what was read of a prompt stays in its slot."""
        while True:
            await self._idle.wait()
            self._reading = asyncio.create_task(self._whole(request))
            try:
                await asyncio.wait([self._reading])
            finally:
                await _end(self._reading)
            if not self._reading.cancelled():
                return self._reading.result()

    async def _whole(self, request: Request) -> list[Chunk]:
        async with aclosing(super().generate(request)) as chunks:
            return [chunk async for chunk in chunks]

    def health(self) -> Health:
        health = super().health()
        if health.phase == "ready" and self._up:
            return health
        phase = "degraded" if health.phase == "ready" else health.phase
        return Health(phase, detail=f"llama.cpp reads {self._plan.model}")

    # --- its life -----------------------------------------------------------------------------

    async def _keep(self, begun: "asyncio.Future[None]") -> None:
        """Starts it again for ever. The first start's failure goes to who waits for `begun`."""
        while True:
            try:
                async with run_server(self._plan) as process:
                    self._up = True
                    if not begun.done():
                        begun.set_result(None)
                    try:
                        await self._until_it_ends(process)
                    finally:
                        self._up = False
            except (CannotLoad, OSError) as error:
                if not begun.done():
                    begun.set_exception(CannotLoad(str(error)))
                    return
                log.warning("llama.cpp does not start", extra={"reason": str(error)})
                await asyncio.sleep(REST_S)

    async def _until_it_ends(self, process: Process) -> None:
        """Or hangs."""
        vain = 0
        async with http_client.session(self._plan.key) as session:
            while vain < 2:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_s):
                        code = await process.wait()
                        log.warning("llama.cpp ended", extra={"code": code})
                        return
                vain = 0 if await self._computes(session) else vain + 1
        log.warning("llama.cpp hangs", extra={"pid": process.pid})

    async def _computes(self, session: aiohttp.ClientSession) -> bool:
        """Ask for the slots: the computing thread answers that; everything else would answer for a
        dead one.
        """
        url = f"{self._root}/slots"
        try:
            async with http_client.request(session, "GET", url, None, self._silent_s) as response:
                return response.status == 200
        except ServerFailed:
            return False


@contextmanager
def _held_port() -> Iterator[int]:
    """A loopback port that nobody else can take, while the server comes and goes: this socket
    never listens, and only this user's processes may share its port."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def _end(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait([task])
