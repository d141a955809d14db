"""What lagent does by itself, and must not do here."""

import subprocess
import sys

import pytest
from redis.asyncio import Redis

from jobqueue.history import History
from jobqueue.policy import Policy
from jobqueue.queue import JobQueue
from jobqueue.schema import Failed, FailureCode, Finished, Started
from tests.inference.agent.conftest import Solve

IMPORTED = """
import sys, warnings
from inference.agent import tool_runtime
assert "lagent" not in sys.modules, "it takes seconds, and few workers need it"
before = list(warnings.filters)
tool_runtime._import_lagent()
assert "lagent" in sys.modules
assert warnings.filters == before, "it resets them"
"""


def test_it_is_imported_late_and_leaves_the_warnings_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORTED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def queue(redis: Redis) -> JobQueue:
    return JobQueue(redis, policy=Policy(max_attempts=2))


async def test_an_error_leaves_no_turn_behind(solve: Solve, redis: Redis) -> None:
    """Its memory would keep the question, and answer it together with the next one."""
    events = await solve("first !fail !run print(1) !say one", "j1", channel="c")
    assert sum(isinstance(event, Started) for event in events) == 2
    assert isinstance(events[-1], Failed)
    assert events[-1].code is FailureCode.DEAD
    *_, last = await solve("second !run print(2) !say two", "j2", channel="c")
    assert isinstance(last, Finished)
    assert last.text == "two\n\n$$\\boxed{2}$$"
    turns = (await History(redis).load("c")).turns
    assert [turn.job for turn in turns] == ["j2"]
