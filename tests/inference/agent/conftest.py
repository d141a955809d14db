"""A worker that solves: a real queue, real programs, and a model that follows a script."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from inference.agent.tool_runtime import ToolRuntime
from inference.engines.scripted import ScriptedEngine
from inference.sandbox.config import SandboxConfig
from inference.worker import Worker
from jobqueue.approvals import Approvals
from jobqueue.blobs import Blobs
from jobqueue.event_reader import EventReader
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.schema import AnyEvent, Job
from tests.inference.sandbox.support import service_at, wait_for
from tests.inference.support import until
from tests.jobqueue.support import make_job

Solve = Callable[..., Coroutine[None, None, list[AnyEvent]]]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxConfig]:
    """One sandbox for all tests here, as a service that each test's worker asks."""
    path = tmp_path_factory.mktemp("sandbox") / "socket"
    with service_at(path, "auto") as process:
        wait_for(path, process)
        yield SandboxConfig(socket=path)


@pytest.fixture
def script(request: pytest.FixtureRequest) -> str:
    """What the model does with questions that hold no directives; `indirect` gives it."""
    return str(getattr(request, "param", ""))


@pytest.fixture
def tool_runtime(redis: Redis, sandbox: SandboxConfig, script: str) -> ToolRuntime:
    return ToolRuntime(
        ScriptedEngine(script=script),
        History(redis),
        Blobs(redis),
        system="be brief",
        sandbox=sandbox,
        approvals=Approvals(redis),
    )


@pytest_asyncio.fixture
async def worker(queue: JobQueue, redis: Redis, tool_runtime: ToolRuntime) -> AsyncIterator[Worker]:
    worker = Worker(
        queue,
        History(redis),
        tool_runtime.engine,
        name="worker-0",
        system="be brief",
        tool_runtime=tool_runtime,
        blobs=Blobs(redis),
    )
    running = asyncio.create_task(worker.run())
    await until(lambda: bool(tool_runtime.capabilities), within_s=60)
    yield worker
    worker.stop()
    async with asyncio.timeout(20):
        await running


@pytest.fixture
def solve(queue: JobQueue, worker: Worker) -> Solve:
    """Asks, and waits for all that happens."""

    async def ask(prompt: str, name: str = "j1", **fields: object) -> list[AnyEvent]:
        await queue.submit(problem(prompt, name, **fields))
        async with EventReader(queue, "bot-0") as live, asyncio.timeout(60):
            return [envelope.event async for envelope in live.follow(name)]

    return ask


def problem(prompt: str, name: str = "j1", **fields: object) -> Job:
    said: dict[str, object] = {
        "channel": f"channel-of-{name}",
        "user": f"user-of-{name}",
        "capability": "solve",
    }
    return make_job(name, prompt=prompt, **(said | fields))
