"""What may happen to one job, transition by transition."""

from typing import Any

import pytest
from redis.asyncio import Redis

from jobqueue.dead_letters import DeadLetters
from jobqueue.errors import UnknownJob
from jobqueue.history import History
from jobqueue.job_records import JobRecords
from jobqueue.queue import JobQueue, LeaseStatus, ReapCounts
from jobqueue.schema import (
    Delta,
    Failed,
    FailureCode,
    JobState,
    Started,
    WorkerStatus,
    decode_event,
)
from tests.jobqueue.support import (
    Clock,
    claim,
    claim_one,
    finish,
    make_job,
    read_events,
)

LEASE_MS = 15_000


async def test_submitting_twice_is_one_job(queue: JobQueue) -> None:
    first = await queue.submit(make_job("a"))
    again = await queue.submit(make_job("a", channel="elsewhere"))

    assert (first.state, first.duplicate, first.position) == (JobState.QUEUED, False, 0)
    assert (again.state, again.duplicate, again.position) == (JobState.QUEUED, True, 0)
    assert [lease.job for lease in await claim(queue, 5)] == [make_job("a")]


async def test_a_finished_job_is_still_a_duplicate(queue: JobQueue) -> None:
    await queue.submit(make_job("a"))
    await finish(queue, await claim_one(queue))
    await queue.mark_delivered("a")

    again = await queue.submit(make_job("a"))
    assert (again.state, again.duplicate) == (JobState.DONE, True)
    assert await claim(queue) == []


async def test_a_channel_runs_one_job_at_a_time_in_order(queue: JobQueue) -> None:
    for name in "abc":
        await queue.submit(make_job(name))
    order = []
    while leases := await claim(queue, 5):
        [lease] = leases
        assert await claim(queue, 5) == []
        order.append(lease.job.id)
        await finish(queue, lease)
    assert order == ["a", "b", "c"]


async def test_channels_run_side_by_side(queue: JobQueue) -> None:
    await queue.submit(make_job("a", channel="one"))
    await queue.submit(make_job("b", channel="two"))
    assert [lease.job.id for lease in await claim(queue, 5)] == ["a", "b"]


async def test_only_a_capable_worker_gets_a_job(queue: JobQueue) -> None:
    await queue.submit(make_job("a", capability="vision"))
    assert await claim(queue, 1, "chat") == []
    assert [lease.job.id for lease in await claim(queue, 1, "chat", "vision")] == ["a"]


async def test_a_channel_may_change_capability_from_job_to_job(queue: JobQueue) -> None:
    await queue.submit(make_job("a", capability="chat"))
    await queue.submit(make_job("b", capability="vision"))
    await finish(queue, await claim_one(queue))
    assert await claim(queue, 1, "chat") == []
    assert [lease.job.id for lease in await claim(queue, 1, "vision")] == ["b"]


async def test_the_same_nonce_gives_the_same_leases(queue: JobQueue) -> None:
    for name in "abc":
        await queue.submit(make_job(name, channel=name))
    first = await queue.claim("w", 2, ["chat"], "n-1")
    assert len(first) == 2
    assert await queue.claim("w", 2, ["chat"], "n-1") == first

    await finish(queue, first[0])
    assert await queue.claim("w", 2, ["chat"], "n-1") == first[1:]
    assert [lease.job.id for lease in await queue.claim("w", 2, ["chat"], "n-2")] == ["c"]


async def test_events_are_written_once_each(queue: JobQueue) -> None:
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    started, one, two, three = Started(attempt=1), Delta(text="1"), Delta(text="2"), Delta(text="3")
    assert await queue.emit(lease, 0, [started, one]) is LeaseStatus.CONTINUE
    assert await queue.emit(lease, 0, [started, one]) is LeaseStatus.CONTINUE
    assert await queue.emit(lease, 1, [one, two]) is LeaseStatus.CONTINUE
    assert await queue.emit(lease, 3, [three]) is LeaseStatus.CONTINUE
    assert [decode_event(e) for e in await read_events(queue, "a")] == [started, one, two, three]


async def test_a_gap_in_the_numbers_loses_the_attempt(queue: JobQueue) -> None:
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    assert await queue.emit(lease, 1, [Delta(text="?")]) is LeaseStatus.LOST
    assert await read_events(queue, "a") == []


