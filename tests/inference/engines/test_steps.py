"""Texts go on while a long prompt is read beside them, and the answers stay what they were."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
import torch

from inference.engines.batch_config import (
    CPU_BATCH_TOKENS,
    CPU_PAGE_TOKENS,
    CPU_PIECE_TOKENS,
    BatchConfig,
)
from inference.engines.continuous_batching import ContinuousBatchingLoop
from inference.engines.sampling import GREEDY
from inference.engines.transformers_patches.chunked_prefill import tokens_of_step
from inference.engines.vision.embedding_slots import EmbeddingSlots
from tests.inference.engines.tiny import llama

VOCABULARY, CONTEXT, NEW = 200, 1024, 6
LONG = [1 + (7 * at * at + at) % (VOCABULARY - 1) for at in range(700)]
PICTURE, FEATURES = 150, 32  # tokens, and the tiny model's width

Step = dict[str, int]  # tokens that each request had


class Steps:
    """What a loop computed, step by step."""

    def __init__(self, loop: ContinuousBatchingLoop) -> None:
        self.all: list[Step] = []
        scheduler = loop._manager.batch_processor.scheduler
        schedule = scheduler.schedule_batch

        def seen(*budgets: int) -> Any:
            scheduled = schedule(*budgets)
            self.all.append({each.state.request_id: each.query_length for each in scheduled[0]})
            return scheduled

        scheduler.schedule_batch = seen

    def reading(self, name: str, prompt: list[int]) -> list[Step]:
        """Those in which `name`'s prompt was read."""
        had, left = [step for step in self.all if name in step], len(prompt)
        for number, step in enumerate(had, 1):
            left -= step[name]
            if not left:
                return had[:number]
        raise AssertionError(f"{left} tokens were never read")


@asynccontextmanager
async def loop_of(model: Any) -> AsyncIterator[tuple[ContinuousBatchingLoop, Steps]]:
    sizes = BatchConfig.for_model(model, slots=3, context_tokens=CONTEXT, compiled=False)
    async with ContinuousBatchingLoop(model, sizes=sizes, end_ids=(-1,)) as loop:
        yield loop, Steps(loop)


async def answer(loop: ContinuousBatchingLoop, prompt: list[int]) -> list[int]:
    return [token async for piece in loop.stream(prompt, GREEDY, NEW) for token in piece.ids]


async def beside_a_text(loop: ContinuousBatchingLoop, *prompts: list[int]) -> list[list[int]]:
    """The answers, all asked for while a text is being written that ends after them."""
    async with aclosing(loop.stream([5, 6, 7], GREEDY, CONTEXT // 2)) as text:
        await anext(text)
        async with asyncio.TaskGroup() as tasks:
            answers = [tasks.create_task(answer(loop, prompt)) for prompt in prompts]
            done = asyncio.gather(*answers)
            while not done.done():
                await anext(text)  # so that it is read, and had not ended
    return [each.result() for each in answers]


def plain(model: Any, embedded: torch.Tensor) -> list[int]:
    """What the library's `generate` says, the whole prompt read at once."""
    said = model.generate(
        inputs_embeds=embedded[None],
        attention_mask=torch.ones(1, len(embedded)),
        max_new_tokens=NEW,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    return [int(token) for token in said[0]]


async def test_a_long_prompt_is_read_in_pieces_beside_a_text_and_whole_without() -> None:
    model = llama(VOCABULARY)
    other = LONG[::-1]  # another, lest it be found in the cache
    async with loop_of(model) as (loop, steps):
        [among] = await beside_a_text(loop, LONG)
        alone = await answer(loop, other)
    text, first, second = dict.fromkeys(name for step in steps.all for name in step)
    pieces = steps.reading(first, LONG)
    assert all(step.get(text) == 1 for step in pieces)
    assert {step[first] for step in pieces[:-1]} == {CPU_PIECE_TOKENS}
    assert sum(step[first] for step in pieces) == len(LONG)
    whole = [step[second] for step in steps.reading(second, other)]
    assert whole == [CPU_BATCH_TOKENS, CPU_BATCH_TOKENS, len(other) - 2 * CPU_BATCH_TOKENS]
    embedded = model.get_input_embeddings()
    assert among == plain(model, embedded(torch.tensor(LONG)))
    assert alone == plain(model, embedded(torch.tensor(other)))


async def test_a_step_has_a_piece_for_each_prompt_and_the_next_turn_finds_them() -> None:
    model = llama(VOCABULARY)
    prompts = [LONG[:180], LONG[200:380]]
    async with loop_of(model) as (loop, steps):
        answers = await beside_a_text(loop, *prompts)
        again = loop.stream([*prompts[0], *answers[0], 9], GREEDY, 1)
        found = [piece.cached_tokens async for piece in again]
    text, *others, _ = dict.fromkeys(name for step in steps.all for name in step)
    unread = {name: len(prompt) for name, prompt in zip(others, prompts, strict=True)}
    for step in steps.all:
        waiting = [name for name in others if unread[name]]
        if not waiting:
            break
        read = {name: step[name] for name in waiting if name in step}
        assert sum(read.values()) <= CPU_PIECE_TOKENS * len(waiting)
        assert step[text] == 1 or not read
        unread |= {name: unread[name] - count for name, count in read.items()}
    assert not any(unread.values())
    assert max(sum(step.values()) for step in steps.all) > 2 * CPU_PIECE_TOKENS
    assert found == [len(prompts[0]) // CPU_PAGE_TOKENS * CPU_PAGE_TOKENS]


async def test_a_picture_is_cut_over_steps_and_seen_as_a_whole() -> None:
    model = llama(VOCABULARY)
    gallery = EmbeddingSlots.for_decoder(model, 2 * PICTURE)
    features = torch.randn(PICTURE, FEATURES, generator=torch.Generator().manual_seed(1))
    await gallery.store("picture", features)
    prompt = [*LONG[:20], *gallery.ids("picture"), *LONG[20:40]]
    async with loop_of(model) as (loop, steps), gallery.hold("picture"):
        [seen] = await beside_a_text(loop, prompt)
    _, name = dict.fromkeys(name for step in steps.all for name in step)
    assert len(steps.reading(name, prompt)) == -(-len(prompt) // CPU_PIECE_TOKENS)
    words = model.get_input_embeddings()
    around = [words(torch.tensor(part)) for part in (LONG[:20], LONG[20:40])]
    wanted = plain(model, torch.cat([around[0], features, around[1]]))
    assert seen == wanted
    assert seen != plain(model, torch.cat([around[0], features.flip(0), around[1]]))


@pytest.mark.parametrize(
    ("writing", "waiting", "expected"),
    [(0, 1, 2048), (1, 1, 256), (32, 1, 256), (128, 1, 384), (200, 3, 896), (32, 8, 2048)],
)
def test_a_step_is_made_of_whole_rows(writing: int, waiting: int, expected: int) -> None:
    tokens = tokens_of_step(writing=writing, waiting=waiting, most=2048, piece=256, row=128)
    assert tokens == expected


def test_a_step_without_prompts_writes_all_texts() -> None:
    assert tokens_of_step(writing=200, waiting=0, most=2048, piece=256, row=128) == 200
