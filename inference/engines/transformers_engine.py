"""The engine in this process: a transformers model with continuous batching.

Sampling is per request and complete (see `sampling`): temperature, top-p, top-k, repetition
penalty, stop strings, length and seed. A seed repeats an answer as long as the arithmetic does:
the numbers of a batch can differ in the last bit with the company a request has, so a seeded
answer is stable when it runs alone and usually otherwise.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import torch

from inference.engines.base import (
    BadRequest,
    CannotLoad,
    Chunk,
    EngineFailed,
    Health,
    Message,
    PromptTooLong,
    Request,
    Usage,
)
from inference.engines.batch_config import BatchConfig
from inference.engines.chat_template import ChatTemplate
from inference.engines.continuous_batching import ContinuousBatchingLoop
from inference.engines.detokenizer import Detokenizer, StopStrings
from inference.engines.device_placement import ONE_DEVICE, Placement
from inference.engines.model_loader import LoadedModel, load
from inference.engines.sampling import GREEDY, SamplingDefaults, SamplingRules
from inference.engines.sequential_loop import SequentialLoop
from inference.engines.vision.encoder import ImageEncoder, PixelInputs, Pixels
from inference.engines.vision.image_tokens import TiledFamily
from jobqueue.schema import FinishReason

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ready:
    """The objects of a loaded model."""

    loaded: LoadedModel
    template: ChatTemplate
    loop: ContinuousBatchingLoop | SequentialLoop
    defaults: SamplingDefaults
    end_ids: frozenset[int]
    turns: asyncio.Semaphore
    eye: ImageEncoder | PixelInputs | None


class TransformersEngine:
    name = "transformers"
    takes_tools = False

    def __init__(
        self,
        *,
        model: str,
        folder: Path,
        adapter: Path | None = None,
        slots: int = 0,
        context_tokens: int = 4096,
        max_tokens: int = 1024,
        threads: int = 0,
        compiled: bool = False,
        chats: bool = True,
        placement: Placement = ONE_DEVICE,
    ) -> None:
        """`max_tokens` is for requests that name none; `slots` 0 and `threads` 0 leave the choice
        to the device's memory and to torch. `compiled` makes a GPU's steps shorter and its start
        longer. A model that does not chat takes questions about pictures only."""
        self.model = model
        self.slots = slots
        self.context_tokens = context_tokens  # the model's own when that is smaller
        self._folder = folder
        self._adapter = adapter
        self._max_tokens = max_tokens
        self._threads = threads
        self._compiled = compiled
        self._chats = chats
        self._placement = placement
        self._running: set[str] = set()
        self._progress = (0.0, "")
        self._ready: _Ready | None = None
        self._stack = AsyncExitStack()

    @property
    def identity(self) -> str:
        return self.model

    @property
    def capabilities(self) -> frozenset[str]:
        sees = self._ready is not None and self._ready.eye is not None
        return frozenset({"vision"} if sees else ()) | ({"chat"} if self._chats else set())

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        ready = self._require_ready()
        prompt = self._validate(request, ready)
        limit = min(
            request.sampling.max_tokens or self._max_tokens, self.context_tokens - len(prompt)
        )
        draw = SamplingRules.from_sampling(request.sampling, ready.defaults)
        text = _AnswerText(ready, request.sampling.stop, request.visible_tokens)
        cached = told = 0
        self._running.add(request.id)
        try:
            if opening := ready.template.answer_prefix(request.thinking):
                yield Chunk(opening, tokens=0)
            async with (
                _encode_images(ready.eye, request, prompt) as (tokens, pixels),
                ready.turns,
                aclosing(ready.loop.stream(tokens, draw, limit, **pixels)) as steps,
            ):
                async for ids, known in steps:
                    cached = known
                    if piece := text.push(ids):
                        yield Chunk(piece, tokens=text.tokens - told)
                        told = text.tokens
                    if text.has_stopped:
                        break
        finally:
            self._running.discard(request.id)
        usage = Usage(len(prompt), text.tokens, cached)
        yield Chunk(text.flush(), text.finish_reason, usage, tokens=text.tokens - told)

    async def count_tokens(self, messages: tuple[Message, ...]) -> int:
        return len(self._require_ready().template.encode(messages))

    def health(self) -> Health:
        if self._ready is None:
            progress, detail = self._progress
            return Health("loading", progress, detail)
        if reason := self._ready.loop.broken:
            return Health("degraded", detail=reason)
        return Health("ready", progress=1.0)

    async def __aenter__(self) -> Self:
        if self._threads:
            torch.set_num_threads(self._threads)
        loaded = await self._load()
        self.context_tokens = min(self.context_tokens, loaded.context_tokens)
        frames = loaded.frames(self._folder, self.context_tokens)
        template = ChatTemplate(loaded.tokenizer, frames)
        end_ids = frozenset(loaded.end_ids | template.end_of_turn())
        eye: ImageEncoder | PixelInputs | None = None
        if isinstance(frames, TiledFamily):
            eye = await self._stack.enter_async_context(
                ImageEncoder(loaded.whole, loaded.model, frames)
            )
        elif frames is not None:
            eye = PixelInputs(frames)
        self._report(0.95, "warming up")
        loop = self._loop(loaded, end_ids)
        await self._stack.enter_async_context(loop)
        await _warm_up(loop, template)
        self._ready = _Ready(
            loaded,
            template,
            loop,
            SamplingDefaults.from_config(loaded.model.generation_config),
            end_ids,
            asyncio.Semaphore(self.slots),
            eye,
        )
        log.info("engine ready", extra={"model": self.model, "context": self.context_tokens})
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def _loop(
        self, loaded: LoadedModel, end_ids: frozenset[int]
    ) -> ContinuousBatchingLoop | SequentialLoop:
        if self._placement.spread or not loaded.in_batch:
            self.slots = 1
            return SequentialLoop(loaded.model, end_ids=end_ids)
        sizes = BatchConfig.for_model(
            loaded.model,
            slots=self.slots,
            context_tokens=self.context_tokens,
            compiled=self._compiled,
        )
        self.slots = sizes.slots
        return ContinuousBatchingLoop(loaded.model, sizes=sizes, end_ids=end_ids)

    async def _load(self) -> LoadedModel:
        try:
            return await asyncio.to_thread(
                load, self._folder, self._adapter, self._report, self._placement
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise CannotLoad(f"{self._folder} cannot be loaded: {error}") from error

    def _validate(self, request: Request, ready: _Ready) -> list[int]:
        """The prompt's ids. The library's loop dies of what is refused here."""
        if request.id in self._running:
            raise BadRequest(f"request {request.id} is running already")
        prompt = ready.template.encode(
            request.messages, thinking=request.thinking, markup=request.visible_tokens
        )
        if not prompt:
            raise BadRequest("the prompt is empty")
        if len(prompt) >= self.context_tokens:
            raise PromptTooLong(len(prompt), self.context_tokens)
        if not all(0 <= token < ready.loaded.vocabulary for token in prompt):
            raise BadRequest("the tokenizer and the model do not belong together")
        return prompt

    def _require_ready(self) -> _Ready:
        if self._ready is None:
            raise EngineFailed("the model is not loaded")
        return self._ready

    def _report(self, progress: float, detail: str) -> None:
        self._progress = (progress, detail)


@asynccontextmanager
async def _encode_images(
    eye: ImageEncoder | PixelInputs | None, request: Request, prompt: list[int]
) -> AsyncGenerator[tuple[list[int], dict[str, Pixels]], None]:
    """The prompt as the model reads it, with the pictures where they stand, or beside it."""
    if eye is None or not any(message.images for message in request.messages):
        yield prompt, {}
    elif isinstance(eye, PixelInputs):
        yield prompt, {"pixels": await eye.pixels(request.messages, prompt)}
    else:
        async with eye.encode_prompt(request.messages, prompt) as tokens:
            yield tokens, {}


async def _warm_up(loop: ContinuousBatchingLoop | SequentialLoop, template: ChatTemplate) -> None:
    """One short answer, so that nobody waits for the libraries' first-use work."""
    prompt = template.encode((Message("user", "Hello"),))
    async with aclosing(loop.stream(prompt, GREEDY, 2)) as steps:
        async for _ in steps:
            pass


