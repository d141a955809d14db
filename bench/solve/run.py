"""Each problem is a job of its own: the worker's way from there on, without a queue."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from redis.asyncio import Redis

from inference.agent.errors import NoAnswer
from inference.agent.tool_runtime import Workshop
from inference.engines.base import Engine
from inference.maths import verify
from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.schema import CallStatus, Check, Finished, Job, ToolResult

SYSTEM = "You are a helpful assistant."


class SolveProblem(msgspec.Struct, frozen=True):
    problem: str
    answer: str
    kind: str = ""
    id: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class SolveOutcome:
    problem: SolveProblem
    right: bool
    refused: bool  # no answer at all
    check: Check
    printed: str  # by the last program that succeeded
    answer: str
    turns: int
    seconds: float

    @property
    def is_falsely_verified(self) -> bool:
        return self.check is Check.VERIFIED and not self.right


def load_problems(path: Path) -> list[SolveProblem]:
    decode = msgspec.json.Decoder(SolveProblem).decode
    return [decode(line) for line in path.read_bytes().splitlines() if line.strip()]


@asynccontextmanager
async def open_tool_runtime(engine: Engine, redis: Redis) -> AsyncIterator[Workshop]:
    """Raises SandboxUnavailable through `Workshop.opened`."""
    workshop = Workshop(
        engine, History(redis), Blobs(redis), system=SYSTEM, sandbox=SandboxConfig()
    )
    async with engine, workshop:
        await workshop.opened()
        yield workshop


async def solve_all(
    problems: Sequence[SolveProblem], workshop: Workshop, judge: Sandbox
) -> AsyncIterator[SolveOutcome]:
    for number, problem in enumerate(problems):
        yield await _solve(f"problem-{number}", problem, workshop, judge)


async def _solve(
    name: str, problem: SolveProblem, workshop: Workshop, judge: Sandbox
) -> SolveOutcome:
    job = Job(
        id=name,
        channel=name,
        user="bench",
        user_name="bench",
        server="bench",
        reader="bench",
        capability="solve",
        prompt=problem.problem,
    )
    begun, last, finished = time.perf_counter(), "", None
    turns = 0
    try:
        attempt = await workshop.solution(job, 1)
        async for event in attempt.events():
            if isinstance(event, ToolResult):
                turns += 1
                last = event.text if event.status is CallStatus.OK else last
            if isinstance(event, Finished):
                finished = event
    except NoAnswer:
        pass
    return SolveOutcome(
        problem=problem,
        right=finished is not None and await verify.same(judge, last, problem.answer),
        refused=finished is None,
        check=finished.check if finished else Check.NONE,
        printed=last,
        answer=finished.text if finished else "",
        turns=turns,
        seconds=time.perf_counter() - begun,
    )
