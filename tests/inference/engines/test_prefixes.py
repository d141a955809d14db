"""Finished turns stay in the library's cache as long as there is room, the newest longest."""

import asyncio
from types import SimpleNamespace
from typing import Any

import torch
from transformers.generation.continuous_batching.cache_allocators.cache_allocator import (
    BlockLedger,
)

from inference.engines.batch_config import CPU_PAGE_TOKENS, BatchConfig
from inference.engines.continuous_batching import ContinuousBatchingLoop
from inference.engines.sampling import GREEDY
from inference.engines.transformers_patches.prefix_cache import EVICTED_SHARE, keep_prefixes
from tests.inference.engines.tiny import mistral

BLOCKS = 2 * EVICTED_SHARE


def mended(marked: list[dict[str, int]], table: dict[str, list[int]]) -> Any:
    """A cache as far as it is touched: the library's own ledger, and a list of what is marked."""
    allocator = SimpleNamespace(
        ledger=BlockLedger(), num_blocks=BLOCKS, tokens_per_page=32, block_table=table
    )
    cache = SimpleNamespace(
        cache_allocators={"full": allocator},
        use_prefix_sharing=True,
        mark_complete_blocks=lambda _state, complete: marked.append(complete),
    )
    keep_prefixes(cache)
    return cache


def test_only_the_longest_unused_are_forgotten() -> None:
    ledger = mended([], {}).cache_allocators["full"].ledger
    for block in range(BLOCKS):
        ledger.register_new_hash(block, 1000 + block)
        ledger.release(block)
    ledger.acquire(0)
    ledger.release(0)  # used again, so it is the newest
    assert ledger.evict_cached_blocks() == [1, 2]
    assert ledger.hash_to_block.get(1001) is None
    assert ledger.hash_to_block[1000] == 0
    assert ledger.evict_cached_blocks() == [3, 4]


def test_what_a_prompts_pieces_left_unmarked_is_marked_later() -> None:
    marked: list[dict[str, int]] = []
    cache = mended(marked, {"r": [7, 8, 9, 10]})
    cache.cache_allocators["full"].ledger.register_new_hash(7, 1007)
    state = SimpleNamespace(
        request_id="r", initial_tokens=[0] * 96, generated_tokens=[], status=None
    )
    cache.mark_complete_blocks(state, {"full": 1})  # a piece of the prompt: as the library says
    for answered in (1, 32, 33):  # the last of them is not computed yet
        state.generated_tokens = [0] * answered
        cache.mark_complete_blocks(state, {})
    assert marked == [{"full": 1}, {"full": 2}, {}, {"full": 3}]


async def test_pages_that_a_window_writes_over_are_nobody_elses() -> None:
    model = mistral(200, sliding_window=2 * CPU_PAGE_TOKENS)
    prompt = [1 + (7 * at * at + at) % 199 for at in range(150)]
    [said] = model.generate(
        torch.tensor([prompt]),
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    sizes = BatchConfig.for_model(model, slots=3, context_tokens=512, compiled=False)
    async with ContinuousBatchingLoop(model, sizes=sizes, end_ids=(-1,)) as loop:

        async def answer() -> list[int]:
            return [i async for piece in loop.stream(prompt, GREEDY, 12) for i in piece.ids]

        answers = [await answer(), *await asyncio.gather(answer(), answer())]
    assert answers == [said[len(prompt) :].tolist()] * 3
