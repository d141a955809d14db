"""llama.cpp's server, started as the `llamacpp` engine starts it and given the same ids."""

import argparse
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import aiohttp
import msgspec

from bench.engine import models
from bench.engine.contender import SAMPLING
from bench.redis_server import free_port
from inference.engines.llamacpp.engine import cores
from inference.engines.llamacpp.server_main import ServerPlan
from inference.engines.llamacpp.server_process import run_server


class LlamaCppUnderTest:
    name = "llama.cpp"

    def __init__(self, path: Path, args: argparse.Namespace) -> None:
        self.cached_tokens = 0
        self.page_tokens = 1
        history = args.history + 1024 if args.history else 0
        self._plan = ServerPlan(
            path=str(path),
            model=path.stem,
            port=free_port(),
            key="bench",
            slots=max([*args.at_once, 4]),
            context_tokens=max(history, args.prompt + args.new) + 4 * args.new,
            threads=cores(),
        )
        self._stack = AsyncExitStack()

    def describe(self) -> dict[str, Any]:
        names = ("slots", "context_tokens", "threads")
        return {"what": self.name} | {name: getattr(self._plan, name) for name in names}

    async def stream(self, prompt: list[int], new: int) -> AsyncGenerator[list[int], None]:
        """Yield as many zeros as there are new tokens; their ids do not matter."""
        body = {
            "prompt": prompt,
            "n_predict": new,
            "stream": True,
            "ignore_eos": True,
            "timings_per_token": True,  # a token that is part of a character comes later
            "temperature": SAMPLING.temperature,
            "top_k": SAMPLING.top_k,
            "top_p": SAMPLING.top_p,
            "repeat_penalty": SAMPLING.repetition_penalty,
            "seed": SAMPLING.seed,
        }
        url, seen = f"http://127.0.0.1:{self._plan.port}/completion", 0
        timings: dict[str, int] = {}
        async with self._session.post(url, json=body) as response:
            response.raise_for_status()
            async for line in response.content:
                if line.startswith(b"data: {"):
                    timings = msgspec.json.decode(line[6:]).get("timings", timings)
                    fresh = timings["predicted_n"] - seen
                    seen += fresh
                    yield [0] * fresh
        self.cached_tokens += timings["cache_n"]

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(run_server(self._plan))
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self._plan.key}"},
                connector=aiohttp.TCPConnector(force_close=True),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()


def measure_gguf_limit(path: Path) -> dict[str, Any]:
    """Return the limit by the bytes that a step reads of the file: all except the embedding table,
    unless it is the head too."""
    import torch  # noqa: PLC0415
    from gguf import GGUFReader  # noqa: PLC0415

    sizes = {tensor.name: int(tensor.n_bytes) for tensor in GGUFReader(path).tensors}
    if "output.weight" in sizes:
        del sizes["token_embd.weight"]
    bandwidth = models.measure_copy_bandwidth(torch.device("cpu"))
    return models.describe_limit(
        "limit of one request to llama.cpp", sum(sizes.values()), bandwidth
    )
