"""Problems among the worker's other business: cancelled, many at once, refused, with files."""

import asyncio

import pytest
from redis.asyncio import Redis

from inference import worker as worker_module
from inference.agent.tool_runtime import ToolRuntime
from inference.engines.scripted import ScriptedEngine
from inference.sandbox.config import SandboxConfig
from inference.tools.registry import CONVERT
from inference.worker import Worker
from jobqueue.approvals import Approvals
from jobqueue.blobs import Blobs
from jobqueue.event_reader import EventReader
from jobqueue.history import History, LoadedHistory
from jobqueue.queue import JobQueue
from jobqueue.schema import (
    AnyEvent,
    ApprovalRequest,
    Attachment,
    CallStatus,
    Delta,
    Failed,
    FailureCode,
    Finished,
    FinishReason,
    Summary,
    ToolCallDelta,
    ToolResult,
    Turn,
)
from tests.inference.agent.conftest import Solve, problem
from tests.inference.agent.test_solve import calls, returns


async def test_many_problems_at_once_keep_apart(solve: Solve) -> None:
    answers = await asyncio.gather(
        *(solve(f"q !run print({n} * 10) !say it is {n}", f"j{n}") for n in range(8))
    )
    for n, events in enumerate(answers):
        assert [e.text for e in returns(events)] == [str(n * 10)]
        assert isinstance(events[-1], Finished)
        assert events[-1].text == f"it is {n}\n\n$$\\boxed{{{n * 10}}}$$"


async def test_stop_ends_the_program_and_what_waits_for_it(queue: JobQueue, solve: Solve) -> None:
    """Five endless programs are more than the sandbox runs at once: if one went on, the last
    problem would wait for it."""
    endless = [problem("q !run while True: pass", f"j{n}") for n in range(5)]
    for each in endless:
        await queue.submit(each)
    async with EventReader(queue, "bot-0") as live:
        for each in endless:
            async with asyncio.timeout(30):
                async for envelope in live.follow(each.id):
                    if isinstance(envelope.event, ToolCallDelta) and envelope.event.text:
                        break
            await queue.cancel(each.id)
        for each in endless:
            async with asyncio.timeout(30):
                *_, last = [envelope.event async for envelope in live.follow(each.id)]
            assert isinstance(last, Failed)
            assert last.code is FailureCode.CANCELLED
    async with asyncio.timeout(8):  # less than an endless program would be left to run
        *_, finished = await solve("q !run print(1) !say done", "after")
    assert isinstance(finished, Finished)


async def test_a_deadline_ends_a_problem(solve: Solve) -> None:
    *_, last = await solve("q !think hm !run while True: pass", ttl_ms=1_500)
    assert isinstance(last, Failed)
    assert last.code is FailureCode.DEADLINE


async def test_an_attached_file_is_there_for_the_program(solve: Solve, redis: Redis) -> None:
    data = b"month,sales\n1,10\n2,32\n"
    sha256 = await Blobs(redis).put(data)
    attached = (
        Attachment(sha256=sha256, name="sales.csv", media_type="text/csv", size=len(data)),
        Attachment(sha256="0" * 64, name="gone.csv", media_type="text/csv", size=1),
    )
    events = await solve(
        r"sum? !run import csv\nrows = csv.DictReader(open('sales.csv'))"
        r"\nprint(sum(int(row['sales']) for row in rows))"
        " !say {output}",
        attachments=attached,
    )
    assert [(e.status, e.text) for e in returns(events)] == [(CallStatus.OK, "42")]


# --- a chat with tools ----------------------------------------------------------------------------


async def test_a_chat_calls_the_tools_it_is_given(solve: Solve) -> None:
    call = '!call convert {"value": 5, "unit": "miles", "to": "km"}'
    events = await solve(
        f"far? !think Let me see. {call} !say That is {{output}}.",
        capability="chat",
        tools=("convert", "no_such_tool"),
    )
    assert calls(events)[1].startswith('{"value": 5')
    assert [(e.status, e.text) for e in returns(events)] == [(CallStatus.OK, "8.04672 km")]
    said = "".join(e.text for e in events if isinstance(e, Delta))
    assert said == "Let me see.\nThat is 8.04672 km."
    assert isinstance(events[-1], Finished)
    assert events[-1].text == said


