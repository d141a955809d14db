"""Token ids in and out, one request after another: for models that cannot be batched.

- The library's batch keeps its cache on a single device, so a model whose layers lie on several
  cards, in memory or on disk (accelerate's `device_map`) cannot run in it. Here accelerate carries
  what a layer needs to where it is, and every layer keeps its keys and values beside itself.
- It gives every token its number in the sequence as its place, so a model whose pictures' tokens
  have places in two dimensions (Qwen-VL) cannot either. Here the model's own forward pass is given
  the pixels, with the whole prompt at once, and finds the places itself.

Slow, by nature: whoever has many people to answer runs a server (vLLM, LMDeploy, SGLang) and asks
it with the `openai` engine.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from typing import Any, Self

import torch
from transformers import DynamicCache

from inference.engines.base import EngineFailed
from inference.engines.continuous_batching import NewTokens
from inference.engines.sampling import SamplingRules, rules_table, sample_tokens
from inference.engines.vision.encoder import Pixels

PIECE_TOKENS = 512  # of a prompt, so that activations stay small
SEEN = -1  # in what is known, a prompt with pictures: the next prompt has none of it


class SequentialLoop:
    """A loop like `ContinuousBatchingLoop` that serves one request at a time."""

    broken = ""  # there is no loop that could die: a failed request fails alone

    def __init__(self, model: Any, *, end_ids: Collection[int]) -> None:
        self._model = model
        self._end_ids = frozenset(end_ids)
        self._known: list[int] = []  # whose keys and values the cache has
        self._cache = DynamicCache(config=model.config)
        self._thread = ThreadPoolExecutor(1, "model")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.to_thread(self._thread.shutdown)

    async def stream(
        self,
        prompt: Sequence[int],
        draw: SamplingRules,
        max_new_tokens: int,
        pixels: Pixels | None = None,
    ) -> AsyncGenerator[NewTokens, None]:
        """New ids as they are drawn. Closing it ends the work with the step under way.

        `pixels` are of the pictures in the prompt. Raises EngineFailed when a step fails.
        """
        steps = self._answer(list(prompt), draw, max_new_tokens, pixels)
        run = asyncio.get_running_loop().run_in_executor
        try:
            while (piece := await run(self._thread, next, steps, None)) is not None:
                yield piece
        except RuntimeError as error:  # out of memory, mostly
            self._forget(0)
            raise EngineFailed(str(error)) from error

    @torch.inference_mode()
    def _answer(
        self, prompt: list[int], draw: SamplingRules, max_new_tokens: int, pixels: Pixels | None
    ) -> Iterator[NewTokens]:
        cached = 0 if pixels else self._in_common(prompt)
        self._forget(cached)
        scores = self._see(prompt, pixels) if pixels else self._read(prompt[cached:])
        seen = torch.zeros_like(scores, dtype=torch.bool)
        seen[0, prompt] = True
        for position in range(len(prompt), len(prompt) + max_new_tokens):
            table = rules_table([draw], [position], [0]).to(scores.device)
            token = int(sample_tokens(scores, seen, table))
            yield NewTokens([token], cached)
            if token in self._end_ids or position + 1 == len(prompt) + max_new_tokens:
                return
            seen[0, token] = True
            scores = self._read([token])

    def _in_common(self, prompt: list[int]) -> int:
        """The cache may hold another conversation's tokens, or an earlier turn's: what is the same
        stays."""
        same = takewhile(lambda pair: pair[0] == pair[1], zip(self._known, prompt, strict=False))
        return min(sum(1 for _ in same), len(prompt) - 1)

    def _see(self, prompt: list[int], pixels: Pixels) -> torch.Tensor:
        """Read a whole prompt with pictures, as `_read` does for text."""
        there = {name: tensor.to(self._model.device) for name, tensor in pixels.items()}
        self._known += [SEEN] * len(prompt)
        return self._through(torch.tensor([prompt], device=self._model.device), **there)

    def _read(self, tokens: list[int]) -> torch.Tensor:
        """The scores [1, vocabulary] of what comes after `tokens`, at least one."""
        scores = torch.empty(0)
        for start in range(0, len(tokens), PIECE_TOKENS):
            piece = torch.tensor([tokens[start : start + PIECE_TOKENS]], device=self._model.device)
            scores = self._through(piece)
            self._known += piece[0].tolist()
        return scores

    def _through(self, ids: torch.Tensor, **pixels: torch.Tensor) -> torch.Tensor:
        output = self._model(ids, cache=self._cache, use_cache=True, logits_to_keep=1, **pixels)
        scores: torch.Tensor = output.logits[:, -1].float()
        return scores

    def _forget(self, kept: int) -> None:
        """Drop all but the first `kept` tokens from the cache."""
        if not kept:
            self._cache = DynamicCache(config=self._model.config)
            if hasattr(self._model.model, "rope_deltas"):  # Qwen-VL's, of what it saw last
                self._model.model.rope_deltas = None
        elif kept < len(self._known):
            self._cache.crop(kept - len(self._known))
        self._known = self._known[:kept]
