"""What a job goes through, from submission to delivery."""

from redis.asyncio import Redis

from jobqueue.history import History
from jobqueue.live import LiveReader
from jobqueue.queue import JobQueue, Lease, Verdict
from jobqueue.schema import (
    Delta,
    Finished,
    Job,
    Started,
    State,
    Turn,
)


def job(n: int | str, **fields: str | int) -> Job:
    values: dict[str, str | int] = {
        "id": f"job-{n}", "channel": "general", "user": "ada", "user_name": "Ada",
        "server": "guild", "prompt": f"question {n}", "reader": "bot-0", **fields,
    }  # fmt: skip
    return Job(**values)  # type: ignore[arg-type]


def turn(job: Job, answer: str = "yes") -> Turn:
    return Turn(
        job=job.id, user=job.user, user_name=job.user_name, prompt=job.prompt, answer=answer
    )


async def claim(queue: JobQueue, slots: int = 1, nonce: str = "", worker: str = "w") -> list[Lease]:
    claim.count = getattr(claim, "count", 0) + 1  # type: ignore[attr-defined]
    return await queue.claim(worker, slots, ["chat"], nonce or f"n{claim.count}")  # type: ignore[attr-defined]


async def finish(queue: JobQueue, lease: Lease, answer: str = "yes") -> Verdict:
    event = Finished(text=answer, prompt_tokens=3, completion_tokens=5)
    return await queue.finish(lease, 0, event, turn(lease.job, answer))


async def test_a_job_is_answered_and_followed(queue: JobQueue, redis: Redis) -> None:
    receipt = await queue.submit(job(1))
    assert (receipt.state, receipt.duplicate, receipt.position) == (State.QUEUED, False, 0)
    [lease] = await claim(queue)
    assert (lease.job, lease.attempt, lease.fence) == (job(1), 1, 1)

    async with LiveReader(queue, "bot-0") as live:
        assert await queue.emit(lease, 0, [Started(attempt=1), Delta(text="y")]) is Verdict.CONTINUE
        follower = live.follow("job-1")
        seen = [await anext(follower), await anext(follower)]
        assert await queue.emit(lease, 2, [Delta(text="es")]) is Verdict.CONTINUE
        assert await finish(queue, lease) is Verdict.CONTINUE
        seen += [envelope async for envelope in follower]

    assert [e.event for e in seen[:3]] == [Started(attempt=1), Delta(text="y"), Delta(text="es")]
    assert isinstance(seen[3].event, Finished)
    assert (await queue.status("job-1")).state is State.DONE
    loaded = await History(redis).load("general", None)
    assert [t.answer for t in loaded.turns] == ["yes"]
    assert loaded.turns[0].at_ms > 0