async def test_a_chat_calls_no_tool_that_it_was_not_given(solve: Solve) -> None:
    events = await solve(
        'q !call calculate {"expression": "6*7"} !say no', capability="chat", tools=("now",)
    )
    assert [e.status for e in returns(events)] == [CallStatus.REFUSED]


async def test_a_chat_without_tools_is_a_chat(solve: Solve) -> None:
    events = await solve("hello", capability="chat")
    assert not returns(events)
    assert isinstance(events[-1], Finished)
    assert events[-1].text == "[turn 1] hello"


class Remembering:
    """A past of which a summary is read."""

    async def load(self, _channel: str, _budget: int | None, _parent: str | None) -> LoadedHistory:
        minutes = Summary(turn="a", text="They met.", turns=3, tokens=3)
        return LoadedHistory((), omitted=2, parent="b", summary=minutes)

    async def get_turn(self, _channel: str, _job: str) -> Turn | None:
        return None


async def test_what_a_chat_with_tools_has_read_of_before_is_told(redis: Redis) -> None:
    tool_runtime = ToolRuntime(
        ScriptedEngine(), Remembering(), Blobs(redis), system="s", sandbox=SandboxConfig()
    )
    talk = await tool_runtime.create_tool_chat_attempt(
        problem("and now?", capability="chat"), 1, (CONVERT,)
    )
    told = await talk.cut_short(FinishReason.CANCELLED)
    assert (told.summarised_turns, told.omitted_turns) == (3, 2)


async def test_the_tools_are_announced(queue: JobQueue, worker: Worker) -> None:
    async with asyncio.timeout(20):
        while not any("python" in each.tools for each in await queue.list_workers()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    [status] = await queue.list_workers()
    assert {"python", "calculate", "convert", "now", "search_files"} <= set(status.tools)
    assert "arxiv" not in status.tools
    assert "solve" in status.capabilities


async def test_a_problem_that_can_be_solved_in_a_moment_is_taken_in(
    queue: JobQueue, redis: Redis, tool_runtime: ToolRuntime
) -> None:
    worker = Worker(
        queue, History(redis), tool_runtime.engine, name="w", system="s", tool_runtime=tool_runtime
    )
    await worker._announce()
    [opening] = await queue.list_workers()
    tool_runtime.shut = True
    await worker._announce()
    [shut] = await queue.list_workers()
    assert ("solve" in opening.capabilities, "solve" in shut.capabilities) == (True, False)


# --- a person's word ------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_call_waits_for_a_persons_word(
    solve: Solve, queue: JobQueue, redis: Redis, allowed: bool
) -> None:
    asked = asyncio.create_task(solve("q !run print(6 * 7) !say done", approval=True))
    events: list[AnyEvent] = []
    async with EventReader(queue, "bot-0") as live, asyncio.timeout(30):
        while not asked.done() and not any(isinstance(e, ApprovalRequest) for e in events):
            async for envelope in live.follow("j1"):
                events.append(envelope.event)
                if isinstance(envelope.event, ApprovalRequest):
                    break
    assert not any(isinstance(e, ToolResult) for e in events)
    await Approvals(redis).decide("j1", 1, 1, allowed=allowed)
    statuses = [e.status for e in returns(await asked)]
    assert statuses[0] is (CallStatus.OK if allowed else CallStatus.REFUSED)


# --- where nothing can be run ---------------------------------------------------------------------


async def test_where_no_sandbox_holds_a_problem_is_refused_in_words(
    queue: JobQueue, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "REFUSE_AFTER_S", 0.0)
    worker = Worker(queue, History(redis), ScriptedEngine(), name="w", system="s")
    running = asyncio.create_task(worker.run())
    await queue.submit(problem("2x + 3 = 10"))
    async with EventReader(queue, "bot-0") as live, asyncio.timeout(30):
        *_, last = [envelope.event async for envelope in live.follow("j1")]
    [status] = await queue.list_workers()
    worker.stop()
    await running
    assert isinstance(last, Failed)
    assert last.code is FailureCode.NO_PROGRAMS
    assert "solve" not in status.capabilities
