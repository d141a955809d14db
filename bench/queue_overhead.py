"""`python -m bench path`: the overhead of queue and worker, compared with the engine alone.

The same questions are put to an engine in one process, and as jobs to a worker's process with the
same engine behind a queue, whose events are followed as the bot follows them. The scripted engine
imitates a model of a chosen speed, so that only the path differs:

    python -m bench path --at-once 1 64 --token-ms 25
    python -m bench path --engine transformers --at-once 1 4       (a real model, on this machine)
    python -m bench path --shape internlm2.5-7b --tokens 800       (random weights, on a GPU)

The figures are the share of tokens per second that remains, and the delay of the first text. Text
is counted where it arrives. Discord, which takes one edit a second, is not included (see `bench
bot`).
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing, contextmanager
from dataclasses import asdict, astuple, dataclass
from multiprocessing import get_context
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from msgspec.structs import replace

from bench.engine import SHAPES
from bench.redis_server import RedisServer
from bench.report import print_table, quantile
from inference.config import WorkerSettings, from_arguments
from inference.engines import create_engine
from inference.engines.base import Engine, Message, Request
from jobqueue.event_reader import EventReader
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from jobqueue.schema import Delta, Finished, Job, Sampling

START_S = 240.0
SPREAD_S = 2.0  # people do not ask at the same moment, but all answers overlap


@dataclass(frozen=True)
class OverheadFigures:
    way: str
    at_once: int
    tokens_s: float
    first_p50_ms: float
    first_p95_ms: float


@dataclass
class AnswerTimes:
    asked: float
    first: float = 0.0
    ended: float = 0.0
    tokens: int = 0

    def mark_first(self) -> None:
        self.first = self.first or time.perf_counter()


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("path", help="queue and worker against the engine alone")
    command.add_argument("--engine", default="scripted")
    of = command.add_mutually_exclusive_group()
    of.add_argument("--model", default=WorkerSettings().model)
    of.add_argument("--shape", choices=SHAPES, help="random weights of this shape")
    command.add_argument("--at-once", type=int, nargs="+", default=[1, 16, 64])
    command.add_argument("--tokens", type=int, default=200, help="of each answer")
    command.add_argument("--token-ms", type=float, default=25, help="the scripted engine's pace")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    if not args.shape:
        _compare(args)
        return
    from bench.engine.models import write_random_model  # noqa: PLC0415 — brings torch

    with write_random_model(args.shape) as folder:
        args.engine, args.model = "transformers", str(folder)
        _compare(args)


def _compare(args: argparse.Namespace) -> None:
    """Measure both, each engine in its own process, one after the other."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        found = process.submit(_measure_engine, args).result()
    found += asyncio.run(_measure_through_queue(args))
    columns = ("way", "at once", "tokens/s", "first p50 ms", "first p95 ms")
    title = "The engine alone, and behind queue and worker"
    print_table(title, columns, [astuple(each) for each in found])
    half = len(found) // 2
    compared = [
        {
            "at_once": alone.at_once,
            "tokens_kept": round(through.tokens_s / alone.tokens_s, 4),
            "first_p50_added_ms": round(through.first_p50_ms - alone.first_p50_ms, 1),
        }
        for alone, through in zip(found[:half], found[half:], strict=True)
    ]
    print(json.dumps({"figures": [asdict(each) for each in found], "compared": compared}))


def _make_prompt(args: argparse.Namespace, number: int) -> str:
    words = f"Write a long story about the number {number}."
    scripted = args.engine == "scripted"
    return f"{words} !tokens {args.tokens} !delay {args.token_ms}ms" if scripted else words


def _sampling(args: argparse.Namespace) -> Sampling:
    return Sampling(temperature=0, max_tokens=args.tokens)


async def _measure(
    way: str, counts: list[int], ask: Callable[[int], Awaitable[AnswerTimes]]
) -> list[OverheadFigures]:
    """Run each load twice; report the second run, when everything is warm."""
    found = []

    async def later(number: int, count: int) -> AnswerTimes:
        await asyncio.sleep(number / count * SPREAD_S)
        return await ask(number)

    for count in counts:
        for _ in range(2):
            answers = await asyncio.gather(*(later(number, count) for number in range(count)))
        begun, ended = min(a.asked for a in answers), max(a.ended for a in answers)
        firsts = [(a.first - a.asked) * 1000 for a in answers]
        rate = sum(a.tokens for a in answers) / (ended - begun)
        found.append(
            OverheadFigures(
                way,
                count,
                round(rate, 1),
                round(quantile(firsts, 0.5), 1),
                round(quantile(firsts, 0.95), 1),
            )
        )
    return found


def _measure_engine(args: argparse.Namespace) -> list[OverheadFigures]:
    return asyncio.run(_measure_alone(args))


async def _measure_alone(args: argparse.Namespace) -> list[OverheadFigures]:
    settings = replace(from_arguments(args), slots=max(args.at_once))
    async with create_engine(settings.engine, settings) as engine:
        return await _measure(
            "engine", args.at_once, lambda number: _ask_engine(engine, args, number)
        )


async def _ask_engine(engine: Engine, args: argparse.Namespace, number: int) -> AnswerTimes:
    answer = AnswerTimes(time.perf_counter())
    messages = (
        Message("system", WorkerSettings().system_prompt),
        Message("user", _make_prompt(args, number)),
    )
    request = Request(uuid4().hex, f"channel-{number}", messages, _sampling(args))
    async with aclosing(engine.generate(request)) as chunks:
        async for chunk in chunks:
            if chunk.text:
                answer.mark_first()
            if chunk.usage:
                answer.tokens = chunk.usage.completion_tokens
    answer.ended = time.perf_counter()
    return answer


async def _measure_through_queue(args: argparse.Namespace) -> list[OverheadFigures]:
    with (
        TemporaryDirectory() as folder,
        RedisServer(Path(folder)) as server,
        _run_worker(args, server.url) as worker,
    ):
        async with aclosing(connect(server.url)) as redis:
            queue = JobQueue(redis)
            await _await_ready(queue, worker)
            async with EventReader(queue, "bot-0") as live:
                return await _measure(
                    "path", args.at_once, lambda number: _ask_by_job(queue, live, args, number)
                )


@contextmanager
def _run_worker(args: argparse.Namespace, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m inference serve`, as an operator does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "inference", "serve", "--engine", args.engine],
        env={
            **environ,
            "REDIS_URL": url,
            "INFERENCE_MODEL": args.model,
            "INFERENCE_SLOTS": str(max(args.at_once)),
            "INFERENCE_PROGRAMS": "false",
            "INFERENCE_LOG_LEVEL": "WARNING",
        },
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def _await_ready(queue: JobQueue, worker: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(START_S):
        while not any(each.phase == "ready" for each in await queue.list_workers()):
            if worker.poll() is not None:
                raise SystemExit("the worker ended before it was ready")
            await asyncio.sleep(0.1)


async def _ask_by_job(
    queue: JobQueue, live: EventReader, args: argparse.Namespace, number: int
) -> AnswerTimes:
    answer = AnswerTimes(time.perf_counter())
    # A new channel each time, so that no history is read.
    job = Job(
        id=uuid4().hex, channel=uuid4().hex, user=f"user-{number}", user_name="", server="guild",
        prompt=_make_prompt(args, number), reader="bot-0", sampling=_sampling(args),
    )  # fmt: skip
    await queue.submit(job)
    async for envelope in live.follow(job.id):
        match envelope.event:
            case Delta():
                answer.mark_first()
            case Finished(completion_tokens=tokens):
                answer.tokens = tokens
    answer.ended = time.perf_counter()
    return answer
