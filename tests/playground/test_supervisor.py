"""The real processes: started, killed, paused, stopped; and the script on top of them."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from playground.__main__ import main
from playground.data_dir import lock_data_dir
from playground.discord.server import LocalDiscord
from playground.managed_process import ManagedProcess, ProcessState
from playground.supervisor import StartError, Supervisor

NAMES = ["redis", "worker", "bot"]
PATIENCE_S = 30
on_one_loop = pytest.mark.asyncio(loop_scope="module")


def environ() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k != "REDIS_URL"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def discord() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as discord:
        discord.world.create_user("ada")
        yield discord


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    discord: LocalDiscord, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Supervisor]:
    folder = tmp_path_factory.mktemp("playground")
    async with Supervisor(folder, discord, engine="scripted", environ=environ()) as supervisor:
        yield supervisor


@pytest_asyncio.fixture(loop_scope="module")
async def supervisor(shared: Supervisor) -> Supervisor:
    """All are ready, whatever the test before did to them."""
    for name in NAMES:
        await shared.control("start", name)
    await asyncio.wait_for(shared.wait_until_ready(), PATIENCE_S)
    return shared


async def reached(supervisor: Supervisor, name: str, state: ProcessState) -> ManagedProcess:
    async with asyncio.timeout(PATIENCE_S):
        async for _ in supervisor.changes():
            if supervisor.processes[name].state is state:
                break
    return supervisor.processes[name]


@on_one_loop
async def test_all_are_ready_and_known(supervisor: Supervisor) -> None:
    states = {state["name"]: state for state in supervisor.status_rows()}
    assert list(states) == NAMES
    assert all(state["state"] == "ready" for state in states.values())
    assert all(state["memory"] > 1_000_000 for state in states.values())
    assert states["worker"]["detail"].startswith("scripted")
    assert json.dumps(supervisor.status_rows())


@on_one_loop
@pytest.mark.parametrize("name", NAMES)
async def test_a_killed_process_comes_back(supervisor: Supervisor, name: str) -> None:
    before = supervisor.processes[name].status()
    await supervisor.control("kill", name)
    assert supervisor.processes[name].state is ProcessState.RESTARTING
    process = await reached(supervisor, name, ProcessState.READY)
    assert process.pid != before.pid
    assert process.status().restarts == before.restarts + 1


@on_one_loop
async def test_a_stopped_process_stays_ended_until_it_is_started(supervisor: Supervisor) -> None:
    restarts = supervisor.processes["worker"].restarts
    await supervisor.control("stop", "worker")
    process = await reached(supervisor, "worker", ProcessState.STOPPED)
    assert process.pid is None
    await supervisor.control("start", "worker")
    await reached(supervisor, "worker", ProcessState.READY)
    await supervisor.control("restart", "worker")
    assert (await reached(supervisor, "worker", ProcessState.READY)).restarts == restarts


@on_one_loop
async def test_a_paused_process_stands_still_and_can_be_stopped(supervisor: Supervisor) -> None:
    process = supervisor.processes["bot"]
    assert process.pid is not None
    await supervisor.control("pause", "bot")
    await kernel_says(process.pid, stopped=True)
    await supervisor.control("resume", "bot")
    await kernel_says(process.pid, stopped=False)
    await supervisor.control("pause", "bot")
    await supervisor.control("stop", "bot")
    await reached(supervisor, "bot", ProcessState.STOPPED)


async def kernel_says(pid: int, *, stopped: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if (psutil.Process(pid).status() == psutil.STATUS_STOPPED) is stopped:
                return
            await asyncio.sleep(0.01)


@on_one_loop
async def test_the_overview_is_of_what_was_asked(
    supervisor: Supervisor, discord: LocalDiscord
) -> None:
    asked = await discord.world.slash("ada", "general", "chat", {"prompt": "one  two"})
    async with asyncio.timeout(PATIENCE_S):
        while True:
            questions = (await supervisor.read_queue_view())["questions"]
            if [told["state"] for told in questions] == ["done"]:
                break
            await asyncio.sleep(0.05)
    (told,) = questions
    assert (told["id"], told["who"], told["prompt"]) == (asked.id, "ada", "one two")
    times = [told[f"{name}_ms"] for name in ("submitted", "claimed", "first_output", "ended")]
    assert times == sorted(times)
    assert told["tokens"] > 0
    now = await supervisor.read_queue_view()
    assert {worker["running"] for worker in now["workers"]} == {0}
    assert json.dumps(now)


async def test_what_cannot_start_is_said(tmp_path: Path) -> None:
    async with LocalDiscord() as discord:
        with pytest.raises(StartError, match=r"worker does not start: exit code 2: error: .*SLOTS"):
            async with Supervisor(
                tmp_path, discord, engine="scripted", environ={**environ(), "INFERENCE_SLOTS": "x"}
            ) as supervisor:
                await asyncio.wait_for(supervisor.wait_until_ready(), PATIENCE_S)
        with pytest.raises(StartError, match="REDIS_URL"):
            async with Supervisor(
                tmp_path, discord, environ={**environ(), "REDIS_URL": "redis://127.0.0.1:1"}
            ):
                pass


async def started(tmp_path: Path) -> tuple[asyncio.subprocess.Process, list[psutil.Process]]:
    """A playground of its own process, once it is ready, and its children."""
    command = [sys.executable, "-m", "playground", "--port", "0", "--engine", "scripted"]
    process = await asyncio.create_subprocess_exec(
        *command, "--no-open", "--folder", str(tmp_path), env=environ(), stdout=-1
    )
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        async for line in process.stdout:
            if line.startswith(b"Ready"):
                break
    return process, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_nothing_outlives_the_playground(tmp_path: Path, number: signal.Signals) -> None:
    process, children = await started(tmp_path)
    assert len(children) == len(NAMES)
    process.send_signal(number)
    code = await asyncio.wait_for(process.wait(), PATIENCE_S)
    assert code == (-number if number is signal.SIGKILL else 0)
    _, alive = await asyncio.to_thread(psutil.wait_procs, children, PATIENCE_S)
    assert alive == []


def test_a_folder_has_one_playground(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with lock_data_dir(tmp_path):
        assert main(["--engine", "scripted", "--port", "0", "--folder", str(tmp_path)]) == 2
    assert "another playground runs in" in capsys.readouterr().err


def test_a_port_in_use_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert main(["--engine", "scripted", "--port", port, "--folder", str(tmp_path)]) == 2
    assert f"port {port} is in use" in capsys.readouterr().err


CHAOS = [
    {"do": "slash", "command": "chat", "options": {"prompt": "hello"}},
    {"user": "bob", "channel": "b", "do": "slash", "command": "chat", "options": {"prompt": "  "}},
    {"do": "wait", "timeout": 20},
    {"do": "reply", "content": "more"},
    {"do": "fault", "status": 429, "route": "PATCH /webhooks/*", "times": 2},
    {
        "channel": "b",
        "do": "slash",
        "command": "chat",
        "options": {"prompt": "!tokens 90 !delay 30ms x"},
    },
    {"do": "wait", "for": "text"},
    {"do": "kill", "target": "bot"},
    {"do": "wait"},
    {"do": "say", "channel": "dm", "content": "!tokens 60 !delay 30ms y"},
    {"do": "wait", "for": "text"},
    {"do": "fault", "kind": "disconnect"},
    {"do": "kill", "target": "redis"},
    {"do": "wait"},
    {"channel": "c", "do": "say", "content": "@commonroom !tokens 900 !delay 30ms z"},
    {"channel": "c", "do": "click", "label": "Stop"},
]


async def test_a_script_of_disasters_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "chaos.jsonl"
    file.write_text("\n".join(map(json.dumps, CHAOS)))
    command = [sys.executable, "-m", "playground", "script", str(file), "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, "--engine", "scripted", env=environ(), stdout=-1
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    *events, summary = map(json.loads, out.splitlines())
    assert summary == {
        "event": "summary",
        "asked": 6,
        "answered": 5,
        "told": 1,
        "lost": 0,
        "doubled": 0,
    }
    assert process.returncode == 0
    final = {e["message"]: e for e in events if e["event"] in ("create", "edit")}
    contents = {e["action"]: e["content"] for e in final.values() if e["author"] == "commonroom"}
    assert contents[0] == "> hello\n[turn 1] hello"
    assert contents[3] == "[turn 2] more"
    assert contents[14].endswith("Stopped.")