async def test_finishing_writes_result_turn_and_next_job_in_one_step(
    queue: JobQueue, redis: Redis, clock: Clock
) -> None:
    await queue.submit(make_job("a"))
    await queue.submit(make_job("b"))
    lease = await claim_one(queue)
    assert await finish(queue, lease, "forty-two") is LeaseStatus.CONTINUE

    assert (await queue.get_status("a")).state is JobState.DONE
    [turn] = (await History(redis).load("general")).turns
    assert (turn.answer, turn.at_ms) == ("forty-two", clock.now)
    assert (await claim_one(queue)).job.id == "b"


async def test_finishing_twice_is_finishing_once(queue: JobQueue, redis: Redis) -> None:
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    assert await finish(queue, lease) is LeaseStatus.CONTINUE
    assert await finish(queue, lease) is LeaseStatus.CONTINUE
    assert len((await History(redis).load("general")).turns) == 1
    assert len(await read_events(queue, "a")) == 1
    assert await queue.emit(lease, 0, []) is LeaseStatus.LOST


async def test_a_failure_leaves_no_turn(queue: JobQueue, redis: Redis) -> None:
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    await queue.finish(lease, 0, Failed(code=FailureCode.ENGINE), None)
    assert (await queue.get_status("a")).state is JobState.FAILED
    assert (await History(redis).load("general")).turns == ()


async def test_an_expired_lease_goes_to_another_worker_and_fences_the_first(
    queue: JobQueue, redis: Redis, clock: Clock
) -> None:
    await queue.submit(make_job("a"))
    zombie = await claim_one(queue)
    await queue.emit(zombie, 0, [Started(attempt=1), Delta(text="half")])
    clock.advance(LEASE_MS)
    assert await queue.reap() == ReapCounts(requeued=1, dead=0, expired=0)
    assert await queue.emit(zombie, 2, [Delta(text="zombie")]) is LeaseStatus.LOST

    lease = await claim_one(queue)
    assert (lease.attempt, lease.fence) == (2, 2)
    assert await queue.emit(zombie, 2, [Delta(text="zombie")]) is LeaseStatus.LOST
    assert await finish(queue, zombie, "zombie") is LeaseStatus.LOST
    assert await queue.emit(lease, 0, [Started(attempt=2)]) is LeaseStatus.CONTINUE
    assert await finish(queue, lease, "right") is LeaseStatus.CONTINUE
    assert not any(b"zombie" in event for event in await read_events(queue, "a"))
    assert [t.answer for t in (await History(redis).load("general")).turns] == ["right"]


async def test_emitting_renews_the_lease(queue: JobQueue, clock: Clock) -> None:
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    clock.advance(LEASE_MS - 1)
    assert await queue.emit(lease, 0, []) is LeaseStatus.CONTINUE
    clock.advance(LEASE_MS - 1)
    assert await queue.reap() == ReapCounts(0, 0, 0)


async def test_a_requeued_job_comes_before_what_came_later(queue: JobQueue, clock: Clock) -> None:
    for name in "abc":
        await queue.submit(make_job(name, channel=name))
    await claim_one(queue)
    clock.advance(LEASE_MS)
    await queue.reap()
    assert [lease.job.id for lease in await claim(queue, 3)] == ["a", "b", "c"]


async def test_poison_ends_and_the_channel_goes_on(
    queue: JobQueue, redis: Redis, clock: Clock
) -> None:
    await queue.submit(make_job("poison"))
    await queue.submit(make_job("next"))
    for _ in range(3):
        await claim_one(queue)
        clock.advance(LEASE_MS)
        reaped = await queue.reap()
    assert reaped == ReapCounts(requeued=0, dead=1, expired=0)
    event = decode_event((await read_events(queue, "poison"))[-1])
    assert isinstance(event, Failed)
    assert (event.code, "attempt 3" in event.detail) == (FailureCode.DEAD, True)
    assert (await claim_one(queue)).job.id == "next"


