"""The engines that are compared, behind one interface: token ids in, token ids out."""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from statistics import median
from typing import Any, Protocol, Self

import torch
from transformers import GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig

from inference.engines.batch_config import BatchConfig
from inference.engines.continuous_batching import ContinuousBatchingLoop
from inference.engines.model_loader import for_this_device
from inference.engines.sampling import SamplingRules
from inference.engines.sequential_loop import SequentialLoop

# As in chats: a penalty, a nucleus, some temperature.
SAMPLING = SamplingRules(temperature=0.8, top_p=0.9, top_k=50, repetition_penalty=1.05, seed=7)


class EngineUnderTest(Protocol):
    name: str
    cached_tokens: int  # found in the cache so far
    page_tokens: int

    def describe(self) -> dict[str, Any]: ...

    def stream(self, prompt: list[int], new: int) -> AsyncGenerator[list[int], None]: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...


class _LoopEngine:
    """An engine that streams parts of answers, for a limited number of requests at once."""

    def __init__(
        self, loop: ContinuousBatchingLoop | SequentialLoop, *, slots: int, page_tokens: int
    ) -> None:
        self.cached_tokens = 0
        self.page_tokens = page_tokens
        self._streaming = loop
        self._turns = asyncio.Semaphore(slots)
        self._start_s = 0.0

    async def stream(self, prompt: list[int], new: int) -> AsyncGenerator[list[int], None]:
        async with self._turns, aclosing(self._streaming.stream(prompt, SAMPLING, new)) as steps:
            found = 0
            async for piece in steps:
                found = piece.cached_tokens
                yield piece.ids
            self.cached_tokens += found

    async def __aenter__(self) -> Self:
        begun = time.perf_counter()
        await self._streaming.__aenter__()
        self._start_s = time.perf_counter() - begun
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._streaming.__aexit__(*exc)


class BatchingEngine(_LoopEngine):
    """The project's engine loop, with every sampling rule in use."""

    name = "commonroom"

    def __init__(self, model: Any, args: argparse.Namespace) -> None:
        self._model = for_this_device(model, fp8=args.quantize == "fp8")
        history = args.history + 1024 if args.history else 0
        longest = max(history, args.prompt + args.new) + 4 * args.new
        slots = 256 if model.device.type == "cuda" else 0
        self._sizes = BatchConfig.for_model(
            self._model, slots=slots, context_tokens=longest, compiled=args.compiled
        )
        self.loop = ContinuousBatchingLoop(self._model, sizes=self._sizes, end_ids=(-1,))
        super().__init__(self.loop, slots=self._sizes.slots, page_tokens=self._sizes.page_tokens)

    def describe(self) -> dict[str, Any]:
        config = self.loop._manager.continuous_batching_config
        return {
            "what": self.name,
            "attention": self._model.config._attn_implementation,
            "pages": config.num_blocks,
            "graphs": config.use_cuda_graph,
            "compiled": self._sizes.compile_level,
            "pieces": self.loop.piece_tokens,
            "start_s": round(self._start_s, 1),
        }


class MultiDeviceEngine(_LoopEngine):
    """A model over several devices, which gives one answer after another."""

    name = "commonroom, spread"

    def __init__(self, model: Any) -> None:
        self._model = model
        super().__init__(SequentialLoop(model, end_ids=(-1,)), slots=1, page_tokens=1)

    def describe(self) -> dict[str, Any]:
        parts = getattr(self._model, "hf_device_map", {"all": self._model.device})
        on = Counter(map(str, parts.values()))
        return {"what": self.name, "parts_on": dict(on)}


class PlainBatchingEngine:
    """transformers' continuous batching with its defaults: greedy, with torch's attention."""

    name = "plain continuous batching"

    def __init__(self, model: Any) -> None:
        self.cached_tokens = 0
        self.page_tokens = 0
        self._model = model
        self._manager: Any = None
        self._count = 0

    def describe(self) -> dict[str, Any]:
        config = self._manager.continuous_batching_config
        return {
            "what": self.name,
            "attention": self._model.config._attn_implementation,
            "pages": config.num_blocks,
            "graphs": config.use_cuda_graph,
        }

    async def stream(self, prompt: list[int], new: int) -> AsyncGenerator[list[int], None]:
        self._count += 1
        name, inbox = f"plain{self._count}", asyncio.Queue[Any]()
        self._manager.register_result_handler(name, inbox.put_nowait)
        self._manager.add_request(prompt, request_id=name, max_new_tokens=new, streaming=True)
        seen, finished = 0, False
        while not finished:
            output = await inbox.get()
            finished = output.is_finished()
            yield output.generated_tokens[seen:]
            seen = len(output.generated_tokens)

    async def __aenter__(self) -> Self:
        on_cpu = self._model.device.type == "cpu"
        small = {"num_blocks": 256, "page_size": 32, "max_batch_tokens": 256} if on_cpu else {}
        self.page_tokens = small.get("page_size", ContinuousBatchingConfig.page_size)
        self._manager = self._model.init_continuous_batching(
            generation_config=GenerationConfig(do_sample=False, eos_token_id=-1, pad_token_id=0),
            continuous_batching_config=ContinuousBatchingConfig(**small),
        )
        self._manager.warmup()
        self._manager.start()
        _count_cache_hits(self, self._manager)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.to_thread(self._manager.stop, block=True, timeout=20, hard_stop=True)
        self._manager = None


def _count_cache_hits(contender: EngineUnderTest, manager: Any) -> None:
    """Count the tokens that the library's own prefix search finds."""
    cache = manager.batch_processor.cache
    search = cache.search_prefix_match

    def search_and_count(*args: Any, **kwargs: Any) -> int:
        found: int = search(*args, **kwargs)
        contender.cached_tokens += found
        return found

    cache.search_prefix_match = search_and_count


def measure_generate(model: Any, prompt: int, new: int) -> dict[str, Any]:
    """Measure `generate()`: tokens per second of one request, without the first token."""
    ids = torch.randint(5, 4000, (1, prompt), device=model.device)

    def seconds(tokens: int) -> float:
        begun = time.perf_counter()
        model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            do_sample=False,
            pad_token_id=0,
        ).cpu()
        return time.perf_counter() - begun

    few = min(new, 65)
    seconds(2)
    first = median(seconds(1) for _ in range(3))
    return {
        "what": "generate(), one at a time",
        "tokens_s": round((few - 1) / (seconds(few) - first), 1),
        "first_p50_ms": round(first * 1000, 1),
    }