def _decoder(tokenizer: Any) -> Callable[[list[int]], str]:
    """Return the function that decodes ids. A fast tokenizer's core does it three times as fast."""
    if (core := getattr(tokenizer, "backend_tokenizer", None)) is not None:
        return partial(core.decode, skip_special_tokens=False)
    return partial(tokenizer.decode, skip_special_tokens=False, clean_up_tokenization_spaces=False)


class _AnswerText:
    """One answer on its way from ids to text."""

    def __init__(self, ready: _Ready, stops: tuple[str, ...], markup: tuple[str, ...]) -> None:
        decode, hidden = _decoder(ready.loaded.tokenizer), ready.template.hidden_token_ids(markup)
        self._detokenizer = Detokenizer(
            lambda ids: decode([token for token in ids if token not in hidden])
        )
        self._stops = StopStrings(stops)
        self._end_ids = ready.end_ids
        self._ended = False
        self.tokens = 0

    @property
    def has_stopped(self) -> bool:
        return self._ended or self._stops.hit

    @property
    def finish_reason(self) -> FinishReason:
        return FinishReason.STOP if self.has_stopped else FinishReason.LENGTH

    def push(self, ids: list[int]) -> str:
        self.tokens += len(ids)
        self._ended = bool(ids) and ids[-1] in self._end_ids
        shown = ids[:-1] if self._ended else ids
        return self._stops.push(self._detokenizer.push(shown)) if shown else ""

    def flush(self) -> str:
        return self._stops.push(self._detokenizer.flush()) + self._stops.flush()
