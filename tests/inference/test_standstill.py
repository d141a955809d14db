"""A worker whose event loop stands still: it is noticed, ends by itself, and its job ends too."""

import asyncio
import socket
from asyncio.subprocess import Process
from pathlib import Path

from jobqueue.dead_letters import DeadLetters
from jobqueue.queue import JobQueue
from jobqueue.schema import Failed, FailureCode, Finished, JobState
from tests.inference.test_metrics import free_port, look
from tests.inference.test_serve import events_of, serving
from tests.jobqueue.support import make_job

SCRIPTED = ("--engine", "scripted")
STILL = "the event loop has stood still for 3 s and more\n"


async def test_health_fails_while_the_loop_stands_still(redis_url: str, queue: JobQueue) -> None:
    port = free_port()
    settings = {"INFERENCE_METRICS_PORT": str(port), "INFERENCE_PROGRAMS": "0"}
    async with serving(redis_url, *SCRIPTED, INFERENCE_STALL_S="16", **settings) as process:
        assert await asyncio.to_thread(look, port, "/healthz") == (200, "ok\n")
        await queue.submit(make_job(prompt="hi !block 12s"))
        await until_running(queue, "j1")
        async with asyncio.timeout(30):
            while await asyncio.to_thread(look, port, "/healthz") != (503, STILL):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert await asyncio.to_thread(look, port, "/readyz") == (503, STILL)
        status, page = await asyncio.to_thread(look, port, "/metrics")
        assert (status, "commonroom_attempts" in page) == (200, True)
        assert isinstance((await events_of(queue))[-1], Finished)
        assert await asyncio.to_thread(look, port, "/healthz") == (200, "ok\n")
        assert process.stderr is not None
        process.kill()
        said = (await process.stderr.read()).decode()
    assert "the event loop stands still in job-j1; this process ends after 16 s of it" in said


async def test_a_job_that_stops_every_worker_is_buried_and_the_others_are_answered(
    redis_url: str, queue: JobQueue
) -> None:
    """Each worker is started again, as Compose and systemd do, after it has ended by itself. The
    second job is taken together with the first each time, and ends with its worker twice."""
    await queue.submit(make_job("j1", prompt="hi !hang"))
    await queue.submit(make_job("j2", channel="another", user="bob", prompt="hello !delay 1s"))
    for attempt in range(3):
        async with serving(
            redis_url, *SCRIPTED, INFERENCE_STALL_S="2", INFERENCE_PROGRAMS="0"
        ) as process:
            assert await ended(process) == 1, attempt
            assert process.stderr is not None
            said = (await process.stderr.read()).decode()
            assert "Timeout (0:00:02)!" in said
            assert "_stand_still" in said  # where it stood
    assert (await queue.get_status("j1")).state is JobState.RUNNING
    async with serving(redis_url, *SCRIPTED, INFERENCE_STALL_S="2", INFERENCE_PROGRAMS="0"):
        *_, told = await events_of(queue)
        async with asyncio.timeout(30):
            while not (await queue.get_status("j2")).state.is_terminal:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    assert isinstance(told, Failed)
    assert told.code is FailureCode.DEAD
    assert (await queue.get_status("j2")).state is JobState.DONE
    [letter] = [letter async for letter in DeadLetters(queue)]
    assert (letter.job.id, letter.attempts) == ("j1", 3)
    assert "lease expired in attempt 3" in letter.reason


async def test_systemd_is_told_of_each_beat_and_of_none_while_the_loop_stands(
    redis_url: str, queue: JobQueue, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path := str(tmp_path / "notify"))
        manager.settimeout(2.5)  # beats come each second
        async with serving(
            redis_url,
            *SCRIPTED,
            INFERENCE_STALL_S="8",
            INFERENCE_PROGRAMS="0",
            NOTIFY_SOCKET=path,
        ) as process:
            told = [await notice(manager) for _ in range(4)]
            assert sorted(set(told)) == ["READY=1", "WATCHDOG=1"]
            await queue.submit(make_job(prompt="hi !hang"))
            async with asyncio.timeout(30):
                while await notice(manager):
                    pass
            assert process.returncode is None  # it lives, and is silent
            assert await ended(process) == 1


async def notice(manager: socket.socket) -> str:
    """Empty where none comes for a while."""
    try:
        return (await asyncio.to_thread(manager.recv, 100)).decode()
    except TimeoutError:
        return ""


async def ended(process: Process) -> int:
    async with asyncio.timeout(90):
        return await process.wait()


async def until_running(queue: JobQueue, name: str) -> None:
    async with asyncio.timeout(30):
        while (await queue.get_status(name)).state is not JobState.RUNNING:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
