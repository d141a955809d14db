"""`python -m inference serve` as a process of its own."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.redis_server import RedisServer
from jobqueue.event_reader import EventReader
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from jobqueue.schema import AnyEvent, Delta, Finished, JobState
from tests.jobqueue.support import make_job

PATIENCE_S = 240.0  # a busy machine imports torch and reads a model in a minute and more


async def start(*arguments: str, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "inference", *arguments),
        env=os.environ | environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )


@asynccontextmanager
async def serving(url: str, *arguments: str, **environment: str) -> AsyncIterator[Process]:
    process = await start("serve", *arguments, REDIS_URL=url, **environment)
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert process.stdout is not None
            assert (await process.stdout.readline()).startswith(b"ready: ")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def refused(*arguments: str, **environment: str) -> tuple[int | None, str]:
    process = await start(*arguments, **environment)
    async with asyncio.timeout(PATIENCE_S):
        _, told = await process.communicate()
    return process.returncode, told.decode()


async def events_of(queue: JobQueue, *, first: bool = False) -> list[AnyEvent]:
    events: list[AnyEvent] = []
    async with EventReader(queue, "bot-0") as live, asyncio.timeout(PATIENCE_S):
        async for envelope in live.follow("j1"):
            events.append(envelope.event)
            if first and isinstance(envelope.event, Delta):
                break
    return events


async def test_sigterm_drains_and_exits_cleanly(redis_url: str, queue: JobQueue) -> None:
    async with serving(redis_url, "--engine", "scripted") as process:
        await queue.submit(make_job(prompt="hi !tokens 100 !delay 10ms"))
        await events_of(queue, first=True)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    assert (await queue.get_status("j1")).state is JobState.DONE


async def test_a_second_signal_ends_it_at_once(redis_url: str, queue: JobQueue) -> None:
    async with serving(redis_url, "--engine", "scripted") as process:
        await queue.submit(make_job(prompt="hi !tokens 1000 !delay 100ms"))
        await events_of(queue, first=True)
        process.send_signal(signal.SIGINT)
        process_ends = asyncio.create_task(process.wait())
        while not process_ends.done():
            process.send_signal(signal.SIGINT)
            await asyncio.wait([process_ends], timeout=0.2)
        assert process_ends.result() == -signal.SIGINT


async def test_redis_may_die_and_come_back_in_the_middle_of_an_answer(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis", options=("--appendfsync", "always")) as server:
        async with serving(server.url, "--engine", "scripted"), connect(server.url) as redis:
            queue = JobQueue(redis)
            await queue.submit(make_job(prompt="hi !tokens 150 !delay 20ms"))
            await events_of(queue, first=True)
            server.kill()
            await asyncio.to_thread(server.start)
            *_, last = await events_of(queue)
    assert isinstance(last, Finished)
    assert last.text.startswith("[turn 1] hi !tokens 150")
    assert last.completion_tokens == 150


async def test_a_worker_may_start_before_redis(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as server:
        server.kill()
        async with serving(server.url, "--engine", "scripted"):
            await asyncio.to_thread(server.start)
            async with connect(server.url) as redis:
                queue = JobQueue(redis)
                await queue.submit(make_job(prompt="hello"))
                assert isinstance((await events_of(queue))[-1], Finished)


@pytest.mark.model
async def test_a_real_model_answers_through_the_queue(
    redis_url: str, queue: JobQueue, smollm2: object
) -> None:
    chosen = ("--engine", "transformers", "--model", "SmolLM2-135M-Instruct")
    async with serving(redis_url, *chosen, INFERENCE_MAX_TOKENS="24"):
        await queue.submit(make_job(prompt="What is the capital of France?"))
        *_, last = await events_of(queue)
    assert isinstance(last, Finished)
    assert last.completion_tokens > 2
    assert last.prompt_tokens > 10


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "told"),
    [
        (("serve", "--engine", "vapour"), {}, 1, "no engine is called 'vapour'"),
        (("serve", "--model", "vapour"), {}, 1, "no model or folder is called 'vapour'"),
        (("serve",), {"INFERENCE_SLOTS": "many"}, 2, "INFERENCE_SLOTS"),
        (("chat", "--model", "vapour"), {}, 1, "no model or folder is called 'vapour'"),
    ],
)
async def test_what_cannot_work_is_told_in_a_sentence(
    arguments: tuple[str, ...], environment: dict[str, str], code: int, told: str
) -> None:
    status, message = await refused(*arguments, **environment)
    assert status == code
    assert told in message
    assert "Traceback" not in message


async def test_a_folder_that_is_no_model_is_told(tmp_path: Path, redis_url: str) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"not a tensor")
    status, message = await refused("serve", "--model", str(tmp_path), REDIS_URL=redis_url)
    assert status == 1
    assert "cannot be loaded" in message
    assert "Traceback" not in message
