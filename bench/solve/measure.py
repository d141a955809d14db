"""Gives each problem to a model as a job, without a queue, and prints a table by kind."""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from statistics import median

import msgspec
from redis.asyncio import Redis

from bench.report import print_table
from inference.agent.tool_runtime import ToolRuntime
from inference.chat_attempt import NoAnswer
from inference.config import OFFLINE, add_choices, from_arguments
from inference.engines import create_engine
from inference.engines.base import Engine
from inference.maths import verify
from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from jobqueue.blobs import Blobs
from jobqueue.embedded_redis import run_embedded_redis
from jobqueue.history import History
from jobqueue.redis_client import connect
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
    printed: str  # by the last successful program
    answer: str
    turns: int
    seconds: float

    @property
    def is_falsely_verified(self) -> bool:
        return self.check is Check.VERIFIED and not self.right


def load_problems(path: Path) -> list[SolveProblem]:
    decode = msgspec.json.Decoder(SolveProblem).decode
    return [decode(line) for line in path.read_bytes().splitlines() if line.strip()]


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("solve", help="problems with known answers, put to a model")
    parser.add_argument("--set", type=Path, help="JSON lines of problem, answer and kind")
    parser.add_argument("--verbose", action="store_true", help="tell each problem")
    add_choices(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    settings = from_arguments(arguments)
    os.environ.update(OFFLINE)
    engine = create_engine(settings.engine, settings)
    with as_file(files("bench.solve") / "problems.jsonl") as own:
        problems = load_problems(arguments.set or own)

    async def measure() -> list[SolveOutcome]:
        solved = []
        with tempfile.TemporaryDirectory() as folder:
            async with (
                run_embedded_redis(Path(folder)) as url,
                connect(url) as redis,
                open_tool_runtime(engine, redis) as tool_runtime,
                Sandbox() as judge,
            ):
                async for each in solve_all(problems, tool_runtime, judge):
                    solved.append(each)
                    if arguments.verbose:
                        print(_format_outcome(each), flush=True)
        return solved

    solved = asyncio.run(measure())
    _print_summary(engine.model, solved)
    print(json.dumps({"model": engine.model, **summarize(solved)}))


@asynccontextmanager
async def open_tool_runtime(engine: Engine, redis: Redis) -> AsyncIterator[ToolRuntime]:
    """Open the tools of `/solve`; raise SandboxUnavailable if programs cannot run."""
    tool_runtime = ToolRuntime(
        engine, History(redis), Blobs(redis), system=SYSTEM, sandbox=SandboxConfig()
    )
    async with engine, tool_runtime:
        await tool_runtime.wait_until_open()
        yield tool_runtime


async def solve_all(
    problems: Sequence[SolveProblem], tool_runtime: ToolRuntime, judge: Sandbox
) -> AsyncIterator[SolveOutcome]:
    for number, problem in enumerate(problems):
        yield await _solve(f"problem-{number}", problem, tool_runtime, judge)


async def _solve(
    name: str, problem: SolveProblem, tool_runtime: ToolRuntime, judge: Sandbox
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
        attempt = await tool_runtime.create_solve_attempt(job, 1)
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


# --- the report ---------------------------------------------------------------------------------


def summarize(solved: Sequence[SolveOutcome]) -> dict[str, object]:
    return {
        "problems": len(solved),
        "right": sum(each.right for each in solved),
        "wrong": sum(not each.right and not each.refused for each in solved),
        "refused": sum(each.refused for each in solved),
        "verified": sum(each.check is Check.VERIFIED for each in solved),
        "refuted": sum(each.check is Check.REFUTED for each in solved),
        "verified_but_wrong": sum(each.is_falsely_verified for each in solved),
        "turns": round(sum(each.turns for each in solved) / max(len(solved), 1), 2),
        "seconds_p50": round(median(each.seconds for each in solved), 2) if solved else 0,
        "kinds": {
            kind: f"{sum(each.right for each in some)}/{len(some)}"
            for kind, some in _group_by_kind(solved).items()
        },
    }


def _group_by_kind(solved: Sequence[SolveOutcome]) -> dict[str, list[SolveOutcome]]:
    kinds: dict[str, list[SolveOutcome]] = defaultdict(list)
    for each in solved:
        kinds[each.problem.kind].append(each)
    return dict(kinds)


def _print_summary(model: str, solved: Sequence[SolveOutcome]) -> None:
    counts = ("problems", "right", "wrong", "refused", "verified", "verified_but_wrong")
    names = (*counts, "turns", "seconds_p50")
    rows = [
        (kind, *(summarize(some)[name] for name in names))
        for kind, some in [*_group_by_kind(solved).items(), ("all", list(solved))]
    ]
    columns = ("kind", *(name.replace("_", " ") for name in names))
    print_table(f"/solve with {model}", columns, rows)


def _format_outcome(solved: SolveOutcome) -> str:
    mark = "right" if solved.right else "refused" if solved.refused else "WRONG"
    printed = solved.printed.replace("\n", "; ")[:70]
    return (
        f"{mark:8}{solved.check:9}{solved.turns} turns {solved.seconds:5.1f} s  "
        f"{solved.problem.problem[:60]!r} -> {printed!r}, wanted {solved.problem.answer!r}"
    )