async def test_a_job_that_cannot_be_read_keeps_no_other_from_its_worker(
    queue: JobQueue, redis: Redis, clock: Clock
) -> None:
    await queue.submit(make_job("unreadable", channel="1"))
    await redis.hset(queue.scripts.key("job", "unreadable"), "body", b'{"id":7}')
    await queue.submit(make_job("fine", channel="2"))
    assert [lease.job.id for lease in await claim(queue, slots=2)] == ["fine"]

    clock.advance(LEASE_MS)
    assert (await queue.reap()).requeued == 2


async def test_a_job_that_cannot_be_read_hides_no_other(
    queue: JobQueue, redis: Redis, clock: Clock
) -> None:
    for name in ("bad", "good"):
        await queue.submit(make_job(name, channel=name))
    await redis.hset(queue.scripts.key("job", "bad"), "body", b"{")
    assert [job.id for job, _ in await queue.list_undelivered("bot-0")] == ["good"]
    assert (await queue.get_job("good")).prompt == "question good"
    for name in ("bad", "never"):
        with pytest.raises(UnknownJob):
            await queue.get_job(name)

    for _ in range(queue.policy.max_attempts):
        await claim(queue, slots=2)
        clock.advance(LEASE_MS)
        await queue.reap()
    letters = DeadLetters(queue)
    assert [letter.job.id async for letter in letters] == ["good"]
    entries: Any = await redis.xrange(queue.scripts.key("dead"))
    bad = entries[0][0].decode()
    with pytest.raises(UnknownJob):
        await letters.retry(bad)
    await letters.drop(bad)
    assert await redis.xlen(queue.scripts.key("dead")) == 1
    await queue.mark_delivered("good")
    assert await JobRecords(queue).erase("ada") == 1


async def test_releasing_counts_no_attempt_and_keeps_the_place(queue: JobQueue) -> None:
    await queue.submit(make_job("a"))
    await queue.submit(make_job("b", channel="other"))
    lease = await claim_one(queue)
    await queue.release(lease)
    await queue.release(lease)
    assert (await queue.get_status("a")).state is JobState.QUEUED
    again = await claim_one(queue)
    assert (again.job.id, again.attempt, again.fence) == ("a", 1, 2)


async def test_cancelling_a_waiting_job_is_immediate(queue: JobQueue) -> None:
    for name in "abc":
        await queue.submit(make_job(name))
    assert await queue.cancel("b") is JobState.FAILED
    assert await queue.cancel("b") is JobState.FAILED
    assert await queue.cancel("a") is JobState.FAILED
    assert decode_event((await read_events(queue, "b"))[0]) == Failed(code=FailureCode.CANCELLED)
    assert (await claim_one(queue)).job.id == "c"


async def test_cancelling_a_running_job_reaches_its_worker(queue: JobQueue) -> None:
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    assert await queue.cancel("a") is JobState.RUNNING
    assert await queue.emit(lease, 0, [Started(attempt=1)]) is LeaseStatus.CANCEL
    assert await finish(queue, lease, "part") is LeaseStatus.CONTINUE
    assert await queue.cancel("a") is JobState.DONE


@pytest.mark.parametrize("way", ["release", "lease expires"])
async def test_a_cancelled_job_does_not_run_again(queue: JobQueue, clock: Clock, way: str) -> None:
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    await queue.cancel("a")
    if way == "release":
        await queue.release(lease)
    else:
        clock.advance(LEASE_MS)
        await queue.reap()
    assert (await queue.get_status("a")).state is JobState.FAILED
    assert await claim(queue) == []


async def test_a_waiting_job_ends_at_its_deadline(queue: JobQueue, clock: Clock) -> None:
    await queue.submit(make_job("a", ttl_ms=1000))
    clock.advance(1000)
    assert await queue.reap() == ReapCounts(0, 0, expired=1)
    assert decode_event((await read_events(queue, "a"))[0]) == Failed(code=FailureCode.DEADLINE)


async def test_a_late_job_is_not_handed_out(queue: JobQueue, clock: Clock) -> None:
    await queue.submit(make_job("late", ttl_ms=1000))
    await queue.submit(make_job("b"))
    clock.advance(1000)
    assert (await claim_one(queue)).job.id == "b"
    assert (await queue.get_status("late")).state is JobState.FAILED


