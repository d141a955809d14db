"""A person's word on a call: the first one counts, for just that call of just that attempt."""

import asyncio

from redis.asyncio import Redis

from jobqueue.approvals import Approvals


async def test_the_first_word_counts(redis: Redis) -> None:
    approvals = Approvals(redis)
    await approvals.decide("j1", 1, 1, allowed=False)
    await approvals.decide("j1", 1, 1, allowed=True)
    assert await approvals.wait_for_decision("j1", 1, 1) is False


async def test_a_call_waits_for_its_own_word(redis: Redis) -> None:
    approvals = Approvals(redis)
    await approvals.decide("j1", 1, 1, allowed=True)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        waiting = [
            group.create_task(approvals.wait_for_decision("j1", attempt, step))
            for attempt, step in ((1, 2), (2, 1))
        ]
        done, _ = await asyncio.wait(waiting, timeout=0.1)
        assert not done
        await approvals.decide("j1", 1, 2, allowed=True)
        await approvals.decide("j1", 2, 1, allowed=False)
    assert [task.result() for task in waiting] == [True, False]
