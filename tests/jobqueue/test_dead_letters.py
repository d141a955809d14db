"""Dead letters: listed, retried, dropped."""

import pytest

from jobqueue.dead_letters import DeadLetter, DeadLetters
from jobqueue.errors import UnknownJob
from jobqueue.queue import JobQueue, ReapCounts
from jobqueue.schema import JobState
from tests.jobqueue.support import Clock, claim, claim_one, finish, make_job


async def bury(queue: JobQueue, clock: Clock, name: str) -> None:
    await queue.submit(make_job(name))
    for _ in range(3):
        await claim_one(queue)
        clock.advance(15_000)
        await queue.reap()


async def letters(queue: JobQueue) -> list[DeadLetter]:
    return [letter async for letter in DeadLetters(queue)]


async def test_a_dead_letter_tells_what_happened(queue: JobQueue, clock: Clock) -> None:
    await bury(queue, clock, "a")
    [letter] = await letters(queue)
    assert (letter.job, letter.attempts, letter.worker) == (make_job("a"), 3, "worker-0")
    assert letter.at_ms == clock.now
    assert "lease expired" in letter.reason


async def test_a_retried_letter_is_a_job_again(queue: JobQueue, clock: Clock) -> None:
    await bury(queue, clock, "a")
    [letter] = await letters(queue)
    receipt = await DeadLetters(queue).retry(letter.id)
    assert (receipt.state, receipt.duplicate) == (JobState.QUEUED, False)
    assert await letters(queue) == []

    lease = await claim_one(queue)
    assert (lease.job.id, lease.attempt) == ("a", 1)
    await finish(queue, lease)
    assert (await queue.get_status("a")).state is JobState.DONE


async def test_a_repeated_retry_is_one(queue: JobQueue, clock: Clock) -> None:
    await bury(queue, clock, "a")
    [letter] = await letters(queue)
    await queue.submit(letter.job, dead_letter=letter.id)
    assert (await queue.submit(letter.job, dead_letter=letter.id)).duplicate
    assert len(await claim(queue, 5)) == 1


async def test_a_dropped_letter_is_gone(queue: JobQueue, clock: Clock) -> None:
    await bury(queue, clock, "a")
    await bury(queue, clock, "b")
    first, second = await letters(queue)
    await DeadLetters(queue).drop(first.id)
    assert await letters(queue) == [second]
    with pytest.raises(UnknownJob):
        await DeadLetters(queue).drop(first.id)
    with pytest.raises(UnknownJob):
        await DeadLetters(queue).retry(first.id)


async def test_giving_up_counts_an_attempt_without_waiting_for_the_lease(queue: JobQueue) -> None:
    await queue.submit(make_job("a"))
    for attempt in (1, 2):
        lease = await claim_one(queue)
        assert lease.attempt == attempt
        await queue.give_up(lease)
        assert await queue.reap() == ReapCounts(requeued=1, dead=0, expired=0)
        await queue.give_up(lease)
        assert await queue.reap() == ReapCounts(0, 0, 0)
    await queue.give_up(await claim_one(queue))
    assert await queue.reap() == ReapCounts(requeued=0, dead=1, expired=0)
