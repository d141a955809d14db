"""The operator's commands, run as the operator runs them."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE

import pytest
from redis.asyncio import Redis

from jobqueue.queue import JobQueue
from jobqueue.queue_stats import load_timelines
from jobqueue.schema import Delta, JobState, Started, WorkerStatus
from tests.jobqueue.support import Clock, claim_one, finish, make_job


@pytest.fixture
def queue(redis: Redis) -> JobQueue:
    """By the server's own clock, as the command's is."""
    return JobQueue(redis)


async def operate(url: str, *args: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "jobqueue", *args),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "REDIS_URL": url, "COLUMNS": "200"},
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def bury(queue: JobQueue, name: str) -> None:
    await queue.submit(make_job(name))
    for _ in range(queue.policy.max_attempts):
        await queue.give_up(await claim_one(queue))
        await queue.reap()


async def test_status_shows_jobs_workers_and_servers(queue: JobQueue, redis_url: str) -> None:
    await queue.submit(make_job("a", server="guild-1", channel="one"))
    await finish(queue, await claim_one(queue), tokens=42)
    await queue.submit(make_job("b", server="guild-1", channel="one"))
    await queue.submit(make_job("c", server="guild-2", channel="two"))
    await claim_one(queue)
    await queue.announce(
        WorkerStatus(
            worker="gpu-0",
            phase="loading",
            engine="transformers",
            model="m",
            progress=0.5,
            capabilities=("chat",),
            slots=4,
            running=1,
        )
    )
    code, output, _ = await operate(redis_url, "status")
    rows = [line.split() for line in output.splitlines()]
    assert code == 0
    assert output.startswith("2 jobs, 0 dead letters")
    assert any(row[:3] == ["chat", "1", "1"] and row[-1] == "42.0" for row in rows)
    assert ["gpu-0", "loading", "50%", "transformers", "m", "1", "of", "4"] in rows
    assert ["guild-1", "1"] in rows


async def test_inspect_shows_a_job_but_not_its_words(queue: JobQueue, redis_url: str) -> None:
    await queue.submit(make_job("a"))
    lease = await claim_one(queue)
    await queue.emit(lease, 0, [Started(attempt=1, worker="gpu-0"), Delta(text="secret")])
    await finish(queue, lease, "secret")
    code, output, _ = await operate(redis_url, "inspect", "a")
    assert code == 0
    assert "started on gpu-0" in output
    assert "finished: stop, 6 characters" in output
    assert "secret" not in output
    assert "question" not in output


async def test_inspecting_an_unknown_job_is_a_sentence(redis: Redis, redis_url: str) -> None:
    assert await operate(redis_url, "inspect", "x") == (1, "", "error: nothing is known of x\n")


async def test_dead_letters_are_listed_retried_and_dropped(queue: JobQueue, redis_url: str) -> None:
    await bury(queue, "a")
    await bury(queue, "b")
    _, output, _ = await operate(redis_url, "dead")
    letters = [line.split()[0] for line in output.splitlines()[1:]]
    assert len(letters) == 2

    _, output, _ = await operate(redis_url, "dead", "retry", letters[0])
    assert output == f"{letters[0]}: queued, 0 before it\n"
    assert (await claim_one(queue)).job.id == "a"
    _, output, _ = await operate(redis_url, "dead", "drop", "all")
    assert output == f"{letters[1]}: dropped\n"
    assert (await operate(redis_url, "dead", "drop", letters[1]))[0] == 1


async def test_a_wrong_url_is_one_sentence() -> None:
    code, output, errors = await operate("ftp://x", "status")
    assert (code, output) == (1, "")
    assert errors.startswith("error: ")
    assert len(errors.splitlines()) == 1


async def test_latest_shows_where_the_time_of_each_question_went(
    queue: JobQueue, redis_url: str
) -> None:
    await queue.submit(make_job("a", channel="one"))
    lease = await claim_one(queue)
    await queue.emit(lease, 0, [Started(attempt=1, worker="gpu-0"), Delta(text="secret")])
    await finish(queue, lease, "secret", tokens=42)
    await queue.mark_delivered("a")
    await queue.submit(make_job("b", channel="two"))
    await queue.give_up(await claim_one(queue))
    await queue.reap()
    await claim_one(queue)
    await queue.submit(make_job("c", channel="two"))
    await queue.submit(make_job("e", channel="four"))
    given_back = await claim_one(queue)
    await queue.emit(given_back, 0, [Started(attempt=1, worker="gpu-0"), Delta(text="sec")])
    await queue.release(given_back)
    await claim_one(queue)
    await queue.submit(make_job("d", reader="bot-9", channel="three"))
    code, output, _ = await operate(redis_url, "latest")
    rows = {row[2]: row[3:] for row in map(str.split, output.splitlines()[1:])}
    assert code == 0
    assert "secret" not in output
    assert rows.keys() == {"a", "b", "c", "e"}
    assert rows["e"][:2] == ["chat", "running"]
    assert rows["e"][-3:] == ["–", "–", "–"]
    assert rows["a"][:2] == ["chat", "done"]
    assert rows["a"][-1] == "42"
    assert "–" not in rows["a"]
    assert rows["b"][:2] == ["chat", "running"]
    assert rows["b"][-2:] == ["attempt", "2"]
    assert rows["c"] == ["chat", "queued", "–", "–", "–", "–"]


async def test_latest_names_ids_that_inspect_knows_on_a_narrow_terminal(
    queue: JobQueue, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    asked = "1234567890123456789"
    await queue.submit(make_job(asked))
    code, output, _ = await operate(redis_url, "latest")
    assert (code, output.splitlines()[1].split()[2]) == (0, asked)
    code, output, _ = await operate(redis_url, "inspect", asked)
    assert code == 0
    assert "queued" in output


async def test_text_of_a_run_that_was_given_back_is_not_text_of_the_next_run(redis: Redis) -> None:
    clock = Clock()  # stands still: both runs fall into one millisecond
    queue = JobQueue(redis, clock=clock)
    await queue.submit(make_job("a"))
    given_back = await claim_one(queue)
    await queue.emit(given_back, 0, [Started(attempt=1, worker="gpu-0"), Delta(text="lost")])
    await queue.release(given_back)
    lease = await claim_one(queue)
    [again] = await load_timelines(queue, "bot-0")
    assert (again.state, again.first_output_ms, again.ended_ms) == (JobState.RUNNING, None, None)
    assert again.claimed_ms == clock.now

    await queue.emit(lease, 0, [Started(attempt=1, worker="gpu-0"), Delta(text="kept")])
    await finish(queue, lease, "kept", tokens=7)
    [done] = await load_timelines(queue, "bot-0")
    assert done.first_output_ms is not None
    assert done.tokens == 7