async def test_a_running_job_hears_of_its_deadline_and_may_close(
    queue: JobQueue, clock: Clock
) -> None:
    await queue.submit(make_job("a", ttl_ms=1000))
    lease = await claim_one(queue)
    clock.advance(1000)
    assert await queue.emit(lease, 0, []) is LeaseStatus.DEADLINE
    assert await queue.reap() == ReapCounts(0, 0, 0)
    assert await finish(queue, lease, "as far as it got") is LeaseStatus.CONTINUE


async def test_a_worker_that_ignores_the_deadline_is_cut_off(queue: JobQueue, clock: Clock) -> None:
    await queue.submit(make_job("a", ttl_ms=1000))
    lease = await claim_one(queue)
    clock.advance(1000 + LEASE_MS - 1)
    await queue.emit(lease, 0, [])
    clock.advance(1)
    assert await queue.reap() == ReapCounts(0, 0, expired=1)
    assert await finish(queue, lease) is LeaseStatus.LOST


async def test_position_and_estimate_follow_the_measured_pace(
    queue: JobQueue, clock: Clock
) -> None:
    receipts = [await queue.submit(make_job(name)) for name in "abc"]
    assert [r.position for r in receipts] == [0, 1, 2]
    assert receipts[2].estimate_ms is None

    lease = await claim_one(queue)
    clock.advance(4000)
    await finish(queue, lease)
    await claim_one(queue)
    status = await queue.get_status("c")
    assert (status.state, status.position, status.estimate_ms) == (JobState.QUEUED, 0, 4000)
    assert (await queue.get_status("b")).position == 0


async def test_status_and_cancel_of_an_unknown_job(queue: JobQueue) -> None:
    with pytest.raises(UnknownJob):
        await queue.get_status("nobody")
    with pytest.raises(UnknownJob):
        await queue.cancel("nobody")


async def test_the_ledger_keeps_what_is_not_delivered(queue: JobQueue, clock: Clock) -> None:
    for name in "abc":
        await queue.submit(make_job(name, channel=name))
        clock.advance(1)
    await queue.submit(make_job("d", channel="d", reader="bot-1"))
    await queue.note_delivery("b", '{"messages":[1]}')
    await queue.note_delivery("gone", "nothing")
    await queue.mark_delivered("c")
    await queue.mark_delivered("c")
    ledger = [(job.id, note) for job, note in await queue.list_undelivered("bot-0")]
    assert ledger == [("a", ""), ("b", '{"messages":[1]}')]
    with pytest.raises(UnknownJob):
        await queue.get_status("gone")


async def test_the_ledger_forgets_expired_records(queue: JobQueue, redis: Redis) -> None:
    await queue.submit(make_job("a"))
    await redis.delete(queue.scripts.key("job", "a"))
    assert await queue.list_undelivered("bot-0") == []
    assert not await redis.exists(queue.scripts.key("undelivered", "bot-0"))


async def test_workers_expire(queue: JobQueue, clock: Clock) -> None:
    def status(name: str) -> WorkerStatus:
        return WorkerStatus(
            worker=name, phase="ready", engine="scripted", model="m", capabilities=(), slots=4
        )

    await queue.announce(status("b"))
    clock.advance(10_000)
    await queue.announce(status("a"))
    assert [w.worker for w in await queue.list_workers()] == ["a", "b"]
    clock.advance(5_000)
    assert [w.worker for w in await queue.list_workers()] == ["a"]


async def test_nothing_stays_behind_but_history_and_records_that_expire(
    queue: JobQueue, redis: Redis
) -> None:
    for name in "abcd":
        await queue.submit(make_job(name, channel=name))
    await queue.cancel("d")
    for lease in await claim(queue, 3):
        await finish(queue, lease)
    for name in "abcd":
        await queue.mark_delivered(name)

    lasting = {"held", "pace:chat", "mark:chat", "ahead:chat", "channels:ada"}
    prefix = queue.scripts.key("")
    keys: list[bytes] = await redis.keys()  # type: ignore[assignment]
    assert {k.decode().removeprefix(prefix) for k in keys if await redis.ttl(k) < 0} <= lasting
    held = await redis.hgetall(queue.scripts.key("held"))
    assert set(held) == {b"turn", b"claims"}
