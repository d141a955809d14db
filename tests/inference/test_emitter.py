import asyncio
from collections.abc import AsyncGenerator

import pytest

from inference.emitter import batches, retry_transient
from jobqueue.errors import QueueUnavailable


async def spoken(*items: str, then: asyncio.Event | None = None) -> AsyncGenerator[str, None]:
    for item in items:
        await asyncio.sleep(0)
        yield item
    if then is not None:
        await then.wait()


async def test_the_first_item_comes_at_once_and_later_ones_together() -> None:
    more = asyncio.Event()

    async def speaking() -> AsyncGenerator[str, None]:
        yield "a"
        await more.wait()
        for item in "bcdef":
            await asyncio.sleep(0)
            yield item
        await asyncio.Event().wait()

    source = batches(speaking(), every_s=lambda: 0.05, idle_s=10)
    first = await anext(source)
    more.set()
    assert (first, await anext(source)) == (["a"], ["b", "c", "d", "e", "f"])
    await source.aclose()


async def test_silence_is_an_empty_batch_again_and_again() -> None:
    ended = asyncio.Event()
    source = batches(spoken(then=ended), every_s=lambda: 0.05, idle_s=0.01)
    assert [await anext(source), await anext(source)] == [[], []]
    await source.aclose()


async def test_the_end_is_not_delayed_by_gathering() -> None:
    source = batches(spoken("a"), every_s=lambda: 60, idle_s=60)
    async with asyncio.timeout(5):
        assert [batch async for batch in source] == [["a"]]


async def test_an_error_comes_after_everything_said_before_it() -> None:
    async def failing() -> AsyncGenerator[str, None]:
        yield "a"
        yield "b"
        raise ValueError("broke")

    source = batches(failing(), every_s=lambda: 0, idle_s=1)
    said = await anext(source)
    while said != ["a", "b"]:
        said += await anext(source)
    with pytest.raises(ValueError, match="broke"):
        await anext(source)


async def test_closing_it_closes_the_source() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[str, None]:
        try:
            yield "a"
            await asyncio.Event().wait()
        finally:
            closed.set()

    source = batches(endless(), every_s=lambda: 60, idle_s=60)
    await anext(source)
    await source.aclose()
    assert closed.is_set()


async def test_a_call_is_repeated_until_redis_is_back() -> None:
    calls = 0

    async def call() -> str:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise QueueUnavailable
        return "done"

    assert (await retry_transient(call), calls) == ("done", 3)


@pytest.mark.parametrize("steps", range(8))
async def test_a_cancellation_is_heard_whenever_it_comes(steps: int) -> None:
    """Also in the very moment in which an item arrives."""
    go = asyncio.Event()

    async def speaking() -> AsyncGenerator[str, None]:
        yield "a"
        await go.wait()
        yield "b"
        await asyncio.Event().wait()

    async def read() -> None:
        async for _ in batches(speaking(), every_s=lambda: 0, idle_s=60):
            pass

    reading = asyncio.create_task(read())
    for _ in range(20):
        await asyncio.sleep(0)
    go.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading], timeout=10)
    assert reading.cancelled()
