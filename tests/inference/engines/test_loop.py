"""The guarded loop around a tiny model, on any device."""

import asyncio
from threading import Event
from typing import Any, NamedTuple

import pytest

from inference.engines.base import EngineFailed
from inference.engines.batch_config import CPU_PAGE_TOKENS, BatchConfig
from inference.engines.continuous_batching import ContinuousBatchingLoop, _Inbox
from inference.engines.sampling import GREEDY
from tests.inference.engines.tiny import closeness, greedy, llama
from tests.inference.support import until

SILENCE_S = 2.0
PROMPT = list(range(1, 3 * CPU_PAGE_TOKENS))


@pytest.fixture(scope="module")
def model() -> Any:
    return llama(200)


def loop_of(model: Any, **options: Any) -> ContinuousBatchingLoop:
    sizes = BatchConfig.for_model(model, slots=2, context_tokens=256, compiled=False)
    return ContinuousBatchingLoop(model, sizes=sizes, end_ids=(-1,), **options)


async def test_the_next_turn_is_told_what_was_known_of_it(model: Any) -> None:
    async with loop_of(model) as loop:
        first = [piece async for piece in loop.stream(PROMPT, GREEDY, 10)]
        said = [*PROMPT, *(token for piece in first for token in piece.ids)]
        second = [piece async for piece in loop.stream([*said, 7, 8, 9], GREEDY, 2)]
    assert {piece.cached_tokens for piece in first} == {0}
    assert {piece.cached_tokens for piece in second} == {3 * CPU_PAGE_TOKENS}


async def test_answers_are_the_plain_models_and_closeness_tells_so(model: Any) -> None:
    """In float32 all of them agree; of a wrong token it is told how wrong it is."""
    prompts = [PROMPT, PROMPT[:5], PROMPT[3:20]]
    plain = [greedy(model, prompt, 8) for prompt in prompts]
    async with loop_of(model) as loop:
        ours = [
            [token async for piece in loop.stream(prompt, GREEDY, 8) for token in piece.ids]
            for prompt in prompts
        ]
    assert closeness(model, prompts, ours) == closeness(model, prompts, plain) == (1.0, 0.0)
    wrong = [[(token + 1) % 200 for token in ids] for ids in plain]
    share, worst = closeness(model, prompts, wrong)
    assert share == 0
    assert worst > 1


async def test_a_loop_that_hangs_says_so_until_it_moves_again(model: Any) -> None:
    async with loop_of(model, silence_s=SILENCE_S) as loop:
        processor = loop._manager.batch_processor
        step, awake = processor._generation_step, Event()
        processor._generation_step = lambda model: (awake.wait(30), step(model))
        try:
            with pytest.raises(EngineFailed, match="no step for"):
                await anext(loop.stream(PROMPT, GREEDY, 10))
            assert "no step for" in loop.broken
        finally:
            awake.set()
        await until(lambda: not loop.broken, within_s=30)
        assert sum([len(piece.ids) async for piece in loop.stream(PROMPT, GREEDY, 3)]) == 3


async def test_reading_for_long_is_not_hanging(model: Any) -> None:
    """Steps without a token, each shorter than what counts as silence, and together longer."""
    async with loop_of(model, silence_s=SILENCE_S) as loop:
        processor = loop._manager.batch_processor
        step, slow = processor._generation_step, Event()
        processor._generation_step = lambda model: (slow.wait(0.45 * SILENCE_S), step(model))
        processor.max_batch_tokens = 32  # so that the prompt takes several
        pieces = [piece async for piece in loop.stream(PROMPT, GREEDY, 2)]
    assert len(pieces) == 2


async def test_a_quiet_loop_does_not_hang(model: Any) -> None:
    async with loop_of(model, silence_s=SILENCE_S) as loop:
        watched = asyncio.Event()
        asyncio.get_running_loop().call_later(1.3 * SILENCE_S, watched.set)
        await until(watched.is_set, within_s=10)
        assert not loop.broken
        assert [piece async for piece in loop.stream(PROMPT, GREEDY, 2)]


class Told(NamedTuple):
    generated_tokens: list[int]
    ended: bool = False

    def is_finished(self) -> bool:
        return self.ended


async def test_who_is_late_reads_all_that_came_meanwhile() -> None:
    inbox = _Inbox()
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    for tokens in ([1], [1, 2], [1, 2, 3]):
        inbox.put(Told(tokens))
    assert (await waiting).generated_tokens == [1, 2, 3]
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.put(Told([1, 2, 3, 4], ended=True))
    inbox.put(Told([5]))  # nothing comes after the end
    assert (await waiting).generated_tokens == [1, 2, 3, 4]
